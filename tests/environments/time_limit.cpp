// SPDX-License-Identifier: Apache-2.0
#include <mellow/environments/time_limit.hpp>

#include "support/catch.hpp"

using namespace mellow;

namespace {
/// Counts its steps and terminates at the fifth.
struct FiveSteps {
  Discrete observation_space() const { return Discrete(6); }
  Discrete action_space() const { return Discrete(1); }
  void reset(Rng&) { count = 0; }
  Step step(Index, Rng&) { return {.reward = 1, .terminated = ++count == 5}; }
  void observe(Index& out) const { out = count; }
  Index count = 0;
};
}  // namespace

// classic_environments.md 1.
TEST_CASE("A time limit truncates exactly at its step and leaves termination alone") {
  Rng rng;
  for (const Index limit : {3, 5, 8}) {
    environments::TimeLimit environment(FiveSteps{}, limit);
    for (int episode = 0; episode < 2; ++episode) {
      environment.reset(rng);
      for (Index i = 1; i <= std::min<Index>(limit, 5); ++i) {
        const Step step = environment.step(0, rng);
        CHECK(step.truncated == (i == limit));  // both flags are set when the limit meets the end
        CHECK(step.terminated == (i == 5));
      }
    }
    CHECK(environment.unwrapped().count == std::min<Index>(limit, 5));
  }
  CHECK_THROWS_AS(environments::TimeLimit(FiveSteps{}, 0), Error);
}

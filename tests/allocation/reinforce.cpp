// SPDX-License-Identifier: Apache-2.0
// Once its store has grown to the longest batch, a step of REINFORCE takes nothing from the heap.
#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/policy/reinforce.hpp>
#include <mellow/training/run.hpp>

#include "allocation/counter.hpp"
#include "support/catch.hpp"

using namespace mellow;

namespace {

template <class... Parts>
std::size_t allocations_with(policy::ReinforceOptions options, const Parts&... parts) {
  struct Watch {
    std::size_t before = 0, after = 0;
    void on_step(const training::RunStatus& status) {
      if (status.step == 1'000) before = heap_allocations();
      if (status.step == 2'000) after = heap_allocations();
    }
  } watch;
  policy::Reinforce agent(nn::Mlp{{4, 64, 2}}, options, parts...);
  const environments::TimeLimit environment(environments::CartPole{}, 7);  // no episode is shorter
  training::train(agent, environment, {.steps = 2'000, .evaluate_every = 0}, watch);
  REQUIRE(agent.updates() >= 20);
  return watch.after - watch.before;
}

}  // namespace

TEST_CASE("A step of REINFORCE does not allocate, for any parts") {
  CHECK(allocations_with({}) == 0);
  CHECK(allocations_with({.episodes = 1}) == 0);
  CHECK(allocations_with({.baseline = policy::Baseline::None, .normalize_returns = false, .max_gradient_norm = 1}) ==
        0);
  CHECK(allocations_with({}, policy::MellowmaxHead{}, nn::Adam{}) == 0);
}

// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/check.hpp>
#include <mellow/environments/time_limit.hpp>

#include "support/catch.hpp"

using namespace mellow;

namespace {

/// A walk on a line of numbers 0 .. 9, right in every respect. The faulty ones below change one thing each.
struct Walk {
  Box observation_space() const { return {2, 0.0f, 9.0f}; }
  Discrete action_space() const { return Discrete(2); }
  void reset(Rng& rng) { place = rng.below(10); }
  Step step(Index action, Rng& rng) {
    place = std::clamp<Index>(place + (action == 1 ? 1 : -1) * rng.below(3), 0, 9);
    return {.reward = static_cast<double>(place), .terminated = place == 0};
  }
  void observe(VectorRef<float> out) const { out << static_cast<float>(place), 1.0f; }
  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("place", self.place);
  }
  Index place = 0;
};

struct LeavesNumberUnset : Walk {
  void observe(VectorRef<float> out) const { out[0] = static_cast<float>(place); }
};
struct LeavesItsBox : Walk {
  void observe(VectorRef<float> out) const { out << static_cast<float>(place) + 1.0f, 1.0f; }
};
struct InfiniteReward : Walk {
  Step step(Index action, Rng& rng) {
    Step result = Walk::step(action, rng);
    result.reward /= 0.0;
    return result;
  }
};
struct SharesState : Walk {
  std::shared_ptr<Index> shared = std::make_shared<Index>(0);
  Step step(Index, Rng&) { return {.reward = static_cast<double>(++*shared)}; }
};
struct OwnChance : Walk {
  static inline Rng own{3};
  void reset(Rng&) { place = own.below(10); }
};
struct ForgetsState : Walk {
  template <class Self, class Visit>
  static void visit_state(Self&, Visit&&) {}
};
struct GrowingSpace : Walk {
  Discrete action_space() const { return Discrete(2 + place % 2); }
};
/// Starts an episode elsewhere once it has lived through one.
struct ForgetsToReset : Walk {
  bool experienced = false;
  void reset(Rng& rng) {
    Walk::reset(rng);
    if (experienced) place = 9 - place;
  }
  Step step(Index action, Rng& rng) {
    experienced = true;
    return Walk::step(action, rng);
  }
};
struct WrongIndex : Walk {
  Discrete observation_space() const { return Discrete(9); }
  void observe(Index& out) const { out = place; }
};

}  // namespace

TEST_CASE("Sound environments pass the check") {
  environments::check(Walk{});
  environments::check(environments::CartPole{});
  environments::check(environments::TimeLimit(environments::CartPole{}, 20));
}

TEST_CASE("The check says what to change") {
  using Catch::Contains;
  CHECK_THROWS_WITH(environments::check(LeavesNumberUnset{}),
                    Contains("number 1 of 2") && Contains("write every number"));
  CHECK_THROWS_WITH(environments::check(LeavesItsBox{}),
                    Contains("outside of [0, 9]") && Contains("widen observation_space() or clip"));
  CHECK_THROWS_WITH(environments::check(InfiniteReward{}), Contains("reward") && Contains("return a finite number"));
  CHECK_THROWS_WITH(environments::check(SharesState{}), Contains("hold all state in members by value"));
  CHECK_THROWS_WITH(environments::check(OwnChance{}), Contains("draw only from the generator that reset() is given"));
  CHECK_THROWS_WITH(environments::check(ForgetsState{}), Contains("name every member that changes"));
  CHECK_THROWS_WITH(environments::check(GrowingSpace{}), Contains("must stay as they are"));
  CHECK_THROWS_WITH(environments::check(ForgetsToReset{}), Contains("set every member in reset()"));
  CHECK_THROWS_WITH(environments::check(WrongIndex{}), Contains("enlarge observation_space()"));
}

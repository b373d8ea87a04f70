// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include <mellow/environments/acrobot.hpp>
#include <mellow/environments/any.hpp>
#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/mountain_car.hpp>
#include <mellow/environments/mountain_car_continuous.hpp>
#include <mellow/environments/normalized_reward.hpp>
#include <mellow/environments/pendulum.hpp>
#include <mellow/environments/puddle_world.hpp>
#include <mellow/environments/rounded_cart_pole.hpp>
#include <mellow/environments/vectorized.hpp>

#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::environments;

namespace {

/// Counts the steps of an episode, which ends by chance; discrete observations, two numbers of action.
struct Counter {
  Discrete observation_space() const { return Discrete(1000); }
  Box action_space() const { return {2, -1.0f, 1.0f}; }
  void reset(Rng&) { count = 0; }
  Step step(const Vector<float>& action, Rng& rng) {
    ++count;
    return {.reward = static_cast<double>(action[0] + 2 * action[1]), .terminated = rng.below(10) == 0};
  }
  void observe(Index& out) const { out = count; }
  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("count", self.count);
  }
  Index count = 0;
};

/// A ladder of ten rungs to climb down, stay on or climb up: no way down from the lowest, no rest on odd ones. The
/// highest ends the episode.
struct Ladder {
  using State = std::array<double, 1>;
  Box observation_space() const { return {1, 0.0f, 9.0f}; }
  Discrete action_space() const { return Discrete(3); }
  void reset(Rng& rng) { rung = {static_cast<double>(rng.below(3))}; }
  Step step(Index action, Rng&) { return advance(rung, action); }
  Step advance(State& state, Index action) const {
    state[0] += static_cast<double>(action) - 1.0;
    return {.reward = state[0], .terminated = state[0] >= 9.0};
  }
  void observe(VectorRef<float> out) const { out[0] = static_cast<float>(rung[0]); }
  static std::array<float, 1> observation(const State& state) { return {static_cast<float>(state[0])}; }
  void action_mask(std::span<bool> out) const {
    out[0] = rung[0] > 0.0;
    out[1] = static_cast<Index>(rung[0]) % 2 == 0;
    out[2] = true;
  }
  State state() const { return rung; }
  void set_state(const State& state) { rung = state; }
  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("rung", self.rung);
  }
  State rung{};
};

/// A ladder on which an agent sees other rewards than those that count, and whose steps are a function of its state.
struct RescaledLadder : Ladder {
  Step advance(State& state, Index action) const {
    Step step = Ladder::advance(state, action);
    step.reward *= 0.125;
    return step;
  }
  Step step(Index action, Rng& rng) {
    original = Ladder::step(action, rng).reward;
    return {.reward = 0.125 * original, .terminated = rung[0] >= 9.0};
  }
  double original_reward() const { return original; }
  double original = 0.0;
};

template <class E>
auto sample_actions(const Vectorized<E>& environments, Rng& rng) {
  const auto space = environments.action_space();
  if constexpr (std::same_as<ActionSpace<E>, Discrete>) {
    Vector<Index> actions(environments.size());
    for (Index i = 0; i < actions.size(); ++i) {
      const auto allowed = [&] {
        if constexpr (MaskedEnvironment<E>) return environments.action_masks()(actions[i], i);
        else return true;
      };
      do actions[i] = space.sample(rng);
      while (!allowed());
    }
    return actions;
  } else {
    Matrix<float> actions(space.size(), environments.size());
    for (auto action : actions.colwise()) action = 1.5f * space.sample(rng);  // some beyond the bounds
    return actions;
  }
}

template <class E>
Action<E> action_of(const auto& actions, Index i) {
  if constexpr (std::same_as<ActionSpace<E>, Discrete>) return actions[i];
  else return actions.col(i);
}

template <class E>
Observation<E> column(const auto& observations, Index i) {
  if constexpr (std::same_as<ObservationSpace<E>, Discrete>) return observations[i];
  else return observations.col(i);
}

template <class E>
Observation<E> observe(const E& environment) {
  if constexpr (std::same_as<ObservationSpace<E>, Discrete>) {
    Index out = -1;
    environment.observe(out);
    return out;
  } else {
    Vector<float> out(environment.observation_space().size());
    environment.observe(out);
    return out;
  }
}

template <class E>
Eigen::Array<bool, Eigen::Dynamic, 1> mask_of(const E& environment) {
  Eigen::Array<bool, Eigen::Dynamic, 1> mask(environment.action_space().n);
  environment.action_mask({mask.data(), static_cast<std::size_t>(mask.size())});
  return mask;
}

/// Steps n environments together and one by one: the same bits throughout, and every episode's end observed.
template <class E>
void expect_same_as_one_by_one(const E& environment, Index n, int steps) {
  CAPTURE(n);
  Vectorized<E> together(environment, n);
  std::vector<E> alone(static_cast<std::size_t>(n), environment);
  std::vector<Rng> generators;
  Rng rng(3), same(3), action_rng(4);
  together.reset(rng);
  for (E& one : alone) one.reset(generators.emplace_back(same.split()));
  int different = 0, ended = 0;
  for (int t = 0; t < steps; ++t) {
    const auto actions = sample_actions(together, action_rng);
    const Steps& outcome = together.step(actions);
    for (Index i = 0; i < n; ++i) {
      E& one = alone[static_cast<std::size_t>(i)];
      Rng& own = generators[static_cast<std::size_t>(i)];
      const Step step = one.step(action_of<E>(actions, i), own);
      different += step.reward != outcome.rewards[i] || step.terminated != outcome.terminated[i] ||
                   step.truncated != outcome.truncated[i];
      if constexpr (RescalesRewards<E>) different += one.original_reward() != together.original_rewards()[i];
      if (step.terminated || step.truncated) {
        ++ended;
        different += observe(one) != column<E>(together.final_observations(), i);
        if constexpr (MaskedEnvironment<E>) different += (mask_of(one) != together.final_action_masks().col(i)).any();
        one.reset(own);
      }
      different += observe(one) != column<E>(together.observations(), i);
      if constexpr (MaskedEnvironment<E>) different += (mask_of(one) != together.action_masks().col(i)).any();
    }
  }
  CHECK(different == 0);
  CHECK(ended > 0);
}

}  // namespace

TEST_CASE("Environments stepped together go the way of each alone, bit for bit") {
  for (const Index n : {1, 5, 32, 77}) {
    expect_same_as_one_by_one(TimeLimit(CartPole{}, 50), n, 120);
    expect_same_as_one_by_one(CartPole({.integrator = CartPoleOptions::Integrator::SemiImplicit}), n, 120);
    expect_same_as_one_by_one(TimeLimit(RoundedCartPole{}, 50), n, 120);
    expect_same_as_one_by_one(TimeLimit(Pendulum{}, 50), n, 120);
    expect_same_as_one_by_one(TimeLimit(Acrobot{}, 50), n, 120);
    expect_same_as_one_by_one(TimeLimit(MountainCar{}, 50), n, 120);
    expect_same_as_one_by_one(TimeLimit(MountainCarContinuous{}, 50), n, 120);
    expect_same_as_one_by_one(TimeLimit(PuddleWorld{}, 20), n, 50);
    expect_same_as_one_by_one(Counter{}, n, 100);
    expect_same_as_one_by_one(TimeLimit(TimeLimit(Counter{}, 30), 7), n, 100);
  }
  static_assert(PureEnvironment<CartPole> && PureEnvironment<Pendulum> && PureEnvironment<Acrobot>);
  static_assert(PureEnvironment<MountainCar> && PureEnvironment<MountainCarContinuous>);
  static_assert(PureEnvironment<RoundedCartPole> && !PureEnvironment<PuddleWorld> && !PureEnvironment<Counter>);
}

TEST_CASE("Action masks and original rewards pass through") {
  const auto expect_same = [](const auto& environment) {
    for (const Index n : {1, 5, 40}) expect_same_as_one_by_one(environment, n, 120);
  };
  expect_same(Ladder{});
  expect_same(TimeLimit(Ladder{}, 7));
  expect_same(TimeLimit(RescaledLadder{}, 7));
  expect_same(NormalizedReward(TimeLimit(Ladder{}, 7)));
  expect_same(TimeLimit(NormalizedReward(Ladder{}), 7));
  expect_same(Any(NormalizedReward(TimeLimit(Ladder{}, 7))));
  static_assert(PureEnvironment<Ladder> && MaskedEnvironment<Ladder> && !RescalesRewards<Ladder>);
  static_assert(PureEnvironment<RescaledLadder> && RescalesRewards<RescaledLadder>);

  Vectorized ladders(TimeLimit(Ladder{}, 7), 3);
  Rng rng(1);
  ladders.reset(rng);
  const auto paths = state_of(ladders);
  const auto named = [&](std::string_view path) { return std::ranges::count(paths, path, &StatePiece::path) == 1; };
  CHECK((named("action_masks") && named("final_action_masks")));
  CHECK(ladders.action_masks().row(2).all());
  for (Index i = 0; i < 3; ++i) {
    const auto rung = static_cast<Index>(ladders.observations()(0, i));
    CHECK(ladders.action_masks()(0, i) == (rung > 0));
    CHECK(ladders.action_masks()(1, i) == (rung % 2 == 0));
  }
}

TEST_CASE("An environment's episodes do not depend on how many there are") {
  Vectorized few(TimeLimit(CartPole{}, 30), 3), many(TimeLimit(CartPole{}, 30), 50);
  Rng a(1), b(1), action_rng(2);
  few.reset(a);
  many.reset(b);
  CHECK(few.observations() == many.observations().leftCols(3));
  CHECK(many.observations().col(0) != many.observations().col(1));
  for (int t = 0; t < 100; ++t) {
    const Vector<Index> actions = sample_actions(many, action_rng);
    many.step(actions);
    few.step(actions.head(3));
    REQUIRE(few.observations() == many.observations().leftCols(3));
  }
}

TEST_CASE("A copy of vectorised environments is a snapshot") {
  Vectorized environments(TimeLimit(CartPole{}, 30), 4);
  Rng rng(1);
  environments.reset(rng);
  Vectorized snapshot = environments;
  CHECK(first_difference(environments, snapshot).empty());
  environments.step(Vector<Index>::Ones(4));
  CHECK(first_difference(environments, snapshot) == "batch.environment.states");
  snapshot.step(Vector<Index>::Ones(4));
  CHECK(first_difference(environments, snapshot).empty());

  Vectorized counters(Counter{}, 2);
  counters.reset(rng);
  CHECK(state_of(counters)[0].path == "batch.environments");
}

TEST_CASE("Actions may be part of a larger matrix") {
  Vectorized a(Pendulum{}, 40), b(Pendulum{}, 40);
  Rng first(1), second(1);
  a.reset(first);
  b.reset(second);
  const Matrix<float> wide = Matrix<float>::Random(3, 40);
  a.step(wide.row(1));
  b.step(Matrix<float>(wide.row(1)));
  CHECK(a.observations() == b.observations());
  CHECK_THROWS_WITH(Vectorized(Pendulum{}, 0), Catch::Contains("must be positive (got 0)"));
  CHECK_THROWS_WITH(Vectorized(Pendulum{}, std::numeric_limits<Index>::max() / 2),
                    Catch::Contains("Vectorized: this many environments do not fit into memory"));
}

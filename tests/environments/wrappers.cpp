// SPDX-License-Identifier: Apache-2.0
#include <mellow/environments/action_repeat.hpp>
#include <mellow/environments/any.hpp>
#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/check.hpp>
#include <mellow/environments/discretized_actions.hpp>
#include <mellow/environments/episode_statistics.hpp>
#include <mellow/environments/frame_stack.hpp>
#include <mellow/environments/mountain_car.hpp>
#include <mellow/environments/normalized_observation.hpp>
#include <mellow/environments/normalized_reward.hpp>
#include <mellow/environments/replayed.hpp>
#include <mellow/environments/rescaled_observation.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/models/uct.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/tools/saved_state.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/dqn.hpp>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace mellow;
using namespace mellow::environments;

namespace {

/// Counts up from a random start; the reward is the count; ends after five steps.
class Counter {
 public:
  Box observation_space() const { return {2, -100, 100}; }
  Discrete action_space() const { return Discrete(2); }
  void reset(Rng& rng) {
    count_ = static_cast<double>(rng.below(10));
    steps_ = 0;
  }
  Step step(Index action, Rng&) {
    count_ += static_cast<double>(action);
    return {.reward = count_, .terminated = ++steps_ == 5};
  }
  void observe(VectorRef<float> out) const { out << static_cast<float>(count_), static_cast<float>(-steps_); }
  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("count", self.count_);
    visit("steps", self.steps_);
  }

 private:
  double count_ = 0;
  Index steps_ = 0;
};

/// Gives its action back as the observation.
struct Mirror {
  Box observation_space() const { return {2, -10, 10}; }
  Box action_space() const { return {Eigen::Vector2f(-1, 0), Eigen::Vector2f(1, 4)}; }
  void reset(Rng&) { seen.setZero(2); }
  Step step(const Vector<float>& action, Rng&) {
    seen = action;
    return {};
  }
  void observe(VectorRef<float> out) const { out = seen; }
  Vector<float> seen = Vector<float>::Zero(2);
};

/// A simulator without copies: a cart-pole that can only be moved.
class Foreign {
 public:
  Foreign() = default;
  Foreign(const Foreign&) = delete;
  Foreign(Foreign&&) = default;
  Box observation_space() const { return inner_.observation_space(); }
  Discrete action_space() const { return inner_.action_space(); }
  void reset(Rng& rng) { inner_.reset(rng); }
  Step step(Index action, Rng& rng) { return inner_.step(rng.uniform() < 0.1 ? 1 - action : action, rng); }
  void observe(VectorRef<float> out) const { inner_.observe(out); }

 private:
  CartPole inner_;
};

template <class E>
Vector<float> observed(const E& environment) {
  Vector<float> out(environment.observation_space().size());
  environment.observe(out);
  return out;
}

}  // namespace

TEST_CASE("Every wrapper passes the environment checker, alone and on top of others") {
  check(EpisodeStatistics(Counter{}));
  check(FrameStack(Counter{}, 3));
  check(ActionRepeat(CartPole{}, 4));
  check(NormalizedObservation(CartPole{}));
  check(NormalizedReward(CartPole{}));
  check(RescaledObservation(MountainCar{}));
  check(Replayed([] { return Foreign(); }));
  check(Any(CartPole{}));
  check(DiscretizedActions(Mirror{}, 3));
  check(TimeLimit(NormalizedReward(FrameStack(NormalizedObservation(ActionRepeat(CartPole{}, 2)), 2)), 50));
  check(Any(TimeLimit(FrameStack(ActionRepeat(CartPole{}, 2), 2), 50)));
}

TEST_CASE("Episode statistics add up") {
  EpisodeStatistics environment(Counter{});
  Rng rng(1);
  for (Index episode = 1; episode <= 3; ++episode) {
    environment.reset(rng);
    CHECK((environment.episode_return() == 0 && environment.episode_length() == 0));
    double total = 0;
    for (int i = 0; i < 5; ++i) total += environment.step(i % 2, rng).reward;
    CHECK(environment.episode_return() == total);
    CHECK(environment.episode_length() == 5);
    CHECK(environment.episodes() == episode);
  }
}

TEST_CASE("A frame stack shows the last observations, the oldest first") {
  FrameStack environment(Counter{}, 3);
  Counter alone;
  Rng rng(1), same(1);
  for (int episode = 0; episode < 2; ++episode) {
    environment.reset(rng);
    alone.reset(same);
    std::vector<Vector<float>> frames(3, observed(alone));
    for (int i = 0; i < 5; ++i) {
      environment.step(1, rng);
      alone.step(1, same);
      frames.push_back(observed(alone));
      Vector<float> expected(6);
      expected << frames[frames.size() - 3], frames[frames.size() - 2], frames[frames.size() - 1];
      CHECK(observed(environment) == expected);
    }
  }
  CHECK(environment.observation_space().size() == 6);
  CHECK_THROWS_AS(FrameStack(Counter{}, 0), Error);
}

TEST_CASE("Repeated actions add rewards and stop at the end of the episode") {
  ActionRepeat environment(Counter{}, 3);
  Rng rng(1);
  environment.reset(rng);
  const double start = static_cast<double>(observed(environment)[0]);
  const Step first = environment.step(1, rng);
  CHECK(first.reward == 3 * start + 6);
  CHECK_FALSE(first.terminated);
  const Step second = environment.step(0, rng);  // two steps are left
  CHECK(second.reward == 2 * (start + 3));
  CHECK(second.terminated);
}

TEST_CASE("Discretised actions are a grid over the bounds") {
  DiscretizedActions environment(Mirror{}, 3);
  REQUIRE(environment.action_space().n == 9);
  Rng rng(1);
  for (Index action = 0; action < 9; ++action) {
    environment.step(action, rng);
    const Eigen::Vector2f expected(static_cast<float>(action % 3 - 1), static_cast<float>(2 * (action / 3)));
    CHECK(observed(environment) == expected);
    CHECK(environment.vector(action) == expected);
  }
  CHECK_THROWS_WITH(DiscretizedActions(Mirror{}, 1), Catch::Contains("levels"));
}

TEST_CASE("Rescaled observations go from -1 to 1 as the environment's go from bound to bound") {
  RescaledObservation environment(MountainCar{});
  CHECK(environment.observation_space().low == Eigen::Vector2f(-1, -1));
  CHECK(environment.observation_space().high == Eigen::Vector2f(1, 1));
  const auto seen = [&](double position, double velocity) {
    environment.unwrapped().set_state({position, velocity});
    return observed(environment);
  };
  CHECK(seen(-1.2, -0.07) == Eigen::Vector2f(-1, -1));
  CHECK(seen(0.6, 0.07) == Eigen::Vector2f(1, 1));
  CHECK(seen(-0.3, 0.0).isZero(1e-6f));
  CHECK(seen(0.15, 0.035).isApprox(Eigen::Vector2f(0.5f, 0.5f), 1e-5f));
  Rng rng(1);
  for (int i = 0; i < 1000; ++i)
    CHECK(environment.observation_space().contains(seen(rng.uniform(-1.2, 0.6), rng.uniform(-0.07, 0.07))));
  CHECK_THROWS_WITH(RescaledObservation(CartPole{}), Catch::Contains("finite bounds") && Catch::Contains("got 1"));
}

TEST_CASE("Normalised observations have the moments of what was seen") {
  NormalizedObservation environment(Counter{});
  Rng rng(3), action_rng(4);
  std::vector<double> counts;
  Vector<float> raw(2);
  for (int episode = 0; episode < 40; ++episode) {
    environment.reset(rng);
    for (int i = 0;; ++i) {
      environment.unwrapped().observe(raw);
      counts.push_back(static_cast<double>(raw[0]));
      if (i == 5) break;
      environment.step(action_rng.below(2), rng);
    }
  }
  const Eigen::Map<const Vector<double>> x(counts.data(), std::ssize(counts));
  const double mean = x.mean(), variance = (x.array() - mean).square().mean();
  CHECK(environment.moments().mean(0) == Approx(mean).epsilon(1e-12));
  CHECK(environment.moments().variance(0) == Approx(variance).epsilon(1e-12));
  CHECK(observed(environment)[0] == Approx((x[x.size() - 1] - mean) / std::sqrt(variance)).epsilon(1e-6));
}

TEST_CASE("Normalised rewards teach, original ones are reported") {
  NormalizedReward environment(Counter{}, 0.5);
  Rng rng(3);
  std::vector<double> returns;
  double discounted = 0;
  environment.reset(rng);
  for (int i = 0; i < 5; ++i) {
    const Step step = environment.step(1, rng);
    discounted = 0.5 * discounted + environment.original_reward();
    returns.push_back(discounted);
    const Eigen::Map<const Vector<double>> x(returns.data(), std::ssize(returns));
    const double variance = i == 0 ? 1.0 : (x.array() - x.mean()).square().mean();
    CHECK(step.reward ==
          Approx(std::min(10.0, environment.original_reward() / std::sqrt(variance + 1e-8))).epsilon(1e-9));
  }

  value::Dqn agent(nn::Mlp{{4, 8, 2}}, {.learning_starts = 100});
  const auto run = training::train(agent, Any(TimeLimit(NormalizedReward(NormalizedObservation(CartPole{})), 30)),
                                   {.steps = 300, .evaluate_every = 100});
  CHECK(20 * run.best_return ==
        Approx(std::round(20 * run.best_return)).epsilon(1e-12));  // a mean of 20 numbers of steps
  CHECK(run.mean_return >= 5);
}

namespace {

/// Counts up by 1 or 2 to `goal`, and may not go beyond it.
struct Countdown {
  Index goal = 5, place = 0;
  Discrete observation_space() const { return Discrete(6); }
  Discrete action_space() const { return Discrete(2); }
  void reset(Rng&) { place = 0; }
  Step step(Index action, Rng&) {
    place += action + 1;
    return {.reward = place > goal ? -100.0 : 1.0, .terminated = place >= goal};
  }
  void observe(Index& out) const { out = std::min(place, goal); }
  void action_mask(std::span<bool> out) const {
    out[0] = true;
    out[1] = place + 2 <= goal;
  }
  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("place", self.place);
  }
};

}  // namespace

TEST_CASE("Masks reach through repeated actions, replays and UCT") {
  Rng rng(1);
  environments::ActionRepeat repeated(Countdown{}, 5);
  repeated.reset(rng);
  const Step step = repeated.step(1, rng);  // 2, 4, and no further
  CHECK(step.reward == 2.0);
  CHECK_FALSE(step.terminated);

  const auto factory = [] { return Countdown(); };
  static_assert(MaskedEnvironment<Replayed<decltype(factory)>>);
  Replayed replayed(factory);
  replayed.reset(rng);
  for (int i = 0; i < 2; ++i) replayed.step(1, rng);
  const auto copy = replayed;
  bool mask[2];
  copy.action_mask(mask);
  CHECK((mask[0] && !mask[1]));

  Countdown environment;
  environment.place = 4;
  models::Uct uct(environment, {.simulations = 200, .horizon = 10});
  CHECK(uct.search(environment, rng) == 0);
  CHECK(uct.visits()[1] == 0);  // never imagined
  environment.place = 0;
  uct.search(environment, rng);
  CHECK(uct.values().minCoeff() > 0);  // no rollout went beyond the goal
  CHECK_THROWS_WITH(models::Uct(environment, {.simulations = -5}), Catch::Contains("simulations must be positive"));
}

TEST_CASE("A replay that is assigned takes the other's factory along") {
  const auto counting_to = [](Index goal) { return [goal] { return Countdown{.goal = goal}; }; };
  Rng rng(1);
  Replayed three(counting_to(3)), five(counting_to(5));
  three.reset(rng);
  five.reset(rng);
  three = five;
  three.step(1, rng);
  CHECK_FALSE(three.step(0, rng).terminated);
}

TEST_CASE("An environment without copies gets them by replay") {
  const auto factory = [] { return Foreign(); };
  Replayed environment(factory);
  Rng rng(1), other(7);
  environment.reset(rng);
  for (int i = 0; i < 6; ++i) {
    other.uniform();  // whatever is drawn in between
    environment.step(i % 2, i % 3 == 0 ? other : rng);
  }
  auto copy = environment;
  CHECK(observed(copy) == observed(environment));
  CHECK(first_difference(copy, environment).empty());
  Rng same = rng;
  CHECK(copy.step(1, same).reward == environment.step(1, rng).reward);
  CHECK(observed(copy) == observed(environment));
  auto earlier = copy;
  copy.step(0, rng);
  copy = earlier;  // back to a snapshot
  CHECK(observed(copy) == observed(environment));

  const TemporaryDirectory directory;
  tools::save_state(directory / "state", environment);
  Replayed fresh(factory);
  tools::load_state(directory / "state", fresh);
  CHECK(observed(fresh) == observed(environment));
}

TEST_CASE("Any environment gives the bits of the one it holds, also saved and loaded") {
  const auto run = [](auto environment) {
    value::Dqn agent(nn::Mlp{{4, 8, 2}}, {.learning_starts = 50});
    const auto result = training::train(agent, environment, {.steps = 400, .evaluate_every = 200});
    return std::pair(result.best_return, Vector<float>(agent.parameters()));
  };
  const TimeLimit cart(CartPole{}, 100);
  CHECK(run(cart) == run(Any(cart)));

  Rng rng(1);
  Any one(cart), two(cart);
  one.reset(rng);
  CHECK(first_difference(one, two) == "environment.state");
  const TemporaryDirectory directory;
  tools::save_state(directory / "state", one);
  tools::load_state(directory / "state", two);
  CHECK(first_difference(one, two).empty());
  CHECK(observed(one) == observed(two));
}

// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/check.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/dqn.hpp>

#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::training;

namespace {

const environments::TimeLimit cart_pole(environments::CartPole{}, 500);

auto small_agent(std::uint64_t seed = 0) {
  return value::Dqn(nn::Mlp({4, 16, 2}), {.batch_size = 8, .learning_starts = 50, .seed = seed});
}

/// Records what a run tells.
struct Log {
  std::vector<RunStatus> episodes, evaluations;
  Index steps = 0, ends = 0, stop_at = -1;
  bool on_step(const RunStatus& status) { return steps = status.step, steps != stop_at; }
  void on_episode(const RunStatus& status) { episodes.push_back(status); }
  void on_evaluation(const RunStatus& status) { evaluations.push_back(status); }
  void on_end(const RunStatus&) { ++ends; }
};

}  // namespace

TEST_CASE("A run keeps its budget of steps and tells what happens") {
  auto agent = small_agent();
  Log log;
  const auto run = train(agent, cart_pole, {.steps = 1050, .evaluate_every = 200, .evaluation_episodes = 2}, log);
  CHECK(run.end == RunEnd::Budget);
  CHECK((run.steps == 1050 && log.steps == 1050 && log.ends == 1));
  CHECK(agent.learner().counters.steps == 1050);
  CHECK(run.episodes == static_cast<Index>(log.episodes.size()));
  Index steps = 0;
  double total = 0;
  for (const RunStatus& episode : log.episodes) {
    steps += episode.episode_length;
    total += episode.episode_return;
    CHECK(episode.step == steps);
    CHECK(episode.episode_return == static_cast<double>(episode.episode_length));  // CartPole pays 1 a step
  }
  if (log.episodes.size() <= 100) CHECK(run.mean_return == Approx(total / static_cast<double>(log.episodes.size())));
  REQUIRE(log.evaluations.size() == 6);  // five and one at the end
  CHECK(log.evaluations.back().step == 1050);
  double best = -1;
  for (const RunStatus& evaluation : log.evaluations) {
    CHECK(evaluation.improved == (evaluation.evaluation_return >= best));
    best = std::max(best, evaluation.evaluation_return);
    CHECK(evaluation.best_return == best);
  }
  CHECK(run.best_return == best);
}

TEST_CASE("A run keeps its budget of episodes, stops at a return, and when a callback says so") {
  auto agent = small_agent();
  CHECK(train(agent, cart_pole, {.steps = 0, .episodes = 7}).episodes == 7);
  const auto reached =
      train(agent, cart_pole, {.steps = 10'000, .evaluate_every = 100, .evaluation_episodes = 1, .stop_at_return = 1});
  CHECK(reached.end == RunEnd::ReturnReached);
  CHECK(reached.steps == 100);
  Log log;
  log.stop_at = 33;
  const auto stopped = train(agent, cart_pole, {.steps = 10'000}, log);
  CHECK(stopped.end == RunEnd::Stopped);
  CHECK((stopped.steps == 33 && log.ends == 1));
  CHECK(stopped.best_parameters == agent.parameters());  // evaluated once more at the end
}

TEST_CASE("The best parameters are those of the best evaluation") {
  auto agent = small_agent();
  std::vector<std::pair<double, Vector<float>>> seen;
  struct Keep {
    decltype(agent)& from;
    decltype(seen)& to;
    void on_evaluation(const RunStatus& status) { to.emplace_back(status.evaluation_return, from.parameters()); }
  } keep{agent, seen};
  int improvements = 0;
  const auto run = train(agent, cart_pole, {.steps = 2000, .evaluate_every = 100, .evaluation_episodes = 3}, keep,
                         OnImprovement([&] { ++improvements; }));
  const auto best =
      std::max_element(seen.rbegin(), seen.rend(), [](const auto& a, const auto& b) { return a.first < b.first; });
  CHECK(run.best_return == best->first);
  CHECK(run.best_parameters == best->second);
  CHECK(improvements >= 1);
  agent.set_parameters(run.best_parameters);
  CHECK(mean(evaluate(agent, cart_pole, 3, Rng(0, streams::evaluation))) ==
        run.best_return);  // the same episodes again
}

TEST_CASE("A run is the same bit for bit when repeated, and evaluations do not move it") {
  auto a = small_agent(3), b = small_agent(3), c = small_agent(3), d = small_agent(3);
  train(a, cart_pole, {.steps = 500, .evaluate_every = 0, .seed = 3});
  train(b, cart_pole, {.steps = 500, .evaluate_every = 0, .seed = 3});
  train(c, cart_pole, {.steps = 500, .evaluate_every = 50, .seed = 3});
  train(d, cart_pole, {.steps = 500, .evaluate_every = 0, .seed = 4});
  CHECK(first_difference(a, b).empty());
  CHECK(first_difference(a, c).empty());
  CHECK_FALSE(first_difference(a, d).empty());
}

TEST_CASE("The observation of an episode's end is learned from, not that of the next start") {
  struct Watcher {
    std::vector<std::array<float, 2>> ends;
    Index act(const ConstVectorRef<float>&, Rng&) { return 1; }
    Index greedy(const ConstVectorRef<float>&) { return 1; }
    void require_fits(const Box&, const Discrete&) const {}
    std::optional<value::Learned> observe(const Transition<>& t, Rng&) {
      if (t.terminated) ends.push_back({t.observation[2], t.next_observation[2]});
      return {};
    }
  } watcher;
  train(watcher, cart_pole, {.steps = 100, .evaluate_every = 0});
  REQUIRE(watcher.ends.size() > 5);
  for (const auto& [before, after] : watcher.ends) {
    CHECK(std::abs(before) <= 0.2095f);
    CHECK(std::abs(after) > 0.2094f);
  }
}

TEST_CASE("Runs that make no sense are refused") {
  auto agent = small_agent();
  CHECK_THROWS_AS(train(agent, cart_pole, {.steps = 0}), Error);
  CHECK_THROWS_AS(train(agent, cart_pole, {.steps = -1}), Error);
  CHECK_THROWS_AS(train(agent, cart_pole, {.evaluation_episodes = 0}), Error);
  value::Dqn wide(nn::Mlp({5, 16, 2}));
  CHECK_THROWS_WITH(train(wide, cart_pole, {}), Catch::Contains("needs 4 inputs"));
}

TEST_CASE("A reward that is not finite ends a run before it is learned from") {
  struct Broken : environments::CartPole {
    Step step(Index, Rng&) { return {.reward = std::numeric_limits<double>::quiet_NaN()}; }
  };
  auto agent = small_agent();
  CHECK_THROWS_WITH(train(agent, Broken{}, {.steps = 10}), Catch::Contains("the reward of step 1 is not finite"));
  CHECK(agent.learner().counters.steps == 0);
}

TEST_CASE("An observation that is not finite ends a run before it is learned from") {
  struct Broken : environments::CartPole {
    Index steps = 0, broken_at = 0;
    Step step(Index, Rng&) {
      ++steps;
      return {.reward = 1.0, .truncated = steps == 3};
    }
    void observe(VectorRef<float> out) const {
      out.setZero();
      if (steps == broken_at) out[2] = std::numeric_limits<float>::infinity();
    }
  };
  for (const auto& [at, message] : {std::pair(0, "number 2 of the observation that begins episode 1 is not finite"),
                                    std::pair(2, "number 2 of the observation after step 2 is not finite")}) {
    auto agent = small_agent();
    Broken broken;
    broken.broken_at = at;
    CHECK_THROWS_WITH(train(agent, broken, {.steps = 10}), Catch::Contains(message));
    CHECK(agent.learner().counters.steps == std::max(0, at - 1));
  }
}

TEST_CASE("An episode that never ends is cut in an evaluation") {
  auto agent = small_agent();
  struct Forever : environments::CartPole {
    Step step(Index, Rng&) { return {.reward = 1}; }
  };
  CHECK(evaluate(agent, Forever{}, 2, Rng(1), 50) == std::vector<double>{50, 50});
}

namespace {
/// Two actions of which one is allowed, in turns; the other one is a fault.
class Turns {
 public:
  Discrete observation_space() const { return Discrete(2); }
  Discrete action_space() const { return Discrete(2); }
  void reset(Rng&) { turn_ = 0; }
  Step step(Index action, Rng&) {
    REQUIRE(action == turn_ % 2);
    return {.reward = 1.0, .terminated = ++turn_ == 10};
  }
  void observe(Index& out) const { out = turn_ % 2; }
  void action_mask(std::span<bool> out) const {
    for (std::size_t a = 0; a < 2; ++a) out[a] = static_cast<Index>(a) == turn_ % 2;
  }

 private:
  Index turn_ = 0;
};

/// Does whatever the mask allows first.
struct Obedient {
  struct Nothing {
    std::array<Metric, 0> metrics() const { return {}; }
  };
  Index greedy(Index, ActionMask mask) const { return mask[0] ? 0 : 1; }
  Index act(Index observation, Rng&, ActionMask mask) const { return greedy(observation, mask); }
  std::optional<Nothing> observe(const training::TransitionOf<Turns>& t, Rng&) {
    REQUIRE(t.next_allowed[static_cast<std::size_t>(t.next_observation)]);
    return std::nullopt;
  }
  void require_fits(const Discrete&, const Discrete&) const {}
};
}  // namespace

TEST_CASE("The loop tells an agent which actions the environment allows") {
  Obedient agent;
  const auto run = training::train(agent, environments::TimeLimit(Turns{}, 7), {.steps = 100, .evaluate_every = 50});
  CHECK(run.best_return == 7);
  environments::check(Turns{});
}

namespace {
/// Stands still; the reward of episode k of its life is rewards[k].
struct Paid {
  static inline std::vector<double> rewards;
  static inline std::size_t episode = 0;
  Box observation_space() const { return {1, 0, 1}; }
  Discrete action_space() const { return Discrete(1); }
  void reset(Rng&) {}
  Step step(Index, Rng&) { return {.reward = rewards[episode++ % rewards.size()], .terminated = true}; }
  void observe(VectorRef<float> out) const { out[0] = 0; }
};

/// Finds something in its third step, the number of steps so far.
struct Finder {
  struct Found {
    double value = RunStatus::none;
    std::array<Metric, 1> metrics() const { return {{{"found", value}}}; }
  };
  int steps = 0;
  Index act(const ConstVectorRef<float>&, Rng&) { return 0; }
  Index greedy(const ConstVectorRef<float>&) { return 0; }
  int parameters() const { return steps; }
  std::optional<Found> observe(const Transition<>&, Rng&) {
    if (++steps != 3) return std::nullopt;
    return Found{.value = 3.0};
  }
  void require_fits(const Box&, const Discrete&) const {}
};
}  // namespace

TEST_CASE("An evaluation that is not a number is never better than one that is") {
  const double nan = RunStatus::none;
  // Training and evaluation take turns in the rewards: 0, evaluation, 0, evaluation, ...
  Paid::rewards = {0, nan, 0, 10, 0, nan, 0, 5, 0, 10, 0, 7};
  Paid::episode = 0;
  Finder agent;
  struct Improvements {
    std::vector<std::int64_t> steps;
    void on_evaluation(const RunStatus& status) {
      if (status.improved) steps.push_back(status.step);
    }
  } improvements;
  const auto run = train(agent, Paid{}, {.steps = 6, .evaluate_every = 1, .evaluation_episodes = 1}, improvements);
  CHECK(improvements.steps == std::vector<std::int64_t>{1, 2, 5});
  CHECK((run.best_return == 10 && run.best_step == 5 && run.best_parameters == 5));
}

TEST_CASE("Callbacks see the metrics of the last update, NaN before the first one") {
  Paid::rewards = {1};
  Finder agent;
  struct Seen {
    std::vector<double> values;
    void on_step(const RunStatus& status) { values.push_back(status.metrics[0].value); }
  } seen;
  train(agent, Paid{}, {.steps = 5, .evaluate_every = 0}, seen);
  REQUIRE(seen.values.size() == 5);
  CHECK((std::isnan(seen.values[1]) && seen.values[2] == 3 && seen.values[4] == 3));
}

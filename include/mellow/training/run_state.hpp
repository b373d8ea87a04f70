// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <numeric>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include <mellow/core/environment.hpp>
#include <mellow/core/state.hpp>
#include <mellow/data/transition.hpp>
#include <mellow/training/evaluate.hpp>
#include <mellow/training/status.hpp>

namespace mellow::training {

/// The numbers of a run.
struct RunOptions {
  Index steps = 50'000;            ///< budget in environment steps; 0: none
  Index episodes = 0;              ///< budget in episodes; 0: none
  Index evaluate_every = 1'000;    ///< steps between evaluations of the greedy policy (one more at the end); 0: never
  Index evaluation_episodes = 20;  ///< episodes an evaluation
  double stop_at_return = std::numeric_limits<double>::infinity();  ///< ends the run when an evaluation reaches it
  std::uint64_t seed = 0;                                           ///< of everything drawn during the run

  /// Throws Error for a number out of range.
  void validate() const {
    constexpr auto where = "training::train";
    require(steps >= 0, where, "steps must not be negative", steps);
    require(episodes >= 0, where, "episodes must not be negative", episodes);
    require(steps > 0 || episodes > 0, where, "a run needs a budget: steps or episodes must be positive", steps);
    require(evaluate_every >= 0, where, "evaluate_every must not be negative", evaluate_every);
    require(evaluation_episodes > 0, where, "evaluation_episodes must be positive", evaluation_episodes);
  }
};

/// What a run leaves behind, besides the agent.
template <class Parameters, class E>
struct RunResult {
  RunEnd end = RunEnd::Budget;  ///< why it ended
  /// @{
  /// Environment steps done, episodes ended.
  Index steps = 0, episodes = 0;
  /// @}
  double mean_return = RunStatus::none;  ///< over the last 100 training episodes
  double best_return = RunStatus::none;  ///< of the best evaluation (the later of equals; any number beats NaN)
  Index best_step = 0;                   ///< when it was
  [[no_unique_address]] Parameters
      best_parameters{};  ///< the agent's parameters then; empty if there was no evaluation
  E environment;          ///< as the run left it, with what its wrappers learned
};

/// What an environment's steps look like to an agent.
template <class E>
using TransitionOf =
    Transition<Action<E>, std::conditional_t<std::same_as<ObservationSpace<E>, Box>, ConstVectorRef<float>, Index>>;

namespace detail {

struct NoParameters {};

template <class Agent>
auto parameters_of(const Agent& agent) {
  if constexpr (requires { agent.parameters(); })
    return std::remove_cvref_t<decltype(agent.parameters())>(agent.parameters());
  else return NoParameters{};
}

/// Mean of the last 100 values.
class RecentMean {
 public:
  void add(double value) {
    values_[count_++ % values_.size()] = value;
    const std::size_t kept = std::min(count_, values_.size());
    mean_ = std::accumulate(values_.begin(), values_.begin() + static_cast<std::ptrdiff_t>(kept), 0.0) /
            static_cast<double>(kept);
  }
  double mean() const { return mean_; }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("values", self.values_);
    visit("count", self.count_);
    visit("mean", self.mean_);
  }

 private:
  std::array<double, 100> values_{};
  std::size_t count_ = 0;
  double mean_ = RunStatus::none;
};

/// Everything that changes during a run, for checkpoints: agent, environment, generators, counts, and the callbacks that
/// name their state.
template <class Agent, class E, class... Callbacks>
struct RunState {
  using Identity = std::tuple<Agent, E>;  // what must be the same in a run that takes it up; callbacks may be others
  using Parameters = decltype(parameters_of(std::declval<const Agent&>()));
  using Learned = typename decltype(std::declval<Agent&>().observe(std::declval<const TransitionOf<E>&>(),
                                                                   std::declval<Rng&>()))::value_type;

  RunState(Agent& trained, E environment, const RunOptions& chosen, Callbacks&... given)
      : agent(trained),
        options(chosen),
        callbacks(given...),
        result{.environment = std::move(environment)},
        environment_rng(chosen.seed, streams::environment),
        agent_rng(chosen.seed, streams::agent),
        observation(make_observation(result.environment)) {}

  /// What a run that takes up a checkpoint must share with it. The budget is not among it: a run may be prolonged.
  std::map<std::string, std::string> settings() const {
    return {{"seed", std::to_string(options.seed)},
            {"evaluate_every", std::to_string(options.evaluate_every)},
            {"evaluation_episodes", std::to_string(options.evaluation_episodes)}};
  }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("agent", self.agent);
    visit("environment", self.result.environment);
    visit("environment_rng", self.environment_rng);
    visit("agent_rng", self.agent_rng);
    visit("observation", self.observation);
    visit("status", self.status);
    for (auto& [name, value] : self.metrics) visit(std::string("metrics.") + name, value);
    visit("recent_returns", self.recent);
    visit("episode_return", self.episode_return);
    visit("episode_length", self.episode_length);
    visit("evaluated_at", self.evaluated_at);
    visit("best_step", self.result.best_step);
    visit("best_parameters", self.result.best_parameters);
    std::apply(
        [&, index = 0](auto&... callback) mutable {
          const auto one = [&](auto& c) {
            if constexpr (Visitable<std::remove_cvref_t<decltype(c)>>) visit("callback" + std::to_string(index), c);
            ++index;
          };
          (one(callback), ...);
        },
        self.callbacks);
  }

  /// What is left of the run when it is over.
  RunResult<Parameters, E> finish() {
    result.end = *status.end;
    result.steps = status.step;
    result.episodes = status.episode;
    result.mean_return = status.mean_return;
    result.best_return = status.best_return;
    return std::move(result);
  }

  Agent& agent;
  const RunOptions& options;
  std::tuple<Callbacks&...> callbacks;
  RunResult<Parameters, E> result;  // with the environment
  Rng environment_rng, agent_rng;
  Observation<E> observation;
  RunStatus status{};
  decltype(Learned{}.metrics()) metrics = Learned{}.metrics();
  RecentMean recent{};
  double episode_return = 0.0;
  Index episode_length = 0, evaluated_at = 0;
};

}  // namespace detail

}  // namespace mellow::training

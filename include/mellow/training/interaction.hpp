// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <map>
#include <numeric>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <mellow/core/environment.hpp>
#include <mellow/core/mask_reader.hpp>
#include <mellow/data/transition.hpp>
#include <mellow/training/evaluate.hpp>
#include <mellow/training/loop.hpp>

namespace mellow::training {

/// What an environment's steps look like to an agent.
template <class E>
using TransitionOf =
    Transition<Action<E>, std::conditional_t<std::same_as<ObservationSpace<E>, Box>, ConstVectorRef<float>, Index>>;

namespace detail {

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

/// Throws Error for an observation with a number that is not finite; `when` says which.
template <class Observation>
void require_finite(const Observation& observation, std::string_view when, Index number) {
  if constexpr (!std::integral<Observation>)
    for (Index i = 0; i < observation.size(); ++i)
      if (!std::isfinite(observation[i]))
        throw Error("training::train", fmt::format("number {} of the observation {} {} is not finite", i, when, number),
                    observation[i]);
}

/// An agent that learns in an environment: the process of `train`.
template <class Agent, class E>
class Interaction {
 public:
  using Identity = std::tuple<Agent, E>;
  using Parameters = decltype(parameters_of(std::declval<const Agent&>()));
  using Learned = typename decltype(std::declval<Agent&>().observe(std::declval<const TransitionOf<E>&>(),
                                                                   std::declval<Rng&>()))::value_type;

  Interaction(Agent& agent, E environment, std::uint64_t seed)
      : agent_(agent),
        environment_(std::move(environment)),
        environment_rng_(seed, streams::environment),
        agent_rng_(seed, streams::agent),
        observation_(make_observation(environment_)),
        next_observation_(observation_),
        masks_(environment_) {}

  void begin() { reset(1); }
  void resume() { mask_ = masks_.of(environment_); }

  auto step(const RunStatus& status) {
    const Action<E> action = act<E>(agent_, observation_, agent_rng_, mask_);
    step_ = environment_.step(action, environment_rng_);
    if (!std::isfinite(step_.reward))
      throw Error("training::train", fmt::format("the reward of step {} is not finite", status.step + 1), step_.reward);
    environment_.observe(next_observation_);
    require_finite(next_observation_, "after step", status.step + 1);
    mask_ = masks_.of(environment_);
    const auto learned = agent_.observe(TransitionOf<E>{observation_, action, step_.reward, next_observation_,
                                                        step_.terminated, step_.truncated, mask_},
                                        agent_rng_);
    std::swap(observation_, next_observation_);
    episode_return_ += reported_reward(environment_, step_);
    ++episode_length_;
    return learned;
  }

  bool episode_ended() const { return step_.terminated || step_.truncated; }

  void end_episode(RunStatus& status) {
    recent_.add(episode_return_);
    status.episode_return = std::exchange(episode_return_, 0.0);
    status.episode_length = std::exchange(episode_length_, 0);
    status.mean_return = recent_.mean();
  }

  void begin_episode(const RunStatus& status) {
    reset(status.episode + 1);
    resume();
  }

  double evaluate(const RunOptions& options) {
    return mean(
        training::evaluate(agent_, environment_, options.evaluation_episodes, Rng(options.seed, streams::evaluation)));
  }

  Parameters parameters() const { return parameters_of(agent_); }

  std::map<std::string, std::string> settings(const RunOptions& options) const {
    return {{"evaluation_episodes", std::to_string(options.evaluation_episodes)}};
  }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("agent", self.agent_);
    visit("environment", self.environment_);
    visit("environment_rng", self.environment_rng_);
    visit("agent_rng", self.agent_rng_);
    visit("observation", self.observation_);
    visit("recent_returns", self.recent_);
    visit("episode_return", self.episode_return_);
    visit("episode_length", self.episode_length_);
  }

  E& environment() { return environment_; }

 private:
  void reset(Index episode) {
    environment_.reset(environment_rng_);
    environment_.observe(observation_);
    require_finite(observation_, "that begins episode", episode);
  }

  Agent& agent_;
  E environment_;
  Rng environment_rng_, agent_rng_;
  Observation<E> observation_, next_observation_;
  MaskReader<E> masks_;
  ActionMask mask_{};
  Step step_{};
  RecentMean recent_{};
  double episode_return_ = 0.0;
  Index episode_length_ = 0;
};

}  // namespace detail

}  // namespace mellow::training

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <numeric>
#include <vector>

#include <mellow/core/environment.hpp>
#include <mellow/core/mask_reader.hpp>

namespace mellow::training {

/// Streams of a run's seed, so that what is drawn for one purpose never moves another: `Rng(seed, streams::test)`.
namespace streams {
inline constexpr std::uint64_t environment = 1;  ///< training episodes
inline constexpr std::uint64_t agent = 2;        ///< exploration and replay
inline constexpr std::uint64_t evaluation = 3;   ///< evaluations during a run: the same episodes each time
inline constexpr std::uint64_t test = 4;         ///< fresh episodes after a run
}  // namespace streams

/// An observation of environment E that can be written to.
template <class E>
Observation<E> make_observation(const E& environment) {
  if constexpr (std::same_as<ObservationSpace<E>, Box>)
    return Observation<E>(Observation<E>::Zero(environment.observation_space().size()));
  else return Observation<E>{};
}

namespace detail {

/// The reward by which an agent is judged.
template <class E>
double reported_reward([[maybe_unused]] const E& environment, const Step& step) {
  if constexpr (RescalesRewards<E>) return environment.original_reward();
  else return step.reward;
}

template <class E, class Agent>
Action<E> greedy(Agent& agent, const Observation<E>& observation, [[maybe_unused]] ActionMask mask) {
  if constexpr (MaskedEnvironment<E>) return agent.greedy(observation, mask);
  else return agent.greedy(observation);
}

template <class E, class Agent>
Action<E> act(Agent& agent, const Observation<E>& observation, Rng& rng, [[maybe_unused]] ActionMask mask) {
  if constexpr (MaskedEnvironment<E>) return agent.act(observation, rng, mask);
  else return agent.act(observation, rng);
}

}  // namespace detail

/// Undiscounted returns of an agent's greedy policy over whole episodes. An episode is cut after `longest` steps.
template <class Agent, class E>
std::vector<double> evaluate(Agent& agent, E environment, Index episodes, Rng rng, Index longest = 100'000) {
  std::vector<double> returns;
  if constexpr (require_environment<E>()) {
    require(episodes > 0, "training::evaluate", "episodes must be positive", episodes);
    Observation<E> observation = make_observation(environment);
    MaskReader<E> masks(environment);
    for (Index episode = 0; episode < episodes; ++episode) {
      environment.reset(rng);
      double total = 0.0;
      Step step;
      for (Index i = 0; i < longest && !step.terminated && !step.truncated; ++i) {
        environment.observe(observation);
        step = environment.step(detail::greedy<E>(agent, observation, masks.of(environment)), rng);
        total += detail::reported_reward(environment, step);
      }
      returns.push_back(total);
    }
  }
  return returns;
}

/// Arithmetic mean of a non-empty list.
inline double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace mellow::training

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

#include <mellow/core/numpy_generator.hpp>
#include <mellow/environments/time_limit.hpp>

#include "support/catch.hpp"

/// Expects |x - expected| <= tolerance (1 + |expected|) in every number of a state.
template <std::size_t size>
void expect_state(const std::array<double, size>& state, const std::array<double, size>& expected, double tolerance) {
  for (std::size_t i = 0; i < size; ++i)
    CHECK(std::abs(state[i] - expected[i]) <= tolerance * (1 + std::abs(expected[i])));
}

/// How an episode went.
struct Episode {
  double total = 0.0;  ///< undiscounted return
  mellow::Index steps = 0;
  bool terminated = false, truncated = false;
};

/// Plays one episode from Gymnasium's reset(seed) on: `policy(state)` gives an action.
template <class E, class Policy>
Episode play(mellow::environments::TimeLimit<E>& environment, std::uint64_t seed, Policy policy) {
  mellow::NumpyGenerator rng(seed);
  environment.reset(rng);
  Episode episode;
  while (!episode.terminated && !episode.truncated) {
    const mellow::Step step = environment.step(policy(environment.unwrapped().state()), rng);
    episode = {episode.total + step.reward, episode.steps + 1, step.terminated, step.truncated};
  }
  return episode;
}

/// Mean, standard deviation and extremes of some returns.
struct Summary {
  template <class Returns>
  explicit Summary(const Returns& returns) {
    double squares = 0.0;
    for (const double x : returns) mean += x / static_cast<double>(returns.size());
    for (const double x : returns) squares += (x - mean) * (x - mean);
    deviation = std::sqrt(squares / static_cast<double>(returns.size()));
    standard_error = deviation / std::sqrt(static_cast<double>(returns.size()));
    const auto [low, high] = std::minmax_element(returns.begin(), returns.end());
    smallest = *low;
    largest = *high;
  }
  double mean = 0.0, deviation = 0.0, standard_error = 0.0, smallest = 0.0, largest = 0.0;
};

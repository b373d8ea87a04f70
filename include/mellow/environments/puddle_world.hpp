// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include <mellow/core/environment.hpp>
#include <mellow/environments/state_array.hpp>

namespace mellow::environments {

/// Puddle world (Boyan & Moore 1995, with Sutton's 1996 numbers): cross a square with noisy steps around two puddles.
///
/// Observation (2): a place in [0, 1]^2. Actions: 0 right, 1 up, 2 left, 3 down, each by 0.05; normal noise of
/// deviation 0.01 on both coordinates; clipped to the square. The puddles are the places within 0.1 of the segments
/// (0.1, 0.75) to (0.45, 0.75) and (0.45, 0.4) to (0.45, 0.8); depth = 0.1 - distance. Reward at the new place: -1 -
/// 400 depth (of the deeper puddle), or 0 in the goal, x + y > 1.9, which terminates. Usually undiscounted and limited
/// to 1000 steps.
///
/// A smooth cost that linear features fit; RectanglePuddleWorld has a flat one and goals to transfer between.
class PuddleWorld : public StateArray<2> {
 public:
  /// @{
  /// Length of a move, deviation of its noise.
  static constexpr double stride = 0.05, noise = 0.01;
  /// @}
  static constexpr double radius = 0.1;  ///< of the puddles: depth at their middle

  Box observation_space() const { return {2, 0.0f, 1.0f}; }  ///< the unit square
  Discrete action_space() const { return Discrete(4); }      ///< right, up, left, down

  /// Starts uniformly in the square, outside of the goal.
  template <class Generator>
  void reset(Generator& rng) {
    do {
      state_[0] = rng.uniform(0.0, 1.0);
      state_[1] = rng.uniform(0.0, 1.0);
    } while (in_goal(state_));
  }

  /// Moves once: two normal draws.
  template <class Generator>
  Step step(Index action, Generator& rng) {
    state_[action % 2] += action < 2 ? stride : -stride;
    for (double& x : state_) x = std::clamp(x + rng.normal(0.0, noise), 0.0, 1.0);
    const bool over = in_goal(state_);
    return {.reward = over ? 0.0 : -1.0 - 400.0 * depth(state_), .terminated = over};
  }

  /// Returns whether a place lies in the goal.
  static bool in_goal(const State& place) { return place[0] + place[1] > 1.9; }

  /// Returns how deep the water is at a place: in [0, 0.1], 0 outside of the puddles.
  static double depth(const State& place) {
    const auto [x, y] = place;
    const double to_first = std::hypot(x - std::clamp(x, 0.1, 0.45), y - 0.75);
    const double to_second = std::hypot(x - 0.45, y - std::clamp(y, 0.4, 0.8));
    return std::max(0.0, radius - std::min(to_first, to_second));
  }

  /// Writes x and y.
  void observe(VectorRef<float> out) const { out << static_cast<float>(state_[0]), static_cast<float>(state_[1]); }
};

}  // namespace mellow::environments

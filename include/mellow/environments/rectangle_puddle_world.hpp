// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include <mellow/core/environment.hpp>
#include <mellow/environments/state_array.hpp>

namespace mellow::environments {

/// The puddle world of simple_rl (Abel 2019): rectangular puddles and a goal in one of the corners.
///
/// Observation (2): a place in [0, 1]^2 of five decimals; starts at (0.25, 0.6). Actions: 0 up, 1 down, 2 left, 3
/// right, each by 0.05 and normal noise of deviation 0.01 along the same axis; clipped to the square. Puddles: [0.1,
/// 0.55] x [0.6, 0.8] and [0.3, 0.55] x [0.4, 0.6], borders included. Reward of acting at a place: 1 - 0.001 where the
/// move without its noise enters the goal, within 0.1 of its corner, which terminates; else -1 in a puddle; else
/// -0.001. Its studies discount by 0.99.
///
/// Goals may differ between tasks while dynamics stay, as transfer studies want; PuddleWorld has the classic smooth
/// cost.
class RectanglePuddleWorld : public StateArray<2> {
 public:
  /// @{
  /// Length of a move, deviation of its noise.
  static constexpr double stride = 0.05, noise = 0.01;
  /// @}
  static constexpr double step_cost = 0.001;  ///< of a step outside of the puddles
  static constexpr double goal_radius = 0.1;  ///< of the goal around its corner

  RectanglePuddleWorld() = default;  ///< with the goal in the corner (1, 1)

  /// `goal`: the place around which the goal lies, in [0, 1]^2. Throws Error where it is outside.
  explicit RectanglePuddleWorld(const State& goal) : goal_(goal) {
    for (const double x : goal)
      require(x >= 0.0 && x <= 1.0, "RectanglePuddleWorld", "the goal must lie in the unit square", x);
  }

  Box observation_space() const { return {2, 0.0f, 1.0f}; }  ///< the unit square
  Discrete action_space() const { return Discrete(4); }      ///< up, down, left, right

  /// Starts at (0.25, 0.6). Draws nothing.
  template <class Generator>
  void reset(Generator&) {
    state_ = {0.25, 0.6};
  }

  /// Moves once: one normal draw.
  template <class Generator>
  Step step(Index action, Generator& rng) {
    const bool over = enters_goal(state_, action);
    const double reward = over ? 1.0 - step_cost : in_puddle(state_) ? -1.0 : -step_cost;
    double& x = state_[axis(action)];
    x = std::clamp(x + direction(action) * (stride + rng.normal(0.0, noise)), 0.0, 1.0);
    x = std::round(x * 1e5) / 1e5;
    return {.reward = reward, .terminated = over};
  }

  /// Returns whether a place lies in a puddle.
  static bool in_puddle(const State& place) {
    const auto [x, y] = place;
    return (x >= 0.1 && x <= 0.55 && y >= 0.6 && y <= 0.8) || (x >= 0.3 && x <= 0.55 && y >= 0.4 && y <= 0.6);
  }

  /// Writes x and y.
  void observe(VectorRef<float> out) const { out << static_cast<float>(state_[0]), static_cast<float>(state_[1]); }

  const State& goal() const { return goal_; }  ///< the goal's corner

 private:
  static std::size_t axis(Index action) { return action < 2 ? 1 : 0; }
  static double direction(Index action) { return action == 0 || action == 3 ? 1.0 : -1.0; }

  bool at_goal(const State& place) const { return std::hypot(place[0] - goal_[0], place[1] - goal_[1]) <= goal_radius; }
  bool enters_goal(const State& place, Index action) const {
    State next = place;
    next[axis(action)] += direction(action) * stride;
    return !at_goal(place) && at_goal(next);
  }

  State goal_{1.0, 1.0};
};

}  // namespace mellow::environments

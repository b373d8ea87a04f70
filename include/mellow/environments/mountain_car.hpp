// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include <mellow/core/environment.hpp>
#include <mellow/environments/angles.hpp>
#include <mellow/environments/mountain_car_hill.hpp>

namespace mellow::environments {

/// Mountain car as in Gymnasium's MountainCar-v0 without its time limit (Moore 1990): a car too weak for the slope must
/// swing back to gain speed.
///
/// Observation (2): position in [-1.2, 0.6], velocity in [-0.07, 0.07]. Actions: 0, 1, 2 push left, not, right.
///
///     velocity += 0.001 (action - 1) - 0.0025 cos(3 position);    position += velocity
///
/// both clipped; the left wall stops the car. Reward -1 a step, the last one included; terminated when position >= 0.5
/// and velocity >= 0. Gymnasium's limit is 200 steps, its reward threshold -110.
///
/// Small enough for tables and tile coding, and hard for exploration by single random actions.
class MountainCar : public MountainCarHill {
 public:
  static constexpr double goal = 0.5;  ///< position of the flag

  Discrete action_space() const { return Discrete(3); }  ///< left, none, right

  /// Pushes once. Draws nothing.
  template <class Generator>
  Step step(Index action, Generator&) {
    return advance(state_, action);
  }

  /// Steps `state` in place: what `step` does, for any state.
  Step advance(State& state, Index action) const {
    auto& [position, velocity] = state;
    const double push = static_cast<double>(action - 1) * 0.001 - 0.0025 * sin_cos(3.0 * position).cos;
    move(state, push, [](double x) { return x; });
    return {.reward = -1.0, .terminated = std::min(position - goal, velocity) >= 0.0};
  }
};

}  // namespace mellow::environments

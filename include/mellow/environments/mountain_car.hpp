// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>

#include <mellow/core/environment.hpp>
#include <mellow/environments/angles.hpp>

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
class MountainCar {
 public:
  using State = std::array<double, 2>;  ///< position, velocity

  /// @{
  /// Bounds of position and velocity.
  static constexpr double left = -1.2, right = 0.6, speed_limit = 0.07;
  /// @}
  static constexpr double goal = 0.5;  ///< position of the flag

  /// Returns the bounds of position and velocity.
  Box observation_space() const {
    constexpr auto speed = static_cast<float>(speed_limit);
    return {Eigen::Vector2f(static_cast<float>(left), -speed), Eigen::Vector2f(static_cast<float>(right), speed)};
  }
  Discrete action_space() const { return Discrete(3); }  ///< left, none, right

  /// Starts at rest with the position uniform in [-0.6, -0.4).
  template <class Generator>
  void reset(Generator& rng) {
    state_ = {rng.uniform(-0.6, -0.4), 0.0};
  }

  /// Pushes once. Draws nothing.
  template <class Generator>
  Step step(Index action, Generator&) {
    return advance(state_, action);
  }

  /// Steps `state` in place: what `step` does, for any state.
  Step advance(State& state, Index action) const {
    auto& [position, velocity] = state;
    velocity += static_cast<double>(action - 1) * 0.001 - 0.0025 * sin_cos(3.0 * position).cos;
    velocity = std::clamp(velocity, -speed_limit, speed_limit);
    position = std::clamp(position + velocity, left, right);
    velocity = std::max(velocity, position == left ? 0.0 : -speed_limit);  // so written, a loop over it vectorises
    return {.reward = -1.0, .terminated = std::min(position - goal, velocity) >= 0.0};
  }

  /// Writes position and velocity.
  void observe(VectorRef<float> out) const { out = Eigen::Map<const Vector<float>>(observation(state_).data(), 2); }

  /// Returns what `observe` writes, for any state.
  static std::array<float, 2> observation(const State& state) {
    return {static_cast<float>(state[0]), static_cast<float>(state[1])};
  }

  const State& state() const { return state_; }           ///< position, velocity
  void set_state(const State& state) { state_ = state; }  ///< goes on from `state`

  /// Names the state.
  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("state", self.state_);
  }

 private:
  State state_{};
};

}  // namespace mellow::environments

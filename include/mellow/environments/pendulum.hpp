// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <numbers>

#include <mellow/core/environment.hpp>
#include <mellow/environments/angles.hpp>
#include <mellow/environments/state_array.hpp>

namespace mellow::environments {

/// Pendulum as in Gymnasium's Pendulum-v1 without its time limit: swing a pendulum up and keep it there with a motor
/// too weak to lift it at once.
///
/// State: angle (0 is upright; not wrapped) and angular velocity. Observation (3): cosine, sine, angular velocity.
/// Action (1): a torque, clipped to [-2, 2]. Reward -(angle^2 + 0.1 velocity^2 + 0.001 torque^2) of the state before
/// the step, the angle wrapped into [-pi, pi]: in [-16.2736044, 0]. Never terminates; Gymnasium truncates after 200
/// steps and names no threshold: good agents return about -150. The torque and its two products are rounded to float,
/// as NumPy 2 does.
///
/// The smallest task with a continuous action and a dense reward.
class Pendulum : public StateArray<2> {
 public:
  static constexpr double speed_limit = 8.0;   ///< bound of the angular velocity, rad/s
  static constexpr float torque_limit = 2.0f;  ///< bound of the torque

  /// Returns [-1, 1] for cosine and sine, [-8, 8] for the velocity.
  Box observation_space() const {
    constexpr auto speed = static_cast<float>(speed_limit);
    return {{-1.0f, -1.0f, -speed}, {1.0f, 1.0f, speed}};
  }
  Box action_space() const { return {1, -torque_limit, torque_limit}; }  ///< a torque

  /// Starts with the angle uniform in [-pi, pi), the velocity in [-1, 1).
  template <class Generator>
  void reset(Generator& rng) {
    state_[0] = rng.uniform(-std::numbers::pi, std::numbers::pi);
    state_[1] = rng.uniform(-1.0, 1.0);
  }

  /// Applies a torque for 0.05 s. Draws nothing.
  template <class Generator>
  Step step(const ConstVectorRef<float>& action, Generator&) {
    assert(action.size() == 1);
    return advance(state_, action[0]);
  }

  /// Steps `state` in place: what `step` does, for any state.
  Step advance(State& state, float action) const {
    constexpr double time_step = 0.05;
    auto& [angle, speed] = state;
    const float torque = std::clamp(action, -torque_limit, torque_limit);
    const double from_upright = wrap_angle(angle);
    const double cost = from_upright * from_upright + 0.1 * (speed * speed) + 0.001f * (torque * torque);
    speed = std::clamp(speed + (15.0 * sin_cos(angle).sin + 3.0f * torque) * time_step, -speed_limit, speed_limit);
    angle += speed * time_step;  // semi-implicit: the new velocity
    return {.reward = -cost};
  }

  /// Writes cosine and sine of the angle, and the angular velocity.
  void observe(VectorRef<float> out) const { out = Eigen::Map<const Vector<float>>(observation(state_).data(), 3); }

  /// Returns what `observe` writes, for any state.
  static std::array<float, 3> observation(const State& state) {
    const SinCos angle = sin_cos(state[0]);
    return {static_cast<float>(angle.cos), static_cast<float>(angle.sin), static_cast<float>(state[1])};
  }
};

}  // namespace mellow::environments

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include <mellow/core/environment.hpp>
#include <mellow/core/numerics.hpp>
#include <mellow/environments/angles.hpp>
#include <mellow/environments/square.hpp>
#include <mellow/environments/state_array.hpp>

namespace mellow::environments {

/// Acrobot as in Gymnasium's Acrobot-v1 without its time limit (Sutton 1996): swing the free end of two hanging links
/// above the bar by a torque at the joint between them.
///
/// State: angle of the first link (0 hangs down), angle of the second relative to the first, and their angular
/// velocities. Observation (6): cosine and sine of either angle, the velocities. Actions: 0, 1, 2 are torques -1, 0, 1.
/// One Runge-Kutta step of 0.2 s of the dynamics of Sutton & Barto's book; angles are wrapped into [-pi, pi],
/// velocities clipped to 4 pi and 9 pi. Reward -1 a step and 0 on the last; terminated when
/// -cos(angle 1) - cos(angle 1 + angle 2) > 1. Gymnasium's limit is 500 steps, its reward threshold -100.
///
/// A delayed reward that exploration by single random actions rarely finds; MountainCar asks the same in two
/// dimensions.
class Acrobot : public StateArray<4> {
 public:
  /// @{
  /// Bounds of the angular velocities, rad/s.
  static constexpr double speed_limit_1 = 4 * std::numbers::pi, speed_limit_2 = 9 * std::numbers::pi;
  /// @}

  /// Returns [-1, 1] for cosines and sines, and the velocities' bounds.
  Box observation_space() const {
    constexpr auto speed_1 = static_cast<float>(speed_limit_1), speed_2 = static_cast<float>(speed_limit_2);
    return {{-1.0f, -1.0f, -1.0f, -1.0f, -speed_1, -speed_2}, {1.0f, 1.0f, 1.0f, 1.0f, speed_1, speed_2}};
  }
  Discrete action_space() const { return Discrete(3); }  ///< torques -1, 0, 1

  /// Starts with each state variable uniform in [-0.1, 0.1), rounded to float as Gymnasium's reset does.
  template <class Generator>
  void reset(Generator& rng) {
    for (double& x : state_) x = rounded_to_float(rng.uniform(-0.1, 0.1));
  }

  /// Applies a torque for 0.2 s. Draws nothing.
  template <class Generator>
  Step step(Index action, Generator&) {
    return advance(state_, action);
  }

  /// Steps `state` in place: what `step` does, for any state. Flattened: the four derivatives are inlined.
  [[gnu::flatten]] Step advance(State& state, Index action) const {
    constexpr double h = 0.2;
    const double torque = static_cast<double>(action - 1);
    const State k1 = derivative(state, torque);
    const State k2 = derivative(moved(state, 0.5 * h, k1), torque);
    const State k3 = derivative(moved(state, 0.5 * h, k2), torque);
    const State k4 = derivative(moved(state, h, k3), torque);
    const auto slope = [&](std::size_t i) { return k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]; };
    state = {wrap_angle(state[0] + h / 6.0 * slope(0)), wrap_angle(state[1] + h / 6.0 * slope(1)),
             std::clamp(state[2] + h / 6.0 * slope(2), -speed_limit_1, speed_limit_1),
             std::clamp(state[3] + h / 6.0 * slope(3), -speed_limit_2, speed_limit_2)};
    const bool over = -std::cos(state[0]) - std::cos(state[0] + state[1]) > 1.0;
    return {.reward = over ? 0.0 : -1.0, .terminated = over};
  }

  /// Writes cos(angle 1), sin(angle 1), cos(angle 2), sin(angle 2) and the angular velocities.
  void observe(VectorRef<float> out) const { out = Eigen::Map<const Vector<float>>(observation(state_).data(), 6); }

  /// Returns what `observe` writes, for any state.
  static std::array<float, 6> observation(const State& state) {
    const SinCos first = sin_cos(state[0]), second = sin_cos(state[1]);
    return {static_cast<float>(first.cos),  static_cast<float>(first.sin), static_cast<float>(second.cos),
            static_cast<float>(second.sin), static_cast<float>(state[2]),  static_cast<float>(state[3])};
  }

 private:
  static State moved(const State& state, double time, const State& rate) {
    return {state[0] + time * rate[0], state[1] + time * rate[1], state[2] + time * rate[2], state[3] + time * rate[3]};
  }

  /// d state / dt with links of mass 1, length 1, centre of mass at 0.5 and inertia 1. By the C library's functions, as
  /// Gymnasium: the motion is chaotic, and a last bit that differs grows to whole radians within an episode.
  static State derivative(const State& state, double torque) {
    constexpr double g = 9.8;
    const auto& [angle_1, angle_2, speed_1, speed_2] = state;
    constexpr double right_angle = std::numbers::pi / 2.0;
    const double cos_2 = std::cos(angle_2), sin_2 = std::sin(angle_2);
    const double d1 = 0.25 + (1.0 + 0.25 + cos_2) + 1.0 + 1.0;
    const double d2 = 0.25 + 0.5 * cos_2 + 1.0;
    const double phi2 = 0.5 * g * std::cos(angle_1 + angle_2 - right_angle);
    const double phi1 = -0.5 * square_as_power(speed_2) * sin_2 - speed_2 * speed_1 * sin_2 +
                        1.5 * g * std::cos(angle_1 - right_angle) + phi2;
    const double rate_2 = (torque + d2 / d1 * phi1 - 0.5 * square_as_power(speed_1) * sin_2 - phi2) /
                          (0.25 + 1.0 - square_as_power(d2) / d1);
    const double rate_1 = -(d2 * rate_2 + phi1) / d1;
    return {speed_1, speed_2, rate_1, rate_2};
  }
};

}  // namespace mellow::environments

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cassert>
#include <cmath>
#include <limits>
#include <numbers>

#include <mellow/core/environment.hpp>

namespace mellow::environments {

/// CartPole as in Gymnasium's CartPole-v1 without its time limit (Barto, Sutton & Anderson 1983): balance a pole on a
/// cart.
///
/// Observation (4): position, velocity, pole angle (rad), angular velocity. Actions: 0 pushes left, 1 right. Reward 1 a
/// step, the last one included; terminated when |position| > 2.4 or |angle| > 12 degrees. Arithmetic in double;
/// observations in float.
class CartPole {
 public:
  static constexpr double position_limit = 2.4, angle_limit = 12.0 * 2.0 * std::numbers::pi / 360.0;

  Box observation_space() const {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    const Eigen::Vector4f high(static_cast<float>(2 * position_limit), infinity, static_cast<float>(2 * angle_limit),
                               infinity);
    return {-high, high};
  }
  Discrete action_space() const { return Discrete(2); }

  /// Starts with each of the four state variables uniform in [-0.05, 0.05). With a NumpyGenerator: as Gymnasium's
  /// reset.
  template <class Generator>
  void reset(Generator& rng) {
    for (double& x : state_) x = rng.uniform(-0.05, 0.05);
  }

  template <class Generator>
  Step step(Index action, Generator&) {
    assert(action == 0 || action == 1);
    auto& [x, velocity, angle, spin] = state_;
    const double force = action == 1 ? motor_force : -motor_force;
    const double cosine = std::cos(angle), sine = std::sin(angle);
    const double push = (force + pole_moment * spin * spin * sine) / total_mass;
    const double spin_rate =
        (gravity * sine - cosine * push) / (half_length * (4.0 / 3.0 - pole_mass * cosine * cosine / total_mass));
    const double acceleration = push - pole_moment * spin_rate * cosine / total_mass;
    x += time_step * velocity;  // explicit Euler: positions use the old velocities
    velocity += time_step * acceleration;
    angle += time_step * spin;
    spin += time_step * spin_rate;
    return {.reward = 1.0, .terminated = std::abs(x) > position_limit || std::abs(angle) > angle_limit};
  }

  void observe(VectorRef<float> out) const {
    for (Index i = 0; i < 4; ++i) out[i] = static_cast<float>(state_[static_cast<std::size_t>(i)]);
  }

  const std::array<double, 4>& state() const { return state_; }
  void set_state(const std::array<double, 4>& state) { state_ = state; }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("state", self.state_);
  }

 private:
  static constexpr double gravity = 9.8, pole_mass = 0.1, total_mass = 1.1, half_length = 0.5,
                          pole_moment = pole_mass * half_length, motor_force = 10.0, time_step = 0.02;
  std::array<double, 4> state_{};
};

}  // namespace mellow::environments

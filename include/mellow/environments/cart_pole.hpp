// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
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
  static constexpr double kPositionLimit = 2.4, kAngleLimit = 12.0 * 2.0 * std::numbers::pi / 360.0;

  Box observation_space() const {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    const Eigen::Vector4f high(static_cast<float>(2 * kPositionLimit), infinity, static_cast<float>(2 * kAngleLimit),
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
    auto& [x, velocity, angle, spin] = state_;
    const double force = action == 1 ? kForce : -kForce;
    const double cosine = std::cos(angle), sine = std::sin(angle);
    const double push = (force + kPoleMoment * spin * spin * sine) / kTotalMass;
    const double spin_rate =
        (kGravity * sine - cosine * push) / (kHalfLength * (4.0 / 3.0 - kPoleMass * cosine * cosine / kTotalMass));
    const double acceleration = push - kPoleMoment * spin_rate * cosine / kTotalMass;
    x += kStep * velocity;  // explicit Euler: positions use the old velocities
    velocity += kStep * acceleration;
    angle += kStep * spin;
    spin += kStep * spin_rate;
    return {.reward = 1.0, .terminated = std::abs(x) > kPositionLimit || std::abs(angle) > kAngleLimit};
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
  static constexpr double kGravity = 9.8, kPoleMass = 0.1, kTotalMass = 1.1, kHalfLength = 0.5,
                          kPoleMoment = kPoleMass * kHalfLength, kForce = 10.0, kStep = 0.02;
  std::array<double, 4> state_{};
};

}  // namespace mellow::environments

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <limits>
#include <numbers>

#include <mellow/core/environment.hpp>
#include <mellow/environments/angles.hpp>

namespace mellow::environments {

/// How a cart-pole moves, fails and is rewarded. The defaults are Gymnasium's.
struct CartPoleOptions {
  /// How a time step is taken.
  enum class Integrator {
    Euler,        ///< positions move by the old velocities
    SemiImplicit  ///< velocities first, and positions by the new ones
  };

  double gravity = 9.8;                                        ///< m/s^2
  double cart_mass = 1.0;                                      ///< kg, > 0
  double pole_mass = 0.1;                                      ///< kg, > 0
  double half_length = 0.5;                                    ///< of the pole, m, > 0
  double force = 10.0;                                         ///< of a push, N
  double time_step = 0.02;                                     ///< s, > 0
  double position_limit = 2.4;                                 ///< fails beyond it, m, > 0
  double angle_limit = 12.0 * 2.0 * std::numbers::pi / 360.0;  ///< fails beyond it, rad, > 0
  Integrator integrator = Integrator::Euler;                   ///< of the equations of motion
  bool sutton_barto_reward = false;                            ///< 0 a step and -1 on failure, in place of 1 a step

  /// Throws Error where a number leaves its range.
  void validate() const {
    constexpr auto where = "CartPole";
    require(std::isfinite(gravity), where, "gravity must be finite", gravity);
    require(std::isfinite(force), where, "force must be finite", force);
    require(cart_mass > 0.0, where, "cart_mass must be positive", cart_mass);
    require(pole_mass > 0.0, where, "pole_mass must be positive", pole_mass);
    require(half_length > 0.0, where, "half_length must be positive", half_length);
    require(time_step > 0.0, where, "time_step must be positive", time_step);
    require(position_limit > 0.0, where, "position_limit must be positive", position_limit);
    require(angle_limit > 0.0, where, "angle_limit must be positive", angle_limit);
  }
};

/// CartPole as in Gymnasium's CartPole-v1 without its time limit (Barto, Sutton & Anderson 1983): balance a pole on a
/// cart.
///
/// Observation (4): position, velocity, pole angle (rad), angular velocity. Actions: 0 pushes left, 1 right. Reward 1 a
/// step, the last one included; terminated when |position| > 2.4 or |angle| > 12 degrees. Stepped on after that it goes
/// on paying, where Gymnasium warns and pays 0. Arithmetic in double; observations in float. Gymnasium's limit is 500
/// steps, its reward threshold 475.
///
/// The task to try an agent on first: dense reward, short episodes, learned in seconds.
class CartPole {
 public:
  using State = std::array<double, 4>;  ///< position, velocity, angle, angular velocity

  CartPole() = default;  ///< Gymnasium's

  /// Throws Error where an option leaves its range.
  explicit CartPole(const CartPoleOptions& options) : options_(options) { options.validate(); }

  /// Returns twice the limits of position and angle, as Gymnasium does: with its options a step cannot leave them, with a
  /// far greater force or time step one can. Velocities are unbounded.
  Box observation_space() const {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    const auto position = static_cast<float>(2 * options_.position_limit);
    const auto angle = static_cast<float>(2 * options_.angle_limit);
    return {{-position, -infinity, -angle, -infinity}, {position, infinity, angle, infinity}};
  }
  Discrete action_space() const { return Discrete(2); }  ///< left, right

  /// Starts with each of the four state variables uniform in [-0.05, 0.05). With a NumpyGenerator: as Gymnasium's
  /// reset.
  template <class Generator>
  void reset(Generator& rng) {
    for (double& x : state_) x = rng.uniform(-0.05, 0.05);
  }

  /// Pushes for one time step. Draws nothing.
  template <class Generator>
  Step step(Index action, Generator&) {
    return advance(state_, action);
  }

  /// Steps `state` in place: what `step` does, for any state.
  Step advance(State& state, Index action) const {
    auto& [position, velocity, angle, spin] = state;
    const double total_mass = options_.pole_mass + options_.cart_mass;
    const double pole_moment = options_.pole_mass * options_.half_length;
    const double force = action == 1 ? options_.force : -options_.force;
    const auto [sine, cosine] = sin_cos(angle);
    const double push = (force + pole_moment * (spin * spin) * sine) / total_mass;
    const double spin_rate = (options_.gravity * sine - cosine * push) /
                             (options_.half_length * (4.0 / 3.0 - options_.pole_mass * (cosine * cosine) / total_mass));
    const double acceleration = push - pole_moment * spin_rate * cosine / total_mass;
    const double next_velocity = velocity + options_.time_step * acceleration;
    const double next_spin = spin + options_.time_step * spin_rate;
    const bool euler = options_.integrator == CartPoleOptions::Integrator::Euler;
    position += options_.time_step * (euler ? velocity : next_velocity);
    angle += options_.time_step * (euler ? spin : next_spin);
    velocity = next_velocity;
    spin = next_spin;
    const bool failed = std::abs(position) > options_.position_limit || std::abs(angle) > options_.angle_limit;
    return {.reward = options_.sutton_barto_reward ? (failed ? -1.0 : 0.0) : 1.0, .terminated = failed};
  }

  /// Writes the state.
  void observe(VectorRef<float> out) const { std::ranges::copy(observation(state_), out.data()); }

  /// Returns what `observe` writes, for any state.
  static std::array<float, 4> observation(const State& state) {
    return {static_cast<float>(state[0]), static_cast<float>(state[1]), static_cast<float>(state[2]),
            static_cast<float>(state[3])};
  }

  const State& state() const { return state_; }                ///< the state, as `State` orders it
  void set_state(const State& state) { state_ = state; }       ///< goes on from `state`
  const CartPoleOptions& options() const { return options_; }  ///< as given

  /// Names the state.
  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("state", self.state_);
  }

 private:
  CartPoleOptions options_;
  State state_{};
};

}  // namespace mellow::environments

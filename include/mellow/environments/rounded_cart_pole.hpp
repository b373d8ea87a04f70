// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <numbers>

#include <mellow/environments/cart_pole.hpp>

namespace mellow::environments {

/// The cart-pole of simple_rl (Abel 2019), whose gravity is varied to study transfer: CartPole's equations, velocities
/// first, on a grid of states.
///
/// Starts upright and at rest. After every step position, velocity and angular velocity are rounded to one decimal, the
/// angle to three. Reward 1 where the state before rounding is within |position| < 2.4 and |angle| < 20 degrees, else
/// -10; terminated where the rounded state is not within them. Observation and actions as CartPole's. Its studies limit
/// episodes to 200 steps, at a discount of 0.99.
///
/// For state abstraction and transfer between gravities; to learn to balance, choose CartPole.
class RoundedCartPole {
 public:
  using State = CartPole::State;  ///< position, velocity, angle, angular velocity

  RoundedCartPole() : RoundedCartPole(9.8) {}  ///< with the earth's gravity

  /// `gravity` in m/s^2.
  explicit RoundedCartPole(double gravity)
      : cart_pole_({.gravity = gravity,
                    .angle_limit = 20.0 * std::numbers::pi / 180.0,
                    .integrator = CartPoleOptions::Integrator::SemiImplicit}) {}

  Box observation_space() const { return cart_pole_.observation_space(); }  ///< as CartPole's
  Discrete action_space() const { return cart_pole_.action_space(); }       ///< left, right

  /// Starts upright and at rest. Draws nothing.
  template <class Generator>
  void reset(Generator&) {
    cart_pole_.set_state({});
  }

  /// Pushes for one time step. Draws nothing.
  template <class Generator>
  Step step(Index action, Generator&) {
    State state = cart_pole_.state();
    const Step result = advance(state, action);
    cart_pole_.set_state(state);
    return result;
  }

  /// Steps `state` in place: what `step` does, for any state.
  Step advance(State& state, Index action) const {
    cart_pole_.advance(state, action);
    const double reward = stands(state) ? 1.0 : -10.0;
    state = {std::nearbyint(state[0] * 10.0) / 10.0, std::nearbyint(state[1] * 10.0) / 10.0,
             std::nearbyint(state[2] * 1000.0) / 1000.0, std::nearbyint(state[3] * 10.0) / 10.0};
    return {.reward = reward, .terminated = !stands(state)};
  }

  /// Writes the state.
  template <class Out>
  void observe(Out&& out) const {
    cart_pole_.observe(out);
  }

  /// Returns what `observe` writes, for any state.
  static std::array<float, 4> observation(const State& state) { return CartPole::observation(state); }

  const State& state() const { return cart_pole_.state(); }            ///< the state, as `State` orders it
  void set_state(const State& state) { cart_pole_.set_state(state); }  ///< goes on from `state`

  /// Names the state.
  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("cart_pole", self.cart_pole_);
  }

 private:
  bool stands(const State& state) const {
    return std::abs(state[0]) < cart_pole_.options().position_limit &&
           std::abs(state[2]) < cart_pole_.options().angle_limit;
  }

  CartPole cart_pole_;
};

}  // namespace mellow::environments

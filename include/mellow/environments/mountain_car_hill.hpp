// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>

#include <mellow/core/environment.hpp>
#include <mellow/environments/state_array.hpp>

namespace mellow::environments {

/// The car and the valley that `MountainCar` and `MountainCarContinuous` share: where episodes start, what is observed,
/// and how the car moves. Its state: position and velocity.
class MountainCarHill : public StateArray<2> {
 public:
  /// @{
  /// Bounds of position and velocity.
  static constexpr double left = -1.2, right = 0.6, speed_limit = 0.07;
  /// @}

  /// Returns the bounds of position and velocity.
  Box observation_space() const {
    constexpr auto speed = static_cast<float>(speed_limit);
    return {{static_cast<float>(left), -speed}, {static_cast<float>(right), speed}};
  }

  /// Starts at rest with the position uniform in [-0.6, -0.4).
  template <class Generator>
  void reset(Generator& rng) {
    state_ = {rng.uniform(-0.6, -0.4), 0.0};
  }

  /// Writes position and velocity.
  void observe(VectorRef<float> out) const { std::ranges::copy(observation(state_), out.data()); }

  /// Returns what `observe` writes, for any state.
  static std::array<float, 2> observation(const State& state) {
    return {static_cast<float>(state[0]), static_cast<float>(state[1])};
  }

 protected:
  /// velocity += push, position += velocity, both clipped; the left wall stops the car. Every number is first `rounded`.
  template <class Round>
  static void move(State& state, double push, const Round& rounded) {
    auto& [position, velocity] = state;
    velocity = std::clamp(rounded(velocity + rounded(push)), rounded(-speed_limit), rounded(speed_limit));
    position = std::clamp(rounded(position + velocity), rounded(left), rounded(right));
    velocity =
        std::max(velocity, position == rounded(left) ? 0.0 : rounded(-speed_limit));  // so written, it vectorises
  }
};

}  // namespace mellow::environments

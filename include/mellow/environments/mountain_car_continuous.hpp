// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cassert>

#include <mellow/core/environment.hpp>
#include <mellow/core/numerics.hpp>
#include <mellow/environments/angles.hpp>
#include <mellow/environments/mountain_car_hill.hpp>

namespace mellow::environments {

/// Mountain car with a continuous push, as Gymnasium's MountainCarContinuous-v0 without its time limit.
///
/// Observation (2): position in [-1.2, 0.6], velocity in [-0.07, 0.07]. Action (1): a force, clipped to [-1, 1].
///
///     velocity += 0.0015 force - 0.0025 cos(3 position);    position += velocity
///
/// both clipped; the left wall stops the car. Reward -0.1 action^2 (unclipped), and 100 more on termination: when
/// position >= 0.45 and velocity >= 0. Gymnasium's limit is 999 steps, its reward threshold 90.
///
/// Gymnasium keeps the state in float once an episode has begun, and NumPy 2 then computes in float where no clipped
/// force takes part: so does this, to the bit but for the cosine. A state given by `set_state` is taken for one in
/// float if both its numbers are.
///
/// Standing still earns more than random pushes do, which traps many policy-gradient methods; Pendulum does not.
class MountainCarContinuous : public MountainCarHill {
 public:
  static constexpr double goal = 0.45;  ///< position of the flag

  Box action_space() const { return {1, -1.0f, 1.0f}; }  ///< a force

  /// Pushes once. Draws nothing.
  template <class Generator>
  Step step(const ConstVectorRef<float>& action, Generator&) {
    assert(action.size() == 1);
    return advance(state_, action[0]);
  }

  /// Steps `state` in place: what `step` does, for any state.
  Step advance(State& state, float action) const {
    auto& [position, velocity] = state;
    // A sum or product of floats, computed in double and rounded, has the bits of one computed in float.
    const bool single = rounded_to_float(position) == position && rounded_to_float(velocity) == velocity;
    const auto rounded = [single](double x) { return single ? rounded_to_float(x) : x; };
    const double slope = 0.0025 * sin_cos(rounded(3.0 * position)).cos;
    const bool clipped = action < -1.0f || action > 1.0f;
    const double in_range = rounded_to_float(static_cast<double>(action * 0.0015f) - rounded_to_float(slope));
    const double push = clipped ? (action > 0.0f ? 0.0015 : -0.0015) - slope : in_range;
    move(state, push, rounded);
    const bool terminated = std::min(position - rounded(goal), velocity) >= 0.0;
    position = rounded_to_float(position);
    velocity = rounded_to_float(velocity);
    const double effort = static_cast<double>(action) * static_cast<double>(action) * 0.1;
    return {.reward = (terminated ? 100.0 : 0.0) - effort, .terminated = terminated};
  }
};

}  // namespace mellow::environments

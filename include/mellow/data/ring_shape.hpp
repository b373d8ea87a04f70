// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include <mellow/core/error.hpp>
#include <mellow/core/types.hpp>

namespace mellow::data {

/// Throws Error, in the name of `where`, where a replay of `capacity` places cannot hold an observation of `stack` frames
/// and the `steps` that follow it.
inline void require_places(std::string_view where, Index capacity, Index stack, Index steps = 1) {
  require(steps > 0, where, "steps must be positive", steps);
  require(stack > 0, where, "stack must be positive", stack);
  require(capacity > stack, where, fmt::format("capacity must be greater than the {} frames of an observation", stack),
          capacity);
  require(capacity - stack >= steps, where,
          fmt::format("capacity must be greater than the {} places that returns of {} steps need", stack + steps - 1,
                      steps),
          capacity);
}

/// How a ring is laid out.
struct RingShape {
  Index capacity;         ///< places, more than `stack`
  Index features;         ///< numbers of an observation
  Index stack = 1;        ///< frames of which an observation consists, the oldest first; only the newest is stored
  Index action_size = 1;  ///< numbers of an action that is a vector
};

}  // namespace mellow::data

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <span>

#include <mellow/core/metric.hpp>

namespace mellow::training {

/// Where a run is: what its callbacks see. A figure that does not exist yet is NaN.
struct RunStatus {
  /// What a figure is that does not exist yet.
  static constexpr double none = std::numeric_limits<double>::quiet_NaN();

  std::int64_t step = 0;            ///< environment steps done
  std::int64_t episode = 0;         ///< episodes ended
  double episode_return = none;     ///< undiscounted, of the last episode that ended
  std::int64_t episode_length = 0;  ///< steps of that episode
  double mean_return = none;        ///< over the last 100 episodes
  double evaluation_return = none;  ///< mean of the last evaluation
  double best_return = none;        ///< best evaluation so far
  bool improved = false;            ///< whether the last evaluation is the best so far (ties count)
  std::span<const Metric> metrics;  ///< of the agent's last update
};

}  // namespace mellow::training

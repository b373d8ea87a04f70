// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <limits>

#include <mellow/core/metric.hpp>

namespace mellow::value {

/// What an update found.
struct Learned {
  /// Mean over the batch of weight times loss of the temporal-difference error.
  double loss = std::numeric_limits<double>::quiet_NaN();
  double mean_value = std::numeric_limits<double>::quiet_NaN();     ///< mean over batch and actions of Q
  double gradient_norm = std::numeric_limits<double>::quiet_NaN();  ///< before clipping

  /// The same by name.
  std::array<Metric, 3> metrics() const {
    return {{{"loss", loss}, {"mean_value", mean_value}, {"gradient_norm", gradient_norm}}};
  }
};

}  // namespace mellow::value

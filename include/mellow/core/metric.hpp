// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace mellow {

/// A named figure that an agent reports of its learning.
struct Metric {
  const char* name;  ///< a column of metrics.csv
  double value;      ///< NaN where there is none yet
};

}  // namespace mellow

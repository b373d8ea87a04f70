// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cmath>

namespace mellow::tools {

/// The seconds that a run has taken, those before it was interrupted included.
class RunClock {
 public:
  /// Goes on from `before`, which then holds the seconds so far. To be called when a checkpoint is made or taken up.
  void keep(double& before) {
    before = seconds(before);
    start_ = Clock::now();
  }
  /// To the millisecond, for tables.
  double rounded(double before) const { return std::round(seconds(before) * 1e3) / 1e3; }

 private:
  using Clock = std::chrono::steady_clock;
  double seconds(double before) const { return before + std::chrono::duration<double>(Clock::now() - start_).count(); }
  Clock::time_point start_ = Clock::now();
};

}  // namespace mellow::tools

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>

#include <mellow/core/types.hpp>

namespace mellow {

/// Mean of one number over all samples so far.
class RunningMean {
 public:
  /// Takes in a sample.
  void add(double x) { mean_ += (x - mean_) / static_cast<double>(++count_); }

  Index count() const { return count_; }  ///< samples so far
  /// NaN before the first sample.
  double mean() const { return count_ == 0 ? std::numeric_limits<double>::quiet_NaN() : mean_; }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("count", self.count_);
    visit("mean", self.mean_);
  }

 private:
  Index count_ = 0;
  double mean_ = 0.0;
};

}  // namespace mellow

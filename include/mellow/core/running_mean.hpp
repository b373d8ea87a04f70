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

  /// Mean of the samples since `earlier`, which this was then; NaN where there are none.
  double mean_since(const RunningMean& earlier) const {
    const auto before = static_cast<double>(earlier.count_), all = static_cast<double>(count_);
    return count_ == earlier.count_ ? std::numeric_limits<double>::quiet_NaN()
                                    : (all * mean_ - before * earlier.mean_) / (all - before);
  }

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

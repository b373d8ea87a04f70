// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/core/types.hpp>

namespace mellow {

/// Mean and variance of all samples so far, component by component (Welford 1962).
class RunningMoments {
 public:
  /// No samples yet, of `size` components.
  explicit RunningMoments(Index size) : mean_(Vector<double>::Zero(size)), squares_(mean_) {}

  /// Takes in a sample.
  template <class Derived>
  void add(const Eigen::MatrixBase<Derived>& x) {
    ++count_;
    for (Index i = 0; i < mean_.size(); ++i) {
      const double sample = static_cast<double>(x.derived()(i)), before = sample - mean_[i];
      mean_[i] += before / static_cast<double>(count_);
      squares_[i] += before * (sample - mean_[i]);
    }
  }

  Index count() const { return count_; }           ///< samples so far
  double mean(Index i) const { return mean_[i]; }  ///< of component i
  /// Of component i, divided by the number of samples; 1 before the second one.
  double variance(Index i) const { return count_ < 2 ? 1.0 : squares_[i] / static_cast<double>(count_); }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("mean", self.mean_);
    visit("squares", self.squares_);
    visit("count", self.count_);
  }

 private:
  Vector<double> mean_, squares_;
  Index count_ = 0;
};

}  // namespace mellow

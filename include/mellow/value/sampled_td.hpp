// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include <mellow/core/rng.hpp>
#include <mellow/environments/linear_mrp.hpp>

namespace mellow::value {

/// The gradient of `ExpectedTd`'s objective from samples, a `TdGradient` for `GradientUpdate`: minibatch linear TD with a
/// target network,
///
///     grad_w(theta, w) = -(sum_s d(s)) mean over the batch of (r + gamma phi(s')' theta - phi(s)' w) phi(s)
///
/// with s drawn by the weights d and s' by P; phi(s') = 0 where the process ends. Unbiased. With a fixed learning rate the
/// parameters end in a cloud around the fixed point, whose mean squared radius shrinks with the learning rate.
class SampledTd {
 public:
  using Scalar = double;  ///< of parameters

  /// `batch` samples a gradient. Throws Error for a process that makes no sense or a batch of none.
  SampledTd(environments::LinearMrp mrp, Index batch, Rng rng) : mrp_(std::move(mrp)), batch_(batch), rng_(rng) {
    mrp_.validate();
    require(batch > 0, "value::SampledTd", "batch must be positive", batch);
    total_ = mrp_.weights.sum();
  }

  /// dH/dw of a fresh batch.
  Vector<double> grad_w(const Vector<double>& theta, const Vector<double>& w) {
    Vector<double> gradient = Vector<double>::Zero(w.size());
    for (Index i = 0; i < batch_; ++i) {
      const auto [state, reward, next] = mrp_.sample(rng_);
      const double ahead = next < 0 ? 0.0 : mrp_.features.col(next).dot(theta);
      const double error = reward + mrp_.discount * ahead - mrp_.features.col(state).dot(w);
      gradient -= error * mrp_.features.col(state);
    }
    return (total_ / static_cast<double>(batch_)) * gradient;
  }

 private:
  environments::LinearMrp mrp_;
  Index batch_;
  Rng rng_;
  double total_ = 0.0;
};

}  // namespace mellow::value

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include <mellow/core/error.hpp>
#include <mellow/core/types.hpp>

namespace mellow::value {

/// The loss of a temporal-difference error e = Q(s,a) - target: quadratic near 0, linear beyond `linear_from`.
///
///     |e| <= d: scale * e^2         else: scale * (2 d |e| - d^2)         d = linear_from
///
/// `squared()` is e^2; `huber(d)` is PyTorch's huber_loss with delta d (scale 1/2), which bounds the gradient by d (Mnih
/// et al. 2015 clip at 1).
struct TdLoss {
  double scale = 1.0;                                            ///< > 0
  double linear_from = std::numeric_limits<double>::infinity();  ///< > 0

  static TdLoss squared() { return {}; }                                                    ///< e^2
  static TdLoss huber(double delta = 1.0) { return {.scale = 0.5, .linear_from = delta}; }  ///< Huber's, scale 1/2

  /// Throws Error for a number out of range.
  void validate() const {
    require(std::isfinite(scale) && scale > 0, "value::TdLoss", "scale must be positive and finite", scale);
    require(linear_from > 0, "value::TdLoss", "linear_from must be positive", linear_from);
  }

  /// The loss of an error.
  template <class Scalar>
  Scalar value(Scalar error) const {
    const auto d = static_cast<Scalar>(linear_from), size = std::abs(error), s = static_cast<Scalar>(scale);
    return size <= d ? s * error * error : s * d * (Scalar(2) * size - d);
  }
  /// Its derivative in the error.
  template <class Scalar>
  Scalar derivative(Scalar error) const {
    const auto d = static_cast<Scalar>(linear_from);
    return static_cast<Scalar>(2.0 * scale) * std::max(-d, std::min(d, error));
  }
};

/// Mean over the batch of weight_i * loss(q(a_i, i) - target_i), and its gradient.
///
/// `q` is actions x batch; `d_q` (actions x batch) and `errors` (batch) are overwritten. The targets are constants, as
/// in DQN.
template <class Scalar>
Scalar td_loss(const TdLoss& loss, const ConstMatrixRef<Scalar>& q, const Vector<Index>& actions,
               const ConstVectorRef<Scalar>& targets, const ConstVectorRef<Scalar>& weights, MatrixRef<Scalar> d_q,
               VectorRef<Scalar> errors) {
  assert(q.cols() == actions.size() && q.cols() == targets.size() && q.cols() == weights.size());
  assert(q.rows() == d_q.rows() && q.cols() == d_q.cols() && q.cols() == errors.size());
  const Scalar share = Scalar(1) / static_cast<Scalar>(q.cols());
  Scalar total = 0;
  d_q.setZero();
  for (Index i = 0; i < q.cols(); ++i) {
    assert(actions[i] >= 0 && actions[i] < q.rows());
    const Scalar error = errors[i] = q(actions[i], i) - targets[i];
    total += weights[i] * loss.value(error);
    d_q(actions[i], i) = share * weights[i] * loss.derivative(error);
  }
  return share * total;
}

}  // namespace mellow::value

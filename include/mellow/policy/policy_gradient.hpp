// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include <mellow/operators/mask.hpp>
#include <mellow/policy/heads.hpp>

namespace mellow::policy {

/// What `policy_gradient_loss` found.
struct PolicyGradientLoss {
  double value = 0.0;            ///< -sum_i weights(i) log pi(a_i)
  double log_probability = 0.0;  ///< sum_i log pi(a_i)

  /// Of two batches together.
  PolicyGradientLoss& operator+=(const PolicyGradientLoss& other) {
    value += other.value;
    log_probability += other.log_probability;
    return *this;
  }
};

/// What it reuses from batch to batch.
template <class Scalar>
struct PolicyGradientScratch {
  /// @{
  /// Outputs of the allowed actions, and the loss's derivatives in them.
  Vector<Scalar> kept, d_kept;
  /// @}
};

/// The loss whose gradient is a policy gradient,
///
///     -sum_i w_i log pi(a_i | x_i),    d / d x_i = -w_i d log pi(a_i | x_i) / d x_i
///
/// for outputs x (actions x batch) of a head. `actions(i)` -> Index, `weights(i)` -> double: a return, an advantage.
/// `allowed(i)` -> ActionMask says between which actions column i chose, empty: all; outputs of the others count for
/// nothing. Writes the gradient in x (actions x batch).
template <class Head, class Derived, class Actions, class Weights, class Allowed>
PolicyGradientLoss policy_gradient_loss(const Head& head, const Eigen::MatrixBase<Derived>& x, const Actions& actions,
                                        const Weights& weights, const Allowed& allowed,
                                        MatrixRef<typename Derived::Scalar> d_x,
                                        PolicyGradientScratch<typename Derived::Scalar>& scratch) {
  using Scalar = typename Derived::Scalar;
  PolicyGradientLoss loss;
  for (Index i = 0; i < x.cols(); ++i) {
    const ActionMask mask = allowed(i);
    const double weight = weights(i);
    auto d = d_x.col(i);
    double log_probability = 0.0;
    if (mask.empty()) {
      log_probability = head.log_probability_gradient(x.col(i), actions(i), d);
      d *= static_cast<Scalar>(-weight);
    } else {
      const auto kept = operators::keep_allowed<Scalar>(x.col(i), mask, scratch.kept);
      scratch.d_kept.resize(x.rows());
      auto d_kept = scratch.d_kept.head(kept.size());
      const auto among = std::count(mask.begin(), mask.begin() + actions(i), true);
      log_probability = head.log_probability_gradient(kept, among, d_kept);
      d.setZero();
      for (Index a = 0, k = 0; a < x.rows(); ++a)
        if (mask[static_cast<std::size_t>(a)]) d[a] = static_cast<Scalar>(-weight) * d_kept[k++];
    }
    loss += {-weight * log_probability, log_probability};
  }
  return loss;
}

}  // namespace mellow::policy

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <mellow/core/error.hpp>
#include <mellow/core/numerics.hpp>
#include <mellow/core/parts.hpp>

namespace mellow::operators {

/// mm_omega(q) = log(mean_a exp(omega q(a))) / omega (Asadi & Littman 2017, eq. 1): a smooth maximum that is a
/// non-expansion.
///
/// Between the mean (omega -> 0) and the maximum (omega -> infinity); a negative omega leans to the minimum. Prefer it
/// to a Boltzmann softmax as a backup: the fixed point is unique. Derivative in q: softmax(omega q).
struct Mellowmax {
  using role = roles::Backup;

  double omega = 5.0;  ///< sharpness; finite, not 0

  void validate() const {
    require(std::isfinite(omega) && omega != 0.0, "Mellowmax", "omega must be finite and not 0", omega);
  }

  template <class Derived>
  typename Derived::Scalar operator()(const Eigen::DenseBase<Derived>& q) const {
    using Scalar = typename Derived::Scalar;
    const auto sharpness = static_cast<Scalar>(omega);
    return (log_sum_exp(q.derived().array() * sharpness) - std::log(static_cast<Scalar>(q.size()))) / sharpness;
  }
};

}  // namespace mellow::operators

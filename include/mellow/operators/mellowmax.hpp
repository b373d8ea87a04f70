// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <limits>

#include <mellow/core/error.hpp>
#include <mellow/core/numerics.hpp>
#include <mellow/core/parts.hpp>
#include <mellow/operators/boltzmann.hpp>

namespace mellow::operators {

/// mm_omega(q) = log(mean_a exp(omega q(a))) / omega (Asadi & Littman 2017, eq. 1): a smooth maximum that is a
/// non-expansion.
///
/// Between the mean (omega -> 0) and the maximum (omega -> infinity); a negative omega leans to the minimum. Prefer it
/// to a Boltzmann softmax as a backup: the fixed point is unique. The policy that belongs to it: `MellowmaxPolicy`.
struct Mellowmax {
  using role = roles::Backup;

  static constexpr bool non_expansion = true;  ///< see NonExpansion

  double omega = 5.0;  ///< sharpness; finite, not 0 (that is `Mean`)

  /// Throws Error for a number out of range.
  void validate() const {
    require(std::isfinite(omega) && omega != 0.0, "Mellowmax", "omega must be finite and not 0", omega);
  }

  /// mm_omega(q), to full precision for any omega: exponents are taken from the largest value (for omega < 0 the
  /// smallest), and where all of them are small the logarithm is that of 1 + something small.
  template <class Derived>
  typename Derived::Scalar operator()(const Eigen::DenseBase<Derived>& q) const {
    using Scalar = typename Derived::Scalar;
    const auto sharpness = saturated<Scalar>(omega);
    if (sharpness == Scalar(0)) return q.derived().mean();  // too small for Scalar: the limit
    const Scalar best = omega > 0 ? q.derived().template maxCoeff<Eigen::PropagateNaN>()
                                  : q.derived().template minCoeff<Eigen::PropagateNaN>();
    if (!std::isfinite(best)) return best;
    const Scalar lowest = sharpness * (omega > 0 ? q.derived().minCoeff() - best : q.derived().maxCoeff() - best);
    const Scalar log_mean = lowest > Scalar(-1) ? std::log1p((sharpness * (q.derived().array() - best)).expm1().mean())
                                                : std::log((sharpness * (q.derived().array() - best)).exp().mean());
    return best + log_mean / sharpness;
  }

  /// Writes the derivative in q: softmax(omega q).
  template <class Derived>
  void gradient(const Eigen::DenseBase<Derived>& q, VectorRef<typename Derived::Scalar> out) const {
    Boltzmann{omega}.probabilities(q, out);
  }

  /// The derivative in omega: (boltz_omega(q) - mm_omega(q)) / omega, never negative. Where omega times the range of q
  /// is so small that this cancels, its series k2 / 2 + omega k3 / 3 by the central moments of q.
  template <class Derived>
  typename Derived::Scalar omega_derivative(const Eigen::DenseBase<Derived>& q) const {
    using Scalar = typename Derived::Scalar;
    const auto sharpness = saturated<Scalar>(omega);
    const auto centred = q.derived().array() - q.derived().mean();
    if (std::abs(sharpness) * centred.abs().maxCoeff() < std::cbrt(std::numeric_limits<Scalar>::epsilon()))
      return centred.square().mean() / Scalar(2) + sharpness * centred.cube().mean() / Scalar(3);
    return (Boltzmann{omega}(centred) - (*this)(centred)) / sharpness;
  }
};

}  // namespace mellow::operators

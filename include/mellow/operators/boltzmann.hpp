// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>
#include <cmath>

#include <mellow/core/error.hpp>
#include <mellow/core/numerics.hpp>
#include <mellow/core/parts.hpp>

namespace mellow::operators {

/// The Boltzmann softmax of inverse temperature beta: the policy pi = softmax(beta q), and as a backup its value
///
///     boltz_beta(q) = sum_a q(a) exp(beta q(a)) / sum_a exp(beta q(a))
///
/// (Asadi & Littman 2017, section 2.) Not a non-expansion: planning under it may have several fixed points; as a backup
/// prefer `Mellowmax`. To explore by it: `explore(Boltzmann{.beta = 2})`.
struct Boltzmann {
  using role = roles::Backup;

  double beta = 1.0;  ///< finite; 0 is uniform, large is greedy, negative prefers small values

  /// Throws Error for a number out of range.
  void validate() const { require(std::isfinite(beta), "Boltzmann", "beta must be finite", beta); }

  /// boltz_beta(q).
  template <class Derived>
  typename Derived::Scalar operator()(const Eigen::DenseBase<Derived>& q) const {
    using Scalar = typename Derived::Scalar;
    const auto sharpness = saturated<Scalar>(beta);
    const Scalar best = beta < 0 ? q.derived().minCoeff() : q.derived().maxCoeff();
    Scalar total = 0, gain = 0;  // of q - best, which is exact where all values are equal
    for (Index a = 0; a < q.size(); ++a) {
      const Scalar distance = q.derived().coeff(a) - best, weight = std::exp(sharpness * distance);
      total += weight;
      gain += weight * distance;
    }
    return best + gain / total;
  }

  /// Writes pi = softmax(beta q), one probability an action.
  template <class Derived>
  void probabilities(const Eigen::DenseBase<Derived>& q, VectorRef<typename Derived::Scalar> pi) const {
    using Scalar = typename Derived::Scalar;
    const Scalar best = beta < 0 ? q.derived().minCoeff() : q.derived().maxCoeff();
    pi.array() = (saturated<Scalar>(beta) * (q.derived().array() - best)).exp();
    pi /= pi.sum();
  }

  /// Writes d log pi(action) / d q = beta (1[i = action] - pi_i), which sums to 0, and returns log pi(action).
  template <class Derived>
  double log_probability_gradient(const Eigen::DenseBase<Derived>& q, Index action,
                                  VectorRef<typename Derived::Scalar> out) const {
    using Scalar = typename Derived::Scalar;
    assert(action >= 0 && action < q.size());
    const auto sharpness = saturated<Scalar>(beta);
    const Scalar best = beta < 0 ? q.derived().minCoeff() : q.derived().maxCoeff();
    out.array() = (sharpness * (q.derived().array() - best)).exp();
    const Scalar total = out.sum();
    out *= -sharpness / total;
    out[action] += sharpness;
    return static_cast<double>(sharpness * (q.derived().coeff(action) - best) - std::log(total));
  }

  /// Writes the derivative of boltz_beta in q: pi_a (1 + beta (q(a) - boltz_beta(q))). It sums to 1, but entries may be
  /// negative.
  template <class Derived>
  void gradient(const Eigen::DenseBase<Derived>& q, VectorRef<typename Derived::Scalar> out) const {
    using Scalar = typename Derived::Scalar;
    probabilities(q, out);
    out.array() *= Scalar(1) + static_cast<Scalar>(beta) * (q.derived().array() - (*this)(q));
  }
};

}  // namespace mellow::operators

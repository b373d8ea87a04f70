// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/core/error.hpp>
#include <mellow/core/parts.hpp>
#include <mellow/core/types.hpp>

namespace mellow::operators {

/// eps_e(q) = epsilon mean_a q(a) + (1 - epsilon) max_a q(a) (Asadi & Littman 2017, section 2): the value of an
/// epsilon-greedy policy.
///
/// A non-expansion, but with kinks where the best action changes; `Mellowmax` is smooth.
struct EpsilonMix {
  using role = roles::Backup;

  static constexpr bool non_expansion = true;  ///< see NonExpansion

  double epsilon = 0.1;  ///< share of the mean, in [0, 1]

  /// Throws Error for a number out of range.
  void validate() const {
    require(epsilon >= 0.0 && epsilon <= 1.0, "EpsilonMix", "epsilon must lie in [0, 1]", epsilon);
  }

  /// eps_e(q).
  template <class Derived>
  typename Derived::Scalar operator()(const Eigen::DenseBase<Derived>& q) const {
    const auto share = static_cast<typename Derived::Scalar>(epsilon);
    return share * q.derived().mean() + (1 - share) * q.derived().maxCoeff();
  }
};

}  // namespace mellow::operators

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/core/parts.hpp>
#include <mellow/core/types.hpp>

namespace mellow::operators {

/// mean_a q(a): the value of acting uniformly at random. As a backup it evaluates the random policy.
struct Mean {
  using role = roles::Backup;

  static constexpr bool non_expansion = true;  ///< see NonExpansion

  /// mean_a q(a).
  template <class Derived>
  typename Derived::Scalar operator()(const Eigen::DenseBase<Derived>& q) const {
    return q.derived().mean();
  }
};

}  // namespace mellow::operators

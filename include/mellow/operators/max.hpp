// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/core/parts.hpp>
#include <mellow/core/types.hpp>

namespace mellow::operators {

/// Index of the largest entry; the first of equals, as NumPy's argmax.
template <class Derived>
Index argmax(const Eigen::DenseBase<Derived>& q) {
  Index best = 0;
  for (Index a = 1; a < q.size(); ++a)
    if (q.derived()(a) > q.derived()(best)) best = a;
  return best;
}

/// max_a q(a): the backup of Q-learning (Watkins 1989).
struct Max {
  using role = roles::Backup;

  static constexpr bool non_expansion = true;  ///< see NonExpansion

  /// max_a q(a).
  template <class Derived>
  typename Derived::Scalar operator()(const Eigen::DenseBase<Derived>& q) const {
    return q.derived().maxCoeff();
  }

  /// The action whose value the backup takes.
  template <class Derived>
  Index select(const Eigen::DenseBase<Derived>& q) const {
    return argmax(q);
  }
};

}  // namespace mellow::operators

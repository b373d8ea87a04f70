// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cassert>

#include <mellow/core/environment.hpp>
#include <mellow/core/types.hpp>

/// Choosing among the actions that an environment allows: the values of those alone are copied together, so that any
/// operator works on them unchanged.
namespace mellow::operators {

/// Copies the values of the allowed actions, in order, into `storage`, and returns them as a view of it. An empty mask
/// allows all.
template <class Scalar, class Derived>
Eigen::Map<const Vector<Scalar>> keep_allowed(const Eigen::DenseBase<Derived>& values, ActionMask mask,
                                              Vector<Scalar>& storage) {
  if (storage.size() < values.size()) storage.resize(values.size());
  Index count = 0;
  for (Index a = 0; a < values.size(); ++a)
    if (mask.empty() || mask[static_cast<std::size_t>(a)]) storage[count++] = values.derived()(a);
  return {storage.data(), count};
}

/// How many of `actions` the mask allows.
inline Index count_allowed(Index actions, ActionMask mask) {
  return mask.empty() ? actions : static_cast<Index>(std::count(mask.begin(), mask.end(), true));
}

/// The action that is the n-th allowed one, counted from 0.
inline Index nth_allowed(ActionMask mask, Index n) {
  if (mask.empty()) return n;
  Index action = -1;
  for (Index left = n; left >= 0; --left) do
      ++action;
    while (!mask[static_cast<std::size_t>(action)]);
  return action;
}

}  // namespace mellow::operators

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <iterator>

#include <mellow/core/environment.hpp>
#include <mellow/core/error.hpp>
#include <mellow/core/types.hpp>

/// Choosing among the actions that an environment allows: the values of those alone are copied together, so that any
/// operator works on them unchanged.
namespace mellow::operators {

/// Copies the values of the allowed actions, in order, into `storage`, and returns them as a view of it. An empty mask
/// allows all. Throws Error for a mask of another length or one that allows nothing.
template <class Scalar, class Derived>
Eigen::Map<const Vector<Scalar>> keep_allowed(const Eigen::DenseBase<Derived>& values, ActionMask mask,
                                              Vector<Scalar>& storage) {
  if (!mask.empty() && std::ssize(mask) != values.size())
    throw Error("ActionMask", fmt::format("a mask needs {} entries", values.size()), mask.size());
  if (storage.size() < values.size()) storage.resize(values.size());
  Index count = 0;
  for (Index a = 0; a < values.size(); ++a)
    if (mask.empty() || mask[static_cast<std::size_t>(a)]) storage[count++] = values.derived()(a);
  if (count == 0) throw Error("ActionMask", "the mask allows no action");
  return {storage.data(), count};
}

/// How many of `actions` the mask allows. Throws Error where it allows none.
inline Index count_allowed(Index actions, ActionMask mask) {
  const auto count = mask.empty() ? actions : static_cast<Index>(std::count(mask.begin(), mask.end(), true));
  if (count == 0) throw Error("ActionMask", "the mask allows no action");
  return count;
}

/// The action that is the n-th allowed one, counted from 0. Throws Error where fewer are allowed.
inline Index nth_allowed(ActionMask mask, Index n) {
  if (mask.empty()) return n;
  Index left = n;
  for (std::size_t action = 0; action < mask.size(); ++action)
    if (mask[action] && left-- == 0) return static_cast<Index>(action);
  throw Error("ActionMask", "the mask allows fewer actions than", n + 1);
}

}  // namespace mellow::operators

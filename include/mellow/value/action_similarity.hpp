// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include <mellow/core/error.hpp>
#include <mellow/core/types.hpp>

namespace mellow::value::detail {

/// Throws Error unless a matrix can say how alike actions are: square and not empty, numbers from 0 to 1, 1 between an
/// action and itself.
inline void require_similarity(std::string_view where, const Matrix<double>& similarity) {
  require(similarity.size() > 0, where, "similarity must be given, actions x actions; numbers", similarity.size());
  if (similarity.rows() != similarity.cols())
    throw Error(where, "similarity must be square", fmt::format("{} x {}", similarity.rows(), similarity.cols()));
  for (const double x : similarity.reshaped())
    require(x >= 0 && x <= 1, where, "similarity must lie in [0, 1]", x);  // NaN does not
  for (const double x : similarity.diagonal())
    require(x == 1, where, "the similarity of an action and itself must be 1", x);
}

/// Throws Error where it is not of so many actions.
inline void require_similarity_of(std::string_view where, const Matrix<double>& similarity, Index actions) {
  if (similarity.rows() != actions)
    throw Error(where, fmt::format("similarity must be {0} x {0}, for the {0} actions there are", actions),
                fmt::format("{0} x {0}", similarity.rows()));
}

}  // namespace mellow::value::detail

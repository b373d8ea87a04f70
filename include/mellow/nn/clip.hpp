// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <mellow/core/types.hpp>

namespace mellow::nn {

/// Scales `gradient` down so that its Euclidean norm does not exceed `maximum`; returns the norm it had.
template <class Scalar>
Scalar clip_norm(VectorRef<Scalar> gradient, Scalar maximum) {
  Scalar norm = gradient.norm();
  if (!std::isfinite(norm)) {  // the squares overflow long before the norm does
    norm = 0;
    for (const Scalar x : gradient) norm = std::hypot(norm, x);
  }
  if (norm > maximum) gradient *= maximum / norm;
  return norm;
}

}  // namespace mellow::nn

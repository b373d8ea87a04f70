// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <limits>

#include <mellow/core/types.hpp>

namespace mellow {

/// x as a Scalar; where it is beyond Scalar's largest number, that one. NaN stays NaN.
template <class Scalar>
Scalar saturated(double x) {
  constexpr auto largest = static_cast<double>(std::numeric_limits<Scalar>::max());
  return static_cast<Scalar>(std::clamp(x, -largest, largest));
}

/// log(sum_i exp(x_i)) without overflow: the largest x is subtracted first. Its derivative in x is softmax(x).
///
/// An empty x gives -infinity, as does one that is -infinity throughout; +infinity gives +infinity; NaN in, NaN out.
template <class Derived>
typename Derived::Scalar log_sum_exp(const Eigen::DenseBase<Derived>& x) {
  using Scalar = typename Derived::Scalar;
  if (x.size() == 0) return -std::numeric_limits<Scalar>::infinity();
  const Scalar largest = x.derived().template maxCoeff<Eigen::PropagateNaN>();
  if (!std::isfinite(largest)) return largest;
  return largest + std::log((x.derived().array() - largest).exp().sum());
}

/// Writes p_i = exp(x_i) / sum_j exp(x_j) without overflow; the same length as x, which may be an expression of p.
template <class Derived>
void softmax(const Eigen::DenseBase<Derived>& x, VectorRef<typename Derived::Scalar> p) {
  assert(p.size() == x.size());
  p.array() = x.derived().array();
  p.array() = (p.array() - p.maxCoeff()).exp();
  p /= p.sum();
}

/// static_cast<float>(x) as a double, to nearest even: by its bits, since GCC 12's vectoriser leaves out conversions to
/// float and back. Numbers below float's smallest normal one keep 24 bits; those beyond its largest stay finite; NaN
/// stays NaN.
inline double rounded_to_float(double x) {
  constexpr std::uint64_t dropped = 0x1fffffff;  // the 29 bits by which a double is longer
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const double rounded = std::bit_cast<double>((bits + (dropped >> 1) + (bits >> 29 & 1)) & ~dropped);
  return x == x ? rounded : x;
}

}  // namespace mellow

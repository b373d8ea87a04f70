// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>

namespace mellow::preference {

// Exponential and logistic functions without branches and without calls, so that a loop over them vectorises; the
// standard library's do not. Each is within a few units in the last place. A loss written with them is as fast as those
// of this room.

/// exp(x), with x clamped to [-708, 709]: never 0, never infinite. NaN stays NaN.
[[gnu::always_inline]] inline double exponential(double x) {
  // x = k log 2 + r with |r| <= log(2) / 2; the sum with 1.5 * 2^52 has k, rounded, in its low bits.
  constexpr double to_integer = 6755399441055744.0, log2_high = 0.6931471803691238, log2_low = 1.9082149292705877e-10;
  x = std::max(std::min(x, 709.0), -708.0);
  const double shifted = x * 1.4426950408889634 + to_integer, k = shifted - to_integer;
  const double r = (x - k * log2_high) - k * log2_low;
  // (exp(r) - 1 - r) / r^2 by a Chebyshev fit, relative error of exp(r) 1e-17.
  double p = 2.5100424157005067e-08;
  p = p * r + 2.7620138719733994e-07;
  p = p * r + 2.7557268378684192e-06;
  p = p * r + 2.480152119021773e-05;
  p = p * r + 0.00019841269863105968;
  p = p * r + 0.0013888888917281794;
  p = p * r + 0.008333333333330051;
  p = p * r + 0.04166666666662399;
  p = p * r + 0.16666666666666669;
  p = p * r + 0.5;
  const double power = std::bit_cast<double>((std::bit_cast<std::uint64_t>(shifted) + 1023) << 52);
  return power * (1.0 + (r + r * r * p));
}

namespace detail {
/// log(1 + x) for x in [0, 1].
[[gnu::always_inline]] inline double log1p_unit(double x) {
  // Above sqrt(2) - 1: log(2) + log(1 + (x - 1) / 2). Then log(1 + y) = 2 artanh(s) with s = y / (2 + y), |s| < 0.172.
  const bool upper = x > 0.41421356237309503;
  const double y = upper ? 0.5 * (x - 1.0) : x;
  const double s = y / (2.0 + y), w = s * s;
  double p = 0.14616562422104645;
  p = p * w + 0.15331712479381301;
  p = p * w + 0.1818288939967772;
  p = p * w + 0.2222221113102852;
  p = p * w + 0.2857142862599856;
  p = p * w + 0.39999999999899455;
  p = p * w + 0.666666666666667;
  const double log1p = 2.0 * s + s * w * p;
  return upper ? 0.6931471805599453 + log1p : log1p;
}
}  // namespace detail

/// log(1 + exp(x)) without overflow: -log sigma(-x).
[[gnu::always_inline]] inline double softplus(double x) {
  return std::max(x, 0.0) + detail::log1p_unit(exponential(-std::abs(x)));
}

/// sigma(x) = 1 / (1 + exp(-x)) without overflow.
[[gnu::always_inline]] inline double sigmoid(double x) {
  const double e = exponential(-std::abs(x));
  return (x < 0.0 ? e : 1.0) / (1.0 + e);
}

/// log sigma(x).
[[gnu::always_inline]] inline double log_sigmoid(double x) { return -softplus(-x); }

/// log(exp(x) + exp(y)) without overflow. Its derivative in x is sigma(x - y).
[[gnu::always_inline]] inline double log_add_exp(double x, double y) {
  return std::max(x, y) + detail::log1p_unit(exponential(-std::abs(x - y)));
}

/// x rounded to a Scalar, the largest finite one of its sign in place of what a Scalar cannot hold: a gradient beyond a
/// float's range keeps its direction and stays finite. NaN stays NaN.
template <std::floating_point Scalar>
[[gnu::always_inline]] inline Scalar narrowed(double x) {
  if constexpr (std::same_as<Scalar, float>) {
    constexpr double most = std::numeric_limits<float>::max();
    // Of two comparisons GCC makes a branch, and the loop around does not vectorise.
    return static_cast<float>(std::copysign(std::min(std::abs(x), most), x));
  } else return x;
}

}  // namespace mellow::preference

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <limits>
#include <utility>

#include <mellow/core/error.hpp>

namespace mellow {

/// The root in [low, high] of an increasing function, by Newton's method kept inside a shrinking bracket: a step that
/// leaves the bracket, or that is not half as long as the one before, is replaced by a bisection.
///
/// `function(x)` returns the pair (value, derivative). Ends where a step is a few units in the last place, or where
/// steps of less than 1e-9 x shrink no more, since the function's own rounding shows: in some 8 evaluations where
/// Newton's method works, and at most 200. An end at which the function is 0 is a root. Throws Error unless
/// function(low) <= 0 <= function(high).
template <class Function>
double find_root(Function&& function, double low, double high) {
  const double at_low = function(low).first, at_high = function(high).first;
  if (!(at_low <= 0.0 && at_high >= 0.0))
    throw Error("find_root", fmt::format("the function must rise through 0 between {} and {}", low, high),
                fmt::format("{} and {}", at_low, at_high));
  if (at_low == 0.0) return low;
  if (at_high == 0.0) return high;
  constexpr double epsilon = std::numeric_limits<double>::epsilon();
  double x = 0.5 * (low + high), last_step = high - low;
  bool by_newton = false;
  for (int i = 0; i < 200; ++i) {
    const auto [value, slope] = function(x);
    if (value == 0.0) return x;
    (value < 0.0 ? low : high) = x;
    double next = x - value / slope;
    const bool shrinks = next > low && next < high && std::abs(next - x) <= 0.5 * last_step;
    if (!shrinks) {
      if (by_newton && last_step <= 1e-9 * std::abs(x)) return x;
      next = low + 0.5 * (high - low);
    }
    by_newton = shrinks;
    last_step = std::abs(next - x);
    x = next;
    if (last_step <= 2.0 * epsilon * std::abs(x)) break;
  }
  return x;
}

}  // namespace mellow

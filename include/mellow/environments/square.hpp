// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace mellow::environments {

/// x^2 with the bits of std::pow(x, 2), which Python's `x ** 2` calls: it is not always x * x rounded to nearest, and a
/// chaotic system shows the difference within a hundred steps.
///
/// The C library's power errs by less than 0.54 units in the last place, so where x^2 lies farther than 0.04 units from
/// the middle between two numbers, as it mostly does, rounding gives the same number, which is much faster.
inline double square_as_power(double x) {
  const double rounded = x * x;
  const double error = std::fma(x, x, -rounded);  // exact, unless x^2 is tiny
  const double unit = std::bit_cast<double>(std::bit_cast<std::uint64_t>(rounded) & 0x7ff0'0000'0000'0000u) * 0x1p-52;
  const bool sure = std::abs(error) < 0.46 * unit && rounded > 1e-250;
  if (sure) return rounded;
  double two = 2.0;
  asm("" : "+r"(two));  // compilers take pow(x, 2.0) for x * x
  return std::pow(x, two);
}

}  // namespace mellow::environments

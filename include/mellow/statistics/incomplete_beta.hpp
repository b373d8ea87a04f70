// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <limits>
#include <numbers>

#include <mellow/core/error.hpp>

namespace mellow::statistics {

namespace detail {

/// ln Gamma(x) - [(x - 1/2) ln x - x + ln(2 pi) / 2] for x >= 10, by Stirling's series.
inline double stirling_remainder(double x) {
  const double z = 1.0 / (x * x);
  return (1.0 / 12 - z * (1.0 / 360 - z * (1.0 / 1260 - z * (1.0 / 1680 - z * (1.0 / 1188 - z * 691.0 / 360360))))) / x;
}

/// x^a y^b / B(a, b) with x + y = 1; large terms are cancelled before they are computed.
inline double beta_density_scale(double a, double b, double x, double y) {
  if (a < b) return beta_density_scale(b, a, y, x);
  if (a < 10)
    return std::exp(a * std::log(x) + b * std::log(y)) * std::tgamma(a + b) / (std::tgamma(a) * std::tgamma(b));
  // ln x and ln y from the smaller of both, which is exact where the larger has been rounded.
  const double log_x = x < y ? std::log(x) : std::log1p(-y), log_y = x < y ? std::log1p(-x) : std::log(y);
  const double share = b / (a + b), log_rest = std::log1p(-share);  // ln(a / (a + b))
  const double remainders = stirling_remainder(a) - stirling_remainder(a + b);
  if (b < 10)
    return std::exp(a * log_x + b * log_y - remainders + b * std::log(a + b) - b - (a - 0.5) * log_rest) /
           std::tgamma(b);
  return std::exp(a * (log_x - log_rest) + b * (log_y - std::log(share)) - remainders - stirling_remainder(b)) *
         std::sqrt(b * (1.0 - share) / (2.0 * std::numbers::pi));
}

/// The regularised incomplete beta function where its continued fraction converges fast, x <= (a + 1) / (a + b + 2):
///
///     I_x(a, b) = x^a y^b / B(a, b) / (beta_0 + alpha_1 / (beta_1 + alpha_2 / (beta_2 + ...)))
///
/// (DiDonato & Morris 1992, equation 9), by Lentz's method. With y in it, nothing cancels where a is large.
inline double incomplete_beta_fraction(double a, double b, double x, double y) {
  constexpr double tiny = 1e-300, epsilon = std::numeric_limits<double>::epsilon();
  const auto nonzero = [](double z) { return std::abs(z) < tiny ? tiny : z; };
  const double lambda = a * y - b * x;
  const auto beta = [&](double n) {
    const double first = n == 0 ? 0.0 : n + n * (b - n) * x / (a + 2 * n - 1);
    return first + (a + n) / (a + 2 * n + 1) * (lambda + 1 + n * (1 + y));
  };
  double f = nonzero(beta(0)), c = f, d = 0.0, change = 0.0;
  for (int k = 1; std::abs(change - 1.0) > epsilon && k < 1'000'000; ++k) {
    const double n = k, odd = a + 2 * n - 1;
    const double alpha = (a + n - 1) / odd * (a + b + n - 1) / odd * n * (b - n) * x * x, next = beta(n);
    d = 1.0 / nonzero(next + alpha * d);
    c = nonzero(next + alpha / c);
    f *= change = c * d;
  }
  return beta_density_scale(a, b, x, y) / f;
}

/// The regularised incomplete beta function at x, of which y = 1 - x is known as exactly.
inline double incomplete_beta(double a, double b, double x, double y) {
  if (x <= 0.0) return 0.0;
  if (y <= 0.0) return 1.0;
  if (x <= (a + 1.0) / (a + b + 2.0)) return incomplete_beta_fraction(a, b, x, y);
  return 1.0 - incomplete_beta_fraction(b, a, y, x);
}

}  // namespace detail

/// The regularised incomplete beta function I_x(a, b) = B(x; a, b) / B(a, b), for x in [0, 1] and finite a, b > 0: to 1e-12
/// of itself for a, b up to 1e5. Throws Error for arguments out of range.
inline double incomplete_beta(double a, double b, double x) {
  constexpr auto where = "statistics::incomplete_beta";
  require(a > 0 && std::isfinite(a), where, "a must be positive and finite", a);
  require(b > 0 && std::isfinite(b), where, "b must be positive and finite", b);
  require(x >= 0 && x <= 1, where, "x must lie in [0, 1]", x);
  return detail::incomplete_beta(a, b, x, 1.0 - x);
}

}  // namespace mellow::statistics

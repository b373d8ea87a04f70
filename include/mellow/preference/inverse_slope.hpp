// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <utility>

#include <mellow/core/error.hpp>
#include <mellow/core/root_finding.hpp>
#include <mellow/preference/generators.hpp>

namespace mellow::preference {

/// The t on the increasing part of f' with f'(t) = v: 0 for v at or below the least slope; by the generator's closed
/// form or by a bracketed Newton's method in log t. Throws Error for v that f' does not reach.
template <InvertibleGenerator G>
double inverse_slope(const G& g, double v) {
  if (!(v <= g.greatest_slope()))
    throw Error("preference::inverse_slope",
                fmt::format("f' must reach the slope; its greatest is {}", g.greatest_slope()), v);
  if (v <= g.least_slope()) return 0.0;
  if (v == g.greatest_slope()) return g.increasing_until();
  if constexpr (requires { g.inverse(v); }) return g.inverse(v);
  else {
    const double at_reference = g.derivative(1.0);
    const auto error = [&](double a) {
      const Score score = g.score(a);
      return std::pair{score.value + at_reference - v, score.slope};
    };
    const double end = std::log(g.increasing_until());
    double low = -1.0, high = std::isinf(end) ? 1.0 : end;
    while (error(low).first > 0.0) low *= 2.0;
    while (std::isinf(end) && error(high).first < 0.0) high *= 2.0;
    return std::exp(find_root(error, low, high));
  }
}

/// A generator plus k (t - 1): the same divergence and the same loss, with another minimiser.
template <InvertibleGenerator G>
struct Tilted {
  G generator{};   ///< f
  double k = 0.0;  ///< finite

  Score score(double a) const { return generator.score(a); }           ///< h and dh/da, which k leaves as they are
  double f(double t) const { return generator.f(t) + k * (t - 1.0); }  ///< the generator
  double derivative(double t) const { return generator.derivative(t) + k; }   ///< f'
  double least_slope() const { return generator.least_slope() + k; }          ///< of f'
  double increasing_until() const { return generator.increasing_until(); }    ///< as before
  double greatest_slope() const { return generator.greatest_slope() + k; }    ///< of f'
  double inverse(double v) const { return inverse_slope(generator, v - k); }  ///< of f'
  /// Where f' = -k on its increasing part; infinity where it does not reach that, and where k < 0 makes a generator
  /// that is not convex fall without bounds.
  double minimizer() const {
    if (std::isfinite(generator.increasing_until()) && k < 0.0) return detail::infinity;
    return -k >= generator.greatest_slope() ? detail::infinity : inverse_slope(generator, -k);
  }
};

}  // namespace mellow::preference

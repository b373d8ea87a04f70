// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>

#include <mellow/core/error.hpp>
#include <mellow/core/root_finding.hpp>
#include <mellow/core/types.hpp>

namespace mellow::models {

/// A smooth, strongly convex function f of one number, from which comes the Bregman divergence between vectors of values,
///
///     D_f(x, v) = sum_s f(x_s) - f(v_s) - f'(v_s) (x_s - v_s) >= 0
///
///     derivative(x), second_derivative(x)
///     lowest()                              the end of its domain, where f' may be -infinity; -infinity: it has none
template <class F>
concept BregmanGenerator = requires(const F f, double x) {
  { f.derivative(x) } -> std::convertible_to<double>;
  { f.second_derivative(x) } -> std::convertible_to<double>;
  { f.lowest() } -> std::convertible_to<double>;
};

/// f(x) = x^2, whose divergence is the squared distance |x - v|^2.
struct SquaredDistance {
  static double derivative(double x) { return 2 * x; }                         ///< f'
  static double second_derivative(double) { return 2; }                        ///< f''
  static double lowest() { return -std::numeric_limits<double>::infinity(); }  ///< defined everywhere
  /// The proximal value in closed form: (1 - beta) u + beta v with beta = 1 / (1 + c).
  static double proximal_value(double u, double v, double c) {
    const double beta = 1 / (1 + c);
    return (1 - beta) * u + beta * v;
  }
};

/// f(x) = x log x - x for x > 0, whose divergence is the generalised Kullback-Leibler divergence: for positive values,
/// which it keeps positive.
struct Entropy {
  static double derivative(double x) { return std::log(x); }   ///< f'
  static double second_derivative(double x) { return 1 / x; }  ///< f''
  static double lowest() { return 0; }                         ///< values are above 0
};

/// Where a value v goes that a backup would take to u, held back by the divergence (Asadi et al. 2022):
///
///     argmin_x (x - u)^2 + D_f(x, v) / c,     the root of 2 (x - u) + (f'(x) - f'(v)) / c between u and v
///
/// In closed form where f has `proximal_value(u, v, c)`; c = infinity gives u, or the end of the domain where that lies
/// above. Throws Error for a c that is not positive or a v outside of the domain.
template <BregmanGenerator F>
double proximal_value(const F& f, double u, double v, double c) {
  if (!(c > 0)) throw Error("models::proximal_value", "c must be positive", c);
  if (!(v > f.lowest())) throw Error("models::proximal_value", "v must lie within the domain of the divergence", v);
  if constexpr (requires { f.proximal_value(u, v, c); }) return f.proximal_value(u, v, c);
  else if (std::isinf(c)) return std::max<double>(u, f.lowest());
  else {
    const double at_v = f.derivative(v);
    return find_root(
        [&](double x) { return std::pair(2 * (x - u) + (f.derivative(x) - at_v) / c, 2 + f.second_derivative(x) / c); },
        std::max<double>(std::min(u, v), f.lowest()), std::max(u, v));
  }
}

/// The same for all states.
template <BregmanGenerator F>
Vector<double> proximal_values(const F& f, const ConstVectorRef<double>& u, const ConstVectorRef<double>& v, double c) {
  Vector<double> values(u.size());
  for (Index s = 0; s < u.size(); ++s) values[s] = proximal_value(f, u[s], v[s], c);
  return values;
}

}  // namespace mellow::models

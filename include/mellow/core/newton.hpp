// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Cholesky>

#include <cmath>
#include <limits>

#include <mellow/core/error.hpp>
#include <mellow/core/types.hpp>

namespace mellow {

/// When Newton's method ends.
struct NewtonOptions {
  double tolerance = 1e-12;    ///< of the gradient's norm, >= 0
  Index max_iterations = 200;  ///< > 0
};

/// The minimum of a strongly convex function of a vector, by Newton's method with backtracking.
///
/// `value(x)`, `gradient(x)` and `hessian(x)` give f, f' and f''. A gradient that is Lipschitz suffices, with any
/// generalised Hessian that is positive definite (as for Huber's loss). Ends where |f'| is at most the tolerance, or
/// where a step no longer changes x beyond rounding. Throws Error where f or its gradient is not finite, the Hessian is
/// not positive definite, or the iterations do not suffice.
template <class Value, class Gradient, class Hessian>
Vector<double> newton_minimum(const Value& value, const Gradient& gradient, const Hessian& hessian, Vector<double> x,
                              const NewtonOptions& options = {}) {
  constexpr auto where = "newton_minimum";
  constexpr double epsilon = std::numeric_limits<double>::epsilon();
  require(options.tolerance >= 0, where, "tolerance must not be negative", options.tolerance);
  require(options.max_iterations > 0, where, "max_iterations must be positive", options.max_iterations);
  double f = value(x);
  Vector<double> g = gradient(x);
  for (Index i = 0; i < options.max_iterations; ++i) {
    const double size = g.norm();
    require(std::isfinite(f) && std::isfinite(size), where, "the function and its gradient must be finite", f);
    if (size <= options.tolerance) return x;
    const Eigen::LLT<Matrix<double>> factor(hessian(x));
    require(factor.info() == Eigen::Success, where, "the Hessian must be positive definite; iteration", i);
    const Vector<double> step = -factor.solve(g);
    if (step.norm() <= 4.0 * epsilon * x.norm()) return x;
    const double slope = g.dot(step);  // negative
    // Where the decrease of f drowns in its rounding, go by f'.
    const bool fine = -slope <= 1e3 * epsilon * (1.0 + std::abs(f));
    for (double share = 1.0;; share *= 0.5) {
      const Vector<double> next = x + share * step;
      const double next_f = value(next);
      const Vector<double> next_g = gradient(next);
      if (fine ? next_g.norm() <= (1.0 - 1e-4 * share) * size : next_f <= f + 1e-4 * share * slope) {
        x = next;
        f = next_f;
        g = next_g;
        break;
      }
      if (share < 1e-12) return x;  // no step improves: rounding is reached
    }
  }
  throw Error(where, "it did not converge; iterations", options.max_iterations);
}

}  // namespace mellow

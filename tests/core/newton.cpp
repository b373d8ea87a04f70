// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <mellow/core/newton.hpp>
#include <mellow/core/rng.hpp>

#include "support/catch.hpp"

using namespace mellow;

namespace {

Matrix<double> random_curvature(Rng& rng, Index n) {
  Matrix<double> a(n, n);
  for (double& x : a.reshaped()) x = rng.normal();
  return a * a.transpose() + 0.1 * Matrix<double>::Identity(n, n);
}

}  // namespace

TEST_CASE("The minimum of a quadratic function is that of its normal equations") {
  Rng rng(1);
  for (const Index n : {1, 2, 5, 12}) {
    const Matrix<double> a = random_curvature(rng, n);
    Vector<double> b(n);
    for (double& x : b) x = rng.normal(0, 100);
    int steps = 0;
    const Vector<double> x = newton_minimum([&](const Vector<double>& v) { return 0.5 * v.dot(a * v) - b.dot(v); },
                                            [&](const Vector<double>& v) { return Vector<double>(a * v - b); },
                                            [&](const Vector<double>&) { return ++steps, a; }, Vector<double>::Zero(n));
    CHECK((x - a.ldlt().solve(b)).norm() < 1e-9 * x.norm());
    CHECK(steps <= 10);  // one, and what rounding leaves
  }
}

TEST_CASE("Newton's method backtracks where the whole step goes too far") {
  // f = sqrt(1 + x^2) + x^2 / 1000: beyond |x| = 1 the whole step overshoots, further each time.
  const auto value = [](const Vector<double>& x) { return std::sqrt(1 + x[0] * x[0]) + 1e-3 * x[0] * x[0]; };
  const auto gradient = [](const Vector<double>& x) {
    return Vector<double>::Constant(1, x[0] / std::sqrt(1 + x[0] * x[0]) + 2e-3 * x[0]).eval();
  };
  const auto hessian = [](const Vector<double>& x) {
    return Matrix<double>::Constant(1, 1, std::pow(1 + x[0] * x[0], -1.5) + 2e-3).eval();
  };
  for (const double start : {-50.0, -2.0, 0.5, 3.0, 1000.0})
    CHECK(std::abs(newton_minimum(value, gradient, hessian, Vector<double>::Constant(1, start))[0]) < 1e-11);
}

TEST_CASE("What Newton's method cannot minimise is refused") {
  const auto at = [](double x) { return Vector<double>::Constant(1, x).eval(); };
  const auto matrix = [](double x) { return Matrix<double>::Constant(1, 1, x).eval(); };
  const auto run = [&](double value, double gradient, double hessian, NewtonOptions options) {
    return newton_minimum([&](const Vector<double>&) { return value; },
                          [&](const Vector<double>&) { return at(gradient); },
                          [&](const Vector<double>&) { return matrix(hessian); }, at(1), options);
  };
  CHECK_THROWS_WITH(run(std::nan(""), 1, 1, {}),
                    "newton_minimum: the function and its gradient must be finite (got nan)");
  CHECK_THROWS_WITH(run(0, 1, -1, {}), "newton_minimum: the Hessian must be positive definite; iteration (got 0)");
  CHECK_THROWS_WITH(run(0, 1, 1, {.tolerance = -1}), "newton_minimum: tolerance must not be negative (got -1)");
  CHECK_THROWS_WITH(run(0, 1, 1, {.max_iterations = 0}), "newton_minimum: max_iterations must be positive (got 0)");
  CHECK_THROWS_WITH(newton_minimum([](const Vector<double>& x) { return std::exp(x[0]); },
                                   [&](const Vector<double>& x) { return at(std::exp(x[0])); },
                                   [&](const Vector<double>& x) { return matrix(std::exp(x[0])); }, at(0),
                                   {.tolerance = 1e-12, .max_iterations = 3}),
                    "newton_minimum: it did not converge; iterations (got 3)");
}

// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <vector>

#include <mellow/environments/random_linear.hpp>
#include <mellow/value/expected_td.hpp>
#include <mellow/value/sampled_td.hpp>
#include <mellow/value/td_objective.hpp>

#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::value;

namespace {

/// H = sum_i c_i / 2 (w_i - m sin(theta_i) - 1)^2, written as a user would: F_w = min c, L = max c, F_theta = m max c.
struct Sines {
  using Scalar = double;
  Eigen::Array2d curvature{1.0, 4.0};
  double m = 0.2;

  Index parameters() const { return 2; }
  Vector<double> grad_w(const Vector<double>& theta, const Vector<double>& w) const {
    return curvature * (w.array() - m * theta.array().sin() - 1);
  }
  Vector<double> argmin_w(const Vector<double>& theta) const { return m * theta.array().sin() + 1; }
  ForceConstants<double> force_constants() const {
    return {.optimization_force = 1, .target_force = m * 4, .smoothness = 4};
  }
};

}  // namespace

static_assert(TdObjective<Sines> && TdObjective<ExpectedTd<double>> && TdObjective<ExpectedTd<float>>);
static_assert(TdGradient<SampledTd> && !TdObjective<SampledTd>);

// td_convergence.md, section 3.2: both algorithms, theorem 3, propositions 4 and 5, for an objective of one's own.
TEST_CASE("Exact and K-step updates of any objective contract to the same fixed point at the certified rate") {
  const Sines h;
  const auto forces = h.force_constants();
  REQUIRE(forces.certified());
  std::vector<Vector<double>> iterates;
  const auto exact = td_iteration(h, Vector<double>::Constant(2, 9), ExactUpdate{}, {.tolerance = 1e-14},
                                  [&](Index, const Vector<double>& theta) { iterates.push_back(theta); });
  CHECK(exact.converged);
  for (std::size_t i = 1; i < iterates.size(); ++i)
    CHECK((iterates[i] - exact.theta).norm() <= forces.exact_rate() * (iterates[i - 1] - exact.theta).norm() + 1e-14);
  CHECK(exact.theta[0] == Approx(1 + 0.2 * std::sin(exact.theta[0])).epsilon(1e-13));
  for (const Index k : {1, 2, 5, 20, 100}) {
    const GradientUpdate update{.steps = k, .learning_rate = forces.learning_rate()};
    std::vector<double> distances;
    const auto run = td_iteration(h, Vector<double>::Constant(2, 9), update, {.tolerance = 1e-13},
                                  [&](Index n, const Vector<double>& theta) {
                                    CHECK(n == static_cast<Index>(distances.size()));
                                    distances.push_back((theta - exact.theta).norm());
                                  });
    CHECK(run.converged);
    CHECK_FALSE(run.diverged);
    CHECK(run.residual <= 1e-13);
    CHECK(run.updates + 1 == static_cast<Index>(distances.size()));
    CHECK((run.theta - exact.theta).norm() < 1e-12);
    for (std::size_t i = 1; i < distances.size(); ++i) CHECK(distances[i] <= forces.rate(k) * distances[i - 1] + 1e-14);
  }
}

TEST_CASE("A target's updates end where they converge, diverge or are used up") {
  const auto two_states = [](double first) {
    return ExpectedTd(environments::tsitsiklis_van_roy({.discount = 0.9, .end = 0.1, .first_weight = first}));
  };
  const Vector<double> one = Vector<double>::Ones(1);
  const auto converged = td_iteration(two_states(0), one, ExactUpdate{}, {.tolerance = 1e-6});
  CHECK(converged.converged);
  // The residual is (M_w - M_theta) .81^n = .76 .81^n.
  CHECK(converged.updates == static_cast<Index>(std::ceil(std::log(1e-6 / 0.76) / std::log(0.81))));
  const auto diverged = td_iteration(two_states(1), one, ExactUpdate{}, {.limit = 1e6});
  CHECK(diverged.diverged);
  CHECK_FALSE(diverged.converged);
  CHECK(diverged.updates == static_cast<Index>(std::ceil(6 / std::log10(1.8))));
  const auto used_up = td_iteration(two_states(0), one, GradientUpdate{}, {.updates = 3});
  CHECK_FALSE(used_up.converged);
  CHECK_FALSE(used_up.diverged);
  CHECK(used_up.updates == 3);
  CHECK(td_iteration(two_states(0), Vector<double>::Constant(1, std::nan("")), ExactUpdate{}).diverged);
  CHECK(td_iteration(two_states(0), Vector<double>::Zero(1), ExactUpdate{}).updates == 0);
}

TEST_CASE("Numbers out of range of a target's updates are refused") {
  const Sines h;
  const Vector<double> theta = Vector<double>::Zero(2);
  CHECK_THROWS_WITH(td_iteration(h, Vector<double>::Zero(3), ExactUpdate{}),
                    "value::td_iteration: theta must have 2 numbers (got 3)");
  CHECK_THROWS_WITH(td_iteration(h, theta, GradientUpdate{.steps = 0}),
                    "value::GradientUpdate: steps must be positive (got 0)");
  CHECK_THROWS_WITH(td_iteration(h, theta, GradientUpdate{.learning_rate = 0}),
                    "value::GradientUpdate: learning_rate must be positive and finite (got 0)");
  CHECK_THROWS_WITH(td_iteration(h, theta, ExactUpdate{}, {.updates = 0}),
                    "value::TdIterationOptions: updates must be positive (got 0)");
  CHECK_THROWS_WITH(td_iteration(h, theta, ExactUpdate{}, {.tolerance = -1}),
                    "value::TdIterationOptions: tolerance must not be negative (got -1)");
  CHECK_THROWS_WITH(td_iteration(h, theta, ExactUpdate{}, {.limit = 0}),
                    "value::TdIterationOptions: limit must be positive (got 0)");
}

TEST_CASE("The certified rate falls with K from near 1 to F_theta / F_w, and is silent without an optimisation force") {
  const ForceConstants<> forces{.optimization_force = 0.5, .target_force = 0.4, .smoothness = 2};
  CHECK(forces.certified());
  CHECK(forces.exact_rate() == Approx(0.8));
  CHECK(forces.learning_rate() == Approx(0.5));
  double last = 1;
  for (const Index k : {1, 2, 5, 10, 50, 500}) {
    CHECK(forces.rate(k) < last);
    last = forces.rate(k);
  }
  CHECK(last == Approx(0.8).epsilon(1e-12));
  // Equal forces certify nothing: the rate is 1 for every K.
  const ForceConstants<> equal{.optimization_force = 0.5, .target_force = 0.5, .smoothness = 2};
  CHECK_FALSE(equal.certified());
  CHECK(equal.rate(7) == 1);
  CHECK(std::isinf(ForceConstants<>{.optimization_force = 1, .target_force = INFINITY, .smoothness = 1}.rate(3)));
  CHECK(ForceConstants<>{.optimization_force = 2 + 1e-15, .target_force = 1, .smoothness = 2}.rate(3) == Approx(0.5));
}

TEST_CASE("The norm and the radius of a matrix") {
  Matrix<double> shear(2, 2);
  shear << 0.5, 3, 0, -0.25;
  CHECK(spectral_radius(shear) == Approx(0.5));
  CHECK(spectral_norm(shear) == Approx(std::sqrt((9.3125 + std::sqrt(9.3125 * 9.3125 - 4 * 0.015625)) / 2)));
  CHECK(spectral_norm<double>(Matrix<double>::Constant(2, 5, 2)) == Approx(2 * std::sqrt(10)));
  CHECK(spectral_norm<double>(Matrix<double>::Constant(5, 2, 2)) == Approx(2 * std::sqrt(10)));
  CHECK(spectral_norm<double>(Matrix<double>::Zero(2, 2)) == 0);
}

TEST_CASE("The sampled gradient is unbiased, of processes that end and weights of any sum too") {
  Rng rng(7);
  auto mrp = environments::random_linear_mrp({.states = 4, .features = 2, .discount = 0.8}, rng);
  mrp.transitions *= 0.7;
  mrp.weights *= 3;
  const ExpectedTd td(mrp);
  const Vector<double> theta = Vector<double>::LinSpaced(2, 1, 2), w = Vector<double>::LinSpaced(2, -1, 0.5);
  SampledTd sampled(mrp, 16, Rng(8));
  const int draws = 20'000;
  Vector<double> total = Vector<double>::Zero(2), square = Vector<double>::Zero(2);
  for (int i = 0; i < draws; ++i) {
    const Vector<double> g = sampled.grad_w(theta, w);
    total += g;
    square += g.cwiseAbs2();
  }
  const Vector<double> mean = total / draws;
  const Vector<double> error = ((square / draws - mean.cwiseAbs2()) / draws).cwiseSqrt();
  const Vector<double> off = (mean - td.grad_w(theta, w)).cwiseQuotient(error);
  CHECK(off.cwiseAbs().maxCoeff() < 5);
  CHECK(error.maxCoeff() < 0.05);
  CHECK_THROWS_WITH(SampledTd(mrp, 0, Rng(0)), "value::SampledTd: batch must be positive (got 0)");
}

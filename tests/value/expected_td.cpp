// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <vector>

#include <mellow/core/rng.hpp>
#include <mellow/environments/linear_mrp.hpp>
#include <mellow/value/expected_td.hpp>

#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::value;
using environments::baird_star;
using environments::LinearMrp;
using environments::tsitsiklis_van_roy;

namespace {

const auto at = [](double x) { return Vector<double>::Constant(1, x); };

LinearMrp random_mrp(Rng& rng, Index n, Index k, double discount) {
  LinearMrp mrp{.transitions = Matrix<double>(n, n),
                .rewards = Vector<double>(n),
                .discount = discount,
                .features = Matrix<double>(k, n),
                .weights = Vector<double>(n)};
  for (double& x : mrp.transitions.reshaped()) x = rng.uniform();
  for (Index s = 0; s < n; ++s) mrp.transitions.row(s) /= mrp.transitions.row(s).sum();
  for (double& x : mrp.rewards) x = rng.normal();
  for (double& x : mrp.features.reshaped()) x = rng.normal();
  for (double& x : mrp.weights) x = rng.uniform();
  mrp.weights /= mrp.weights.sum();
  return mrp;
}

void expect_near(const Vector<double>& x, std::vector<double> expected, double margin = 6e-10) {
  REQUIRE(x.size() == static_cast<Index>(expected.size()));
  for (Index i = 0; i < x.size(); ++i) CHECK(x[i] == Approx(expected[static_cast<std::size_t>(i)]).margin(margin));
}

}  // namespace

// td_convergence, section 4.1.
TEST_CASE("The two-state example has the multipliers and thresholds of the sheet") {
  struct Case {
    double discount, end, first, m_w, m_theta, multiplier, threshold;
  };
  for (const Case& c : {Case{.95, .1, .5, 2.5, 2.66, 1.064, .391891892},
                        {.9, .1, .5, 2.5, 2.52, 1.008, .487179487},
                        {.99, .05, .5, 2.5, 2.871, 1.1484, .195402299},
                        {.9, .1, .2, 3.4, 2.952, .868235294, .487179487},
                        {.9, .1, 1, 1, 1.8, 1.8, .487179487},
                        {.9, .1, 0, 4, 3.24, .81, .487179487}}) {
    const auto td = [&](double first) {
      return ExpectedTd(tsitsiklis_van_roy({.discount = c.discount, .end = c.end, .first_weight = first}));
    };
    CHECK(td(c.first).m_w()(0, 0) == Approx(c.m_w).epsilon(1e-12));
    CHECK(td(c.first).m_theta()(0, 0) == Approx(c.m_theta).epsilon(1e-12));
    CHECK(td(c.first).exact_map()(0, 0) == Approx(c.multiplier).epsilon(1e-9));
    CHECK(td(c.first).exact_step(at(1))[0] == Approx(c.multiplier).epsilon(1e-9));
    const double threshold = (4 - 4 * c.discount * (1 - c.end)) / (3 + 2 * c.discount - 4 * c.discount * (1 - c.end));
    CHECK(threshold == Approx(c.threshold).margin(6e-10));
    CHECK(td(threshold - 1e-9).exact_map()(0, 0) < 1);
    CHECK(td(threshold + 1e-9).exact_map()(0, 0) > 1);
    CHECK(std::abs(td(c.first).fixed_point()[0]) < 1e-12);
  }
}

TEST_CASE("The uniform two-state example converges up to discount 5 / (6 - 4 end)") {
  for (const auto& [end, threshold] : {std::pair{0.0, .833333}, {.1, .892857}, {.2, .961538}}) {
    const auto multiplier = [end = end](double discount) {
      return ExpectedTd(tsitsiklis_van_roy({.discount = discount, .end = end})).exact_map()(0, 0);
    };
    CHECK(5 / (6 - 4 * end) == Approx(threshold).margin(1e-6));
    CHECK(multiplier(5 / (6 - 4 * end) - 1e-9) < 1);
    CHECK(multiplier(5 / (6 - 4 * end) + 1e-9) > 1);
  }
  for (const double end : {.25, .5})  // thresholds of 1 and 1.25
    CHECK(ExpectedTd(tsitsiklis_van_roy({.discount = 1, .end = end})).exact_map()(0, 0) <= 1 + 1e-12);
}

TEST_CASE("K gradient steps on the two-state example") {
  struct Case {
    double first, one, five;
  };
  for (const Case& c : {Case{.5, 1.002, 1.0061015625}, {.2, .9552, .884736617}, {.1, .9396, .852957613}}) {
    const ExpectedTd td(tsitsiklis_van_roy({.discount = .9, .end = .1, .first_weight = c.first}));
    CHECK(td.gradient_steps(at(1), 1, 0.1)[0] == Approx(c.one).epsilon(1e-9));
    CHECK(td.gradient_steps(at(1), 5, 0.1)[0] == Approx(c.five).epsilon(1e-9));
    const double m_w = td.m_w()(0, 0), r = td.m_theta()(0, 0) / m_w;
    for (const Index k : {1, 2, 5, 20}) {
      CHECK(td.gradient_steps(at(3), k, 0.1)[0] ==
            Approx(3 * (r + (1 - r) * std::pow(1 - 0.1 * m_w, k))).epsilon(1e-12));
      CHECK(td.gradient_map(k, 0.1)(0, 0) == Approx(td.gradient_steps(at(1), k, 0.1)[0]).epsilon(1e-12));
      CHECK(td.gradient_steps(at(1), k, 1 / m_w)[0] == Approx(r).epsilon(1e-12));
    }
  }
}

// td_convergence, section 4.2.
TEST_CASE("The certified rate sigma_K") {
  struct Case {
    double eta, kappa;
    std::vector<double> sigma;
  };
  for (const Case& c : {Case{.5, .2, {.921954, .854400, .704102, .574918, .500011}},
                        {.9, .1, {.990454, .981784, .960309, .936082, .900544}},
                        {.9, .5, {.951315, .926013, .903293, .900103, .900000}},
                        {0, .1, {.948683, .900000, .768433, .590490, .071790}}}) {
    const ForceConstants<> forces{.optimization_force = c.kappa, .target_force = c.eta * c.kappa, .smoothness = 1};
    std::size_t i = 0;
    for (const Index k : {1, 2, 5, 10, 50}) CHECK(forces.rate(k) == Approx(c.sigma[i++]).margin(6e-7));
  }
}

// td_convergence, section 4.3.
TEST_CASE("Updates follow their closed forms and keep the certified rate") {
  Rng rng(1);
  int certified = 0;
  for (int i = 0; i < 200; ++i) {
    const ExpectedTd td(random_mrp(rng, 6, 3, 0.3));
    const Vector<double> fixed = td.fixed_point();
    CHECK(td.gradient(fixed, fixed).norm() < 1e-10);
    const auto forces = td.force_constants();
    const bool holds = forces.target_force < forces.optimization_force;
    certified += holds;
    if (holds) CHECK(spectral_radius(td.exact_map()) < 1);
    const double alpha = 1 / forces.smoothness;
    for (const Index k : {1, 2, 5, 20}) {
      Vector<double> theta = fixed + Vector<double>::Ones(3);
      const Matrix<double> power = [&] {
        Matrix<double> p = Matrix<double>::Identity(3, 3);
        for (Index j = 0; j < k; ++j) p *= Matrix<double>::Identity(3, 3) - alpha * td.m_w();
        return p;
      }();
      const Matrix<double> closed = power + (Matrix<double>::Identity(3, 3) - power) * td.exact_map();
      CHECK((td.gradient_map(k, alpha) - closed).norm() < 1e-9 * (1 + closed.norm()));
      for (int update = 0; update < (holds ? 30 : 3); ++update) {
        const Vector<double> next = td.gradient_steps(theta, k, alpha);
        CHECK((next - fixed - closed * (theta - fixed)).norm() < 1e-9 * (1 + fixed.norm()));
        if (holds) CHECK((next - fixed).norm() <= forces.rate(k) * (theta - fixed).norm() + 1e-12);
        theta = next;
      }
      theta = fixed + Vector<double>::Ones(3);
      CHECK((td.exact_step(theta) - fixed - td.exact_map() * (theta - fixed)).norm() < 1e-9 * (1 + fixed.norm()));
    }
  }
  CHECK(certified > 20);
}

TEST_CASE("With the stationary distribution exact updates contract by the discount") {
  Rng rng(2);
  for (int i = 0; i < 50; ++i) {
    LinearMrp mrp = random_mrp(rng, 6, 3, 0.95);
    for (int sweep = 0; sweep < 200; ++sweep) mrp.weights = mrp.transitions.transpose() * mrp.weights;
    CHECK(spectral_radius(ExpectedTd(mrp).exact_map()) <= 0.95 + 1e-9);
  }
}

// td_convergence, section 4.4.
TEST_CASE("Baird's star: the forces, divergence, and what a ridge certifies") {
  const ExpectedTd td(baird_star());
  Vector<double> curvatures = Eigen::SelfAdjointEigenSolver<Matrix<double>>(td.m_w()).eigenvalues();
  expect_near(curvatures, {0, .285714, .571429, .571429, .571429, .571429, .571429, 1.857143}, 6e-7);
  CHECK(td.force_constants().target_force == Approx(2.983438983).margin(6e-10));
  const auto eigenvalues =
      Eigen::EigenSolver<Matrix<double>>(td.m_w() - td.m_theta(), false).eigenvalues().real().eval();
  CHECK((eigenvalues.array() + .239250).abs().minCoeff() < 6e-7);
  CHECK((eigenvalues.array() + .022178).abs().minCoeff() < 6e-7);
  for (const double alpha : {1e-3, 0.01, 0.1, 0.5}) CHECK(spectral_radius(td.gradient_map(1, alpha)) > 1);
  CHECK(spectral_radius(td.exact_map()) == Approx(.99).margin(1e-9));

  struct Case {
    double ridge, certified, actual;
  };
  for (const Case& c : {Case{.5, 5.966878, .932727},
                        {1, 2.983439, .797500},
                        {2, 1.491719, .605000},
                        {3, .994480, .484872},
                        {4, .745860, -1}}) {
    const ExpectedTd held(baird_star(), c.ridge);
    CHECK(held.force_constants().exact_rate() == Approx(c.certified).margin(6e-7));
    if (c.actual > 0) CHECK(spectral_radius(held.exact_map()) == Approx(c.actual).margin(6e-7));
  }

  const auto after = [](const ExpectedTd<>& learner, double alpha) {
    Vector<double> theta = Vector<double>::Ones(8);
    for (int i = 0; i < 2000; ++i) theta = learner.gradient_steps(theta, 1, alpha);
    return theta.norm();
  };
  const ExpectedTd held(baird_star(), 3);
  CHECK(after(held, 1 / held.force_constants().smoothness) < 1e-9);
  CHECK(after(td, 1 / td.force_constants().smoothness) > 1e9);
  Vector<double> theta = Vector<double>::Ones(8);
  for (int i = 0; i < 2000; ++i) theta = td.exact_step(theta);
  CHECK(theta.norm() < 1e-6);
}

// td_convergence, section 4.5.
TEST_CASE("A small fixed instance, number by number") {
  LinearMrp mrp{.transitions = (Matrix<double>(3, 3) << .5, .5, 0, 0, .5, .5, .5, 0, .5).finished(),
                .rewards = Eigen::Vector3d(1, 0, 2),
                .discount = .9,
                .features = (Matrix<double>(2, 3) << 1, 0, 1, 0, 1, 1).finished(),
                .weights = Eigen::Vector3d(.5, .3, .2)};
  {
    const ExpectedTd td(mrp);
    CHECK((td.m_w() - (Matrix<double>(2, 2) << .7, .2, .2, .5).finished()).norm() < 1e-15);
    CHECK((td.m_theta() - (Matrix<double>(2, 2) << .405, .315, .315, .36).finished()).norm() < 1e-15);
    expect_near(td.b(), {.9, .4}, 1e-15);
    const auto forces = td.force_constants();
    CHECK(forces.optimization_force == Approx(.376393202).margin(6e-10));
    CHECK(forces.smoothness == Approx(.823606798).margin(6e-10));
    CHECK(forces.target_force == Approx(.698302549).margin(6e-10));
    CHECK(spectral_radius(td.exact_map()) == Approx(.891068723).margin(6e-10));
    expect_near(td.fixed_point(), {6.126447017, 7.889581478});
    const auto path = [&](auto&& step, std::vector<std::vector<double>> expected) {
      Vector<double> theta = Vector<double>::Zero(2);
      for (const auto& next : expected) expect_near(theta = step(theta), next);
    };
    const double alpha = 1 / forces.smoothness;
    path([&](const Vector<double>& theta) { return td.exact_step(theta); },
         {{1.193548387, .322580645}, {1.819614984, 1.056347555}, {2.303722601, 1.785438639}});
    path([&](const Vector<double>& theta) { return td.gradient_steps(theta, 1, alpha); },
         {{1.092754458, .485668648}, {1.861919224, 1.041362400}, {2.433175442, 1.609995365}});
    path([&](const Vector<double>& theta) { return td.gradient_steps(theta, 5, alpha); },
         {{1.184786157, .336758232}, {1.826590056, 1.049709438}, {2.314300594, 1.769531062}});
  }
  mrp.discount = .3;
  const ExpectedTd td(mrp);
  const auto forces = td.force_constants();
  CHECK(forces.target_force == Approx(.232767516).margin(6e-10));
  CHECK(forces.exact_rate() == Approx(.618415835).margin(6e-10));
  CHECK(forces.optimization_force / forces.smoothness == Approx(.457005944).margin(6e-10));
  expect_near(td.fixed_point(), {1.478060046, .683116567});
  CHECK(forces.rate(1) == Approx(.847213409).margin(6e-10));
  CHECK(forces.rate(5) == Approx(.641552262).margin(6e-10));
  const auto ratios = [&](Index k, std::vector<double> expected) {
    Vector<double> theta = Vector<double>::Zero(2);
    for (const double ratio : expected) {
      const Vector<double> next = td.gradient_steps(theta, k, 1 / forces.smoothness);
      CHECK((next - td.fixed_point()).norm() / (theta - td.fixed_point()).norm() == Approx(ratio).margin(6e-9));
      CHECK(ratio < forces.rate(k));
      theta = next;
    }
  };
  ratios(1, {.265893637, .268138938, .278613670, .320217361});
  ratios(5, {.278724805, .306098739, .303842210, .302012986});
}

TEST_CASE("A negative ridge is refused") { CHECK_THROWS_AS(ExpectedTd(baird_star(), -1), Error); }

TEST_CASE(
    "Where features depend on each other nothing is certified") {  // td_convergence.md, section 3.7: F_w < 1e-12 L
  const auto constants = ExpectedTd(baird_star()).force_constants();
  CHECK(constants.optimization_force == 0);
  CHECK(std::isinf(constants.exact_rate()));
  CHECK(std::isinf(constants.rate(5)));
}

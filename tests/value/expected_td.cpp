// SPDX-License-Identifier: Apache-2.0
#include <Eigen/SVD>

#include <algorithm>
#include <cmath>
#include <vector>

#include <mellow/core/rng.hpp>
#include <mellow/environments/random_linear.hpp>
#include <mellow/value/expected_td.hpp>
#include <mellow/value/td_objective.hpp>

#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::value;
using environments::baird_star;
using environments::LinearMrp;
using environments::tsitsiklis_van_roy;

namespace {

const auto at = [](double x) { return Vector<double>::Constant(1, x); };

Vector<double> gradient_update(const ExpectedTd<>& td, const Vector<double>& theta, Index steps, double learning_rate) {
  return GradientUpdate{.steps = steps, .learning_rate = learning_rate}(td, theta);
}

LinearMrp random_mrp(Rng& rng, Index n, Index k, double discount) {
  return environments::random_linear_mrp({.states = n, .features = k, .discount = discount}, rng);
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
    CHECK(c.m_theta / c.m_w == Approx(c.multiplier).margin(6e-10));
    CHECK(td(c.first).exact_map()(0, 0) == Approx(c.m_theta / c.m_w).epsilon(1e-12));
    CHECK(td(c.first).argmin_w(at(1))[0] == Approx(c.m_theta / c.m_w).epsilon(1e-12));
    const double threshold = (4 - 4 * c.discount * (1 - c.end)) / (3 + 2 * c.discount - 4 * c.discount * (1 - c.end));
    CHECK(threshold == Approx(c.threshold).margin(6e-10));
    CHECK(td(threshold - 1e-9).exact_map()(0, 0) < 1);
    CHECK(td(threshold + 1e-9).exact_map()(0, 0) > 1);
    CHECK(std::abs(td(c.first).fixed_point()[0]) < 1e-12);
  }
}

TEST_CASE("The uniform two-state example converges up to discount 5 / (6 - 4 end)") {
  for (const auto& [end, threshold] : {std::pair{0.0, .833333}, {.1, .892857}, {.2, .961538}, {.25, 1.0}, {.5, 1.25}}) {
    const auto multiplier = [end = end](double discount) {
      return ExpectedTd(tsitsiklis_van_roy({.discount = discount, .end = end})).exact_map()(0, 0);
    };
    CHECK(5 / (6 - 4 * end) == Approx(threshold).margin(6e-7));
    CHECK(multiplier(std::min(1.0, threshold - 1e-6)) < 1);
    if (threshold < 1) CHECK(multiplier(threshold + 1e-6) > 1);
    else CHECK(multiplier(1) == Approx(1 / threshold).epsilon(1e-12));
  }
}

TEST_CASE("K gradient steps on the two-state example") {
  struct Case {
    double first, one, five;
  };
  for (const Case& c : {Case{.5, 1.002, 1.0061015625}, {.2, .9552, .884736617}, {.1, .9396, .852957613}}) {
    const ExpectedTd td(tsitsiklis_van_roy({.discount = .9, .end = .1, .first_weight = c.first}));
    CHECK(gradient_update(td, at(1), 1, 0.1)[0] == Approx(c.one).epsilon(1e-12));
    CHECK(gradient_update(td, at(1), 5, 0.1)[0] == Approx(c.five).margin(6e-10));
    const double m_w = td.m_w()(0, 0), r = td.m_theta()(0, 0) / m_w;
    for (const Index k : {1, 2, 5, 20}) {
      CHECK(gradient_update(td, at(3), k, 0.1)[0] ==
            Approx(3 * (r + (1 - r) * std::pow(1 - 0.1 * m_w, k))).epsilon(1e-12));
      CHECK(td.gradient_map(k, 0.1)(0, 0) == Approx(gradient_update(td, at(1), k, 0.1)[0]).epsilon(1e-12));
      CHECK(gradient_update(td, at(1), k, 1 / m_w)[0] == Approx(r).epsilon(1e-12));
    }
  }
}

// td_convergence.md, section 3.6.
TEST_CASE("Updating one state alone, or both equally") {
  const auto map = [](double discount, double end, double first) {
    return ExpectedTd(tsitsiklis_van_roy({.discount = discount, .end = end, .first_weight = first})).exact_map()(0, 0);
  };
  for (const double end : {0.05, 0.1, 0.5, 1.0})
    for (const double discount : {0.1, 0.4, 0.5, 0.6, 0.9, 1.0}) {
      CHECK(map(discount, end, 0) == Approx((1 - end) * discount).margin(1e-14));  // always below 1
      CHECK(map(discount, end, 1) == Approx(2 * discount).epsilon(1e-14));
      CHECK(map(discount, end, 0.5) == Approx(discount * (6 - 4 * end) / 5).epsilon(1e-14));
      CHECK((map(discount, end, 0.5) < 1) == (discount < 5 / (6 - 4 * end)));
    }
  // With the first alone the force of the target outgrows the other at discount 1/2.
  for (const auto& [discount, grows] : {std::pair{0.5 - 1e-9, false}, {0.5 + 1e-9, true}, {0.3, false}, {0.7, true}}) {
    const ExpectedTd td(tsitsiklis_van_roy({.discount = discount, .end = 0.1, .first_weight = 1}));
    const auto forces = td.force_constants();
    CHECK(forces.optimization_force == Approx(1));
    CHECK(forces.target_force == Approx(2 * discount));
    CHECK((forces.target_force > forces.optimization_force) == grows);
    CHECK((td.argmin_w(at(1))[0] > 1) == grows);
    for (const Index k : {1, 5}) CHECK((gradient_update(td, at(1), k, 0.1)[0] > 1) == grows);
  }
}

// td_convergence.md, section 3.6.
TEST_CASE("How often the first state may be updated: some share above 0 whenever the second may end") {
  for (const double end : {0.001, 0.05, 0.1, 0.25, 0.5, 1.0})
    for (const double discount : {0.2, 0.45, 0.55, 0.8, 0.95, 0.99, 1.0}) {
      CAPTURE(end, discount);
      const auto map = [&](double p) {
        const ExpectedTd td(tsitsiklis_van_roy({.discount = discount, .end = end, .first_weight = p}));
        CHECK(td.m_w()(0, 0) == Approx(4 - 3 * p).epsilon(1e-14));
        CHECK(td.m_theta()(0, 0) == Approx(2 * discount * p + 4 * discount * (1 - end) * (1 - p)).epsilon(1e-14));
        return td.exact_map()(0, 0);
      };
      const double second = 4 * discount * (1 - end), threshold = (4 - second) / (3 + 2 * discount - second);
      CHECK(threshold > 0);
      CHECK(map(0.999 * std::min(threshold, 1.0)) < 1);
      for (double p = 0.0125; p < 1; p += 0.025)
        if (std::abs(p - threshold) > 1e-9) CHECK((map(p) < 1) == (p < threshold));
    }
}

// td_convergence.md, section 3.6: the derived condition, and why not the printed one.
TEST_CASE("One feature whose discounted size never grows along a transition converges, whatever is updated") {
  Rng rng(3);
  for (int i = 0; i < 500; ++i) {
    LinearMrp mrp = random_mrp(rng, 6, 1, rng.uniform(0.1, 0.99));
    for (double& x : mrp.features.reshaped())
      x = rng.uniform(mrp.discount + 0.001, 1) * (rng.below(2) == 1 ? 1 : -1);  // discount |phi(s')| < |phi(s)|
    if (i % 2 == 0) mrp.transitions *= rng.uniform();
    for (double& x : mrp.weights) x = std::pow(x, 4);
    const ExpectedTd td(mrp);
    CHECK(std::abs(td.exact_map()(0, 0)) < 1);
    for (const Index k : {1, 5}) CHECK(std::abs(td.gradient_map(k, 1 / td.m_w()(0, 0))(0, 0)) < 1);
  }
  // The condition holds with equality: the value neither grows nor shrinks.
  CHECK(ExpectedTd(tsitsiklis_van_roy({.discount = .5, .end = 1, .first_weight = 1})).exact_map()(0, 0) == 1);
  // The printed one, phi(s) <= discount phi(s'), holds here for the only transition.
  CHECK(ExpectedTd(tsitsiklis_van_roy({.discount = .9, .end = 1, .first_weight = 1})).exact_map()(0, 0) > 1.7);
}

// td_convergence.md, section 3.3.
TEST_CASE("Ordinary TD with a small step converges where M_w - M_theta has eigenvalues of positive real part alone") {
  Rng rng(4);
  int converging = 0, diverging = 0, apart = 0;
  for (int i = 0; i < 400; ++i) {
    LinearMrp mrp = random_mrp(rng, 6, 3, 0.99);
    for (double& x : mrp.weights) x = std::pow(x, 4);  // far from the stationary distribution
    mrp.features.array() += rng.uniform(0, 2);
    const ExpectedTd td(mrp);
    const Eigen::VectorXcd eigenvalues =
        Eigen::EigenSolver<Matrix<double>>(td.m_w() - td.m_theta(), false).eigenvalues();
    const double least = eigenvalues.real().minCoeff(), most = eigenvalues.cwiseAbs().maxCoeff();
    if (std::abs(least) < 1e-6 * most) continue;
    const double small = (eigenvalues.real().array().abs() / eigenvalues.cwiseAbs2().array()).minCoeff();
    for (const double alpha : {small, 0.1 * small, 0.01 * small})
      CHECK((spectral_radius(td.gradient_map(1, alpha)) < 1) == (least > 0));
    (least > 0 ? converging : diverging) += 1;
    apart += (least > 0) != (spectral_radius(td.exact_map()) < 1);
    if (std::abs(least) < 0.01 / small) continue;  // too slow to be watched
    const Vector<double> fixed = td.fixed_point();
    Vector<double> theta = fixed + Vector<double>::Ones(3);
    for (int step = 0; step < 1500 && (theta - fixed).norm() < 1e6; ++step)
      theta = gradient_update(td, theta, 1, small);
    if (least > 0) CHECK((theta - fixed).norm() < 1e-3);
    else CHECK((theta - fixed).norm() > 1e3);
  }
  CAPTURE(converging, diverging, apart);
  CHECK(converging > 20);
  CHECK(diverging > 20);
  CHECK(apart > 0);  // exact updates have a condition of their own
}

// td_convergence.md, section 3.4: propositions 6 and 7.
TEST_CASE("Each gradient step lowers the objective and approaches the fixed point as the propositions say") {
  Rng rng(5);
  int printed_fails = 0;
  for (int i = 0; i < 100; ++i) {
    const LinearMrp mrp = random_mrp(rng, 6, 3, rng.uniform(0.1, 0.95));
    const ExpectedTd td(mrp);
    const auto objective = [&](const Vector<double>& theta, const Vector<double>& w) {
      const Vector<double> error = mrp.rewards + mrp.discount * (mrp.transitions * (mrp.features.transpose() * theta)) -
                                   mrp.features.transpose() * w;
      return 0.5 * (mrp.weights.array() * error.array().square()).sum();
    };
    const auto forces = td.force_constants();
    const double f_w = forces.optimization_force, f_theta = forces.target_force, smoothness = forces.smoothness;
    const Vector<double> fixed = td.fixed_point();
    for (const double share : {1.0, 0.5, 0.1}) {
      const double alpha = share / smoothness;
      Vector<double> theta(3);
      for (double& x : theta) x = fixed.norm() * rng.normal();
      for (int update = 0; update < 3; ++update) {
        const double distance = (theta - fixed).squaredNorm();
        const double slack = 1e-10 * (1 + distance + fixed.squaredNorm()) * (1 + f_theta * f_theta / f_w);
        Vector<double> w = theta;
        for (int k = 0; k < 5; ++k) {
          const Vector<double> next = w - alpha * td.grad_w(theta, w);
          const double moved = (next - w).squaredNorm();
          CHECK(objective(theta, fixed) - objective(theta, w) <=
                f_theta * f_theta / (2 * f_w) * distance - (1 / alpha - smoothness / 2) * moved + slack);
          const double bound =
              (1 - alpha * f_w) * (w - fixed).squaredNorm() + alpha * f_theta * f_theta / f_w * distance;
          CHECK((next - fixed).squaredNorm() <= bound - (1 - alpha * smoothness) * moved + slack);
          printed_fails += (next - fixed).squaredNorm() > bound - (2 - alpha * smoothness) * moved + slack;
          w = next;
        }
        CHECK((w - gradient_update(td, theta, 5, alpha)).norm() < 1e-9 * (1 + w.norm()));
        theta = w;
      }
    }
  }
  CHECK(printed_fails > 0);  // 2 - alpha L, as the paper prints it, is too much
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
    CHECK(td.grad_w(fixed, fixed).norm() < 1e-10);
    const auto forces = td.force_constants();
    const bool holds = forces.target_force < forces.optimization_force;
    certified += holds;
    if (holds) {  // proposition 4
      CHECK(spectral_radius(td.exact_map()) < 1);
      const Vector<double> theta = fixed + Vector<double>::Ones(3);
      CHECK((td.argmin_w(theta) - fixed).norm() <= forces.exact_rate() * (theta - fixed).norm() + 1e-12);
    }
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
        const Vector<double> next = gradient_update(td, theta, k, alpha);
        CHECK((next - fixed - closed * (theta - fixed)).norm() < 1e-9 * (1 + fixed.norm()));
        if (holds) CHECK((next - fixed).norm() <= forces.rate(k) * (theta - fixed).norm() + 1e-12);
        theta = next;
      }
      theta = fixed + Vector<double>::Ones(3);
      CHECK((td.argmin_w(theta) - fixed - td.exact_map() * (theta - fixed)).norm() < 1e-10 * (1 + fixed.norm()));
    }
  }
  CHECK(certified > 20);
}

// td_convergence, section 4.3: the paper writes F_theta as an eigenvalue of M_theta, which is not symmetric.
TEST_CASE("The target force is the norm of M_theta: its largest eigenvalue would certify too much") {
  Rng rng(6);
  int apart = 0, faster_than_eigenvalue = 0, converging = 0;
  for (int i = 0; i < 2000; ++i) {
    const ExpectedTd td(random_mrp(rng, 6, 3, 0.3));
    const auto forces = td.force_constants();
    const double eigenvalue = spectral_radius(td.m_theta());
    CHECK(eigenvalue <= forces.target_force * (1 + 1e-12));
    CHECK(forces.target_force ==
          Approx(Eigen::JacobiSVD<Matrix<double>>(td.m_theta()).singularValues()[0]).epsilon(1e-9));
    if (!(eigenvalue < forces.optimization_force && forces.optimization_force <= forces.target_force)) continue;
    ++apart;
    CHECK_FALSE(forces.certified());
    converging += spectral_radius(td.exact_map()) < 1;  // certified is sufficient, not necessary
    faster_than_eigenvalue += spectral_norm(td.exact_map()) > eigenvalue / forces.optimization_force;
  }
  CAPTURE(apart, faster_than_eigenvalue, converging);
  CHECK(apart > 20);
  CHECK(converging == apart);
  CHECK(faster_than_eigenvalue > 0);  // some update shrinks less than the eigenvalue promises
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
    for (int i = 0; i < 2000; ++i) theta = gradient_update(learner, theta, 1, alpha);
    return theta.norm();
  };
  const ExpectedTd held(baird_star(), 3);
  CHECK(after(held, 1 / held.force_constants().smoothness) < 1e-9);
  CHECK(after(td, 1 / td.force_constants().smoothness) > 1e9);
  Vector<double> theta = Vector<double>::Ones(8);
  for (int i = 0; i < 2000; ++i) theta = td.argmin_w(theta);
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
    CHECK_FALSE(forces.certified());
    CHECK(spectral_radius(td.exact_map()) == Approx(.891068723).margin(6e-10));
    expect_near(td.fixed_point(), {6.126447017, 7.889581478});
    const auto path = [&](auto&& step, std::vector<std::vector<double>> expected) {
      Vector<double> theta = Vector<double>::Zero(2);
      for (const auto& next : expected) expect_near(theta = step(theta), next);
    };
    const double alpha = 1 / forces.smoothness;
    path([&](const Vector<double>& theta) { return td.argmin_w(theta); },
         {{1.193548387, .322580645}, {1.819614984, 1.056347555}, {2.303722601, 1.785438639}});
    path([&](const Vector<double>& theta) { return gradient_update(td, theta, 1, alpha); },
         {{1.092754458, .485668648}, {1.861919224, 1.041362400}, {2.433175442, 1.609995365}});
    path([&](const Vector<double>& theta) { return gradient_update(td, theta, 5, alpha); },
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
      const Vector<double> next = gradient_update(td, theta, k, 1 / forces.smoothness);
      CHECK((next - td.fixed_point()).norm() / (theta - td.fixed_point()).norm() == Approx(ratio).margin(6e-10));
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

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <vector>

#include <mellow/environments/random_linear.hpp>
#include <mellow/models/value_iteration.hpp>
#include <mellow/operators/boltzmann.hpp>
#include <mellow/operators/epsilon_mix.hpp>
#include <mellow/operators/max.hpp>
#include <mellow/operators/mean.hpp>
#include <mellow/operators/mellowmax.hpp>
#include <mellow/value/convex_td.hpp>
#include <mellow/value/expected_td.hpp>

#include "support/catch.hpp"
#include "support/gradient.hpp"

using namespace mellow;
using namespace mellow::value;
using environments::LinearControl;
using environments::LinearMrp;

namespace {

Vector<double> normals(Rng& rng, Index n, double deviation) {
  Vector<double> x(n);
  for (double& v : x) v = rng.normal(0, deviation);
  return x;
}

LinearMrp random_mrp(Rng& rng) {
  return environments::random_linear_mrp({.states = 8, .features = 4, .discount = 0.9}, rng);
}

/// Rewards in [0, 1 - discount], so that values lie in [0, 1].
LinearMrp with_small_rewards(LinearMrp mrp, Rng& rng) {
  for (double& r : mrp.rewards) r = rng.uniform(0, 1 - mrp.discount);
  return mrp;
}

LinearControl random_control(Rng& rng, double discount = 0.9) {
  return environments::random_linear_control(environments::garnet({.states = 6, .actions = 3, .branching = 4}, rng), 4,
                                             discount, rng);
}

/// The least ridge of 1/4, 1/2, 1, .. that certifies, "increasing lambda until lambda > F_theta".
template <class Make>
auto certified(const Make& make) {
  double ridge = 0.25;
  while (!make(ridge).force_constants().certified()) ridge *= 2;
  return make(ridge);
}

/// Checks every claim of the theory that an objective's own numbers can be held against.
template <class H>
void expect_objective(const H& h, Rng& rng) {
  const Index n = h.parameters();
  const auto forces = h.force_constants();
  for (int i = 0; i < 20; ++i) {
    const Vector<double> theta = normals(rng, n, 1), w = normals(rng, n, 1), other = normals(rng, n, 1);
    const auto at = [&](const Vector<double>& x) { return h.value(theta, x); };
    expect_gradient(at, w, h.grad_w(theta, w));
    const Vector<double> moved = h.grad_w(theta, w) - h.grad_w(theta, other);
    // Assumptions I to III of the paper: F_theta, F_w and L bound how the gradient moves.
    CHECK((h.grad_w(theta, w) - h.grad_w(other, w)).norm() <= forces.target_force * (theta - other).norm() + 1e-12);
    CHECK(moved.dot(w - other) >= forces.optimization_force * (w - other).squaredNorm() - 1e-12);
    CHECK(moved.norm() <= forces.smoothness * (w - other).norm() + 1e-12);
    const Vector<double> least = h.argmin_w(theta);
    CHECK(h.grad_w(theta, least).norm() < 1e-12);
    CHECK(h.value(theta, least) <= at(w) + 1e-12);
  }
}

/// Every update by K steps, and exact ones, keep the certified rate; returns the worst ratio of distances.
template <class H>
double expect_rate(const H& h, Rng& rng, Index k) {
  const auto forces = h.force_constants();
  const auto exact = td_iteration(h, Vector<double>::Zero(h.parameters()), ExactUpdate{}, {.tolerance = 1e-12});
  REQUIRE(exact.converged);
  const Vector<double> fixed = exact.theta;
  double worst = 0;
  for (int start = 0; start < 5; ++start) {
    double last = 0;
    const auto watch = [&](Index update, const Vector<double>& theta) {
      const double distance = (theta - fixed).norm();
      if (update > 0 && last > 1e-6) worst = std::max(worst, distance / last);
      last = distance;
    };
    const Vector<double> theta = fixed + normals(rng, h.parameters(), 3);
    const TdIterationOptions options{.updates = 5'000, .tolerance = 1e-8};
    const auto run = k == 0
                         ? td_iteration(h, theta, ExactUpdate{}, options, watch)
                         : td_iteration(h, theta, GradientUpdate{.steps = k, .learning_rate = forces.learning_rate()},
                                        options, watch);
    CHECK(run.converged);  // |dH/dw(theta, theta)| goes to 0
    CHECK((run.theta - fixed).norm() <= 1e-8 / (forces.optimization_force - forces.target_force));
  }
  CHECK(worst <= (k == 0 ? forces.exact_rate() : forces.rate(k)) + 1e-5);  // the fixed point is known to 1e-11 or so
  return worst;
}

}  // namespace

// td_convergence.md, section 3.5: closed-form gradients and constants.
TEST_CASE("Gradients, constants and minima of each family are what the assumptions say") {
  Rng rng(1);
  for (int i = 0; i < 10; ++i) {
    const LinearMrp mrp = random_mrp(rng);
    const LinearControl control = random_control(rng);
    for (const double ridge : {0.3, 2.0}) {
      expect_objective(ConvexTd(PredictionTargets(mrp), ErrorLoss{}, ridge), rng);
      expect_objective(ConvexTd(PredictionTargets(mrp), ErrorLoss{TdLoss::huber(0.7)}, ridge), rng);
      expect_objective(ConvexTd(PredictionTargets(with_small_rewards(mrp, rng)), LogisticLoss{}, ridge), rng);
      expect_objective(ConvexTd(ControlTargets<operators::Max>(control), ErrorLoss{}, ridge), rng);
      expect_objective(ConvexTd(ControlTargets(control, operators::Mellowmax{.omega = 3}), ErrorLoss{}, ridge), rng);
      expect_objective(ConvexTd(ControlTargets(control, operators::Mellowmax{.omega = -3}), ErrorLoss{}, ridge), rng);
      expect_objective(ConvexTd(ControlTargets(control, operators::EpsilonMix{}), ErrorLoss{TdLoss::huber(2)}, ridge),
                       rng);
    }
  }
}

// td_convergence.md, section 3.5: the gradients in full, by matrices.
TEST_CASE("Gradients of Huber's and the logistic loss in prediction, written out") {
  Rng rng(2);
  for (int i = 0; i < 20; ++i) {
    const LinearMrp mrp = with_small_rewards(random_mrp(rng), rng);
    const Matrix<double> phi = mrp.features.transpose();
    const Vector<double> theta = normals(rng, 4, 1), w = normals(rng, 4, 1);
    const Vector<double> y = mrp.rewards + mrp.discount * mrp.transitions * phi * theta;
    const Vector<double> clipped = (y - phi * w).cwiseMax(-0.5).cwiseMin(0.5);
    const ConvexTd huber(PredictionTargets(mrp), ErrorLoss{TdLoss::huber(0.5)}, 1.5);
    CHECK((huber.targets(theta) - y).norm() < 1e-13);
    CHECK((huber.grad_w(theta, w) - (1.5 * w - phi.transpose() * mrp.weights.asDiagonal() * clipped)).norm() < 1e-13);
    const auto sigma = [](const Vector<double>& z) -> Vector<double> { return (1 + (-z.array()).exp()).inverse(); };
    const Vector<double> y_logistic = mrp.rewards + mrp.discount * mrp.transitions * sigma(phi * theta);
    CHECK(y_logistic.minCoeff() >= 0);
    CHECK(y_logistic.maxCoeff() <= 1);
    const ConvexTd logistic(PredictionTargets(mrp), LogisticLoss{}, 1.5);
    CHECK((logistic.grad_w(theta, w) -
           (phi.transpose() * mrp.weights.asDiagonal() * (sigma(phi * w) - y_logistic) + 1.5 * w))
              .norm() < 1e-13);
    const Vector<double> values = sigma(phi * w);
    const double cross_entropy = -(mrp.weights.array() * (y_logistic.array() * values.array().log() +
                                                          (1 - y_logistic.array()) * (1 - values.array()).log()))
                                      .sum();
    CHECK(logistic.value(theta, w) == Approx(cross_entropy + 0.75 * w.squaredNorm()).epsilon(1e-12));
    // F_w = ridge, L = greatest curvature of the loss times lambda_max(M_w) + ridge, F_theta by the norms of the sheet.
    const Matrix<double> m_w = phi.transpose() * mrp.weights.asDiagonal() * phi;
    const Matrix<double> root = mrp.weights.cwiseSqrt().asDiagonal();
    const double greatest = symmetric_eigenvalues(m_w).maxCoeff();
    const double norms = mrp.discount * spectral_norm<double>(phi.transpose() * root) *
                         spectral_norm<double>(root * mrp.transitions * phi);
    CHECK(huber.force_constants().optimization_force == 1.5);
    CHECK(logistic.force_constants().optimization_force == 1.5);
    CHECK(huber.force_constants().smoothness == Approx(greatest + 1.5).epsilon(1e-12));
    CHECK(logistic.force_constants().smoothness == Approx(greatest / 4 + 1.5).epsilon(1e-12));
    CHECK(huber.force_constants().target_force <= norms * (1 + 1e-12));
    CHECK(logistic.force_constants().target_force == Approx(huber.force_constants().target_force / 4).epsilon(1e-12));
  }
}

TEST_CASE("Quadratic loss in prediction is ExpectedTd, and Huber's of a wide threshold too") {
  Rng rng(3);
  for (int i = 0; i < 20; ++i) {
    const LinearMrp mrp = random_mrp(rng);
    const double ridge = i % 2 == 0 ? 0.0 : 0.4;
    const ExpectedTd expected(mrp, ridge);
    const ConvexTd quadratic(PredictionTargets(mrp), ErrorLoss{}, ridge);
    const ConvexTd huber(PredictionTargets(mrp), ErrorLoss{TdLoss::huber(1e6)}, 0.4);
    const Vector<double> theta = normals(rng, 4, 1), w = normals(rng, 4, 1);
    CHECK((quadratic.grad_w(theta, w) - expected.grad_w(theta, w)).norm() < 1e-12);
    CHECK((quadratic.argmin_w(theta) - expected.argmin_w(theta)).norm() < 1e-9);
    CHECK((huber.argmin_w(theta) - ExpectedTd(mrp, 0.4).argmin_w(theta)).norm() < 1e-9);
    CHECK(quadratic.force_constants().optimization_force ==
          Approx(expected.force_constants().optimization_force).epsilon(1e-8));
    CHECK(quadratic.force_constants().smoothness == Approx(expected.force_constants().smoothness).epsilon(1e-12));
    // The norm of a product is at most the product of norms.
    CHECK(quadratic.force_constants().target_force >= expected.force_constants().target_force * (1 - 1e-12));
  }
}

// td_convergence.md, section 3.5: the gradient of control, written out; proposition 8's constant.
TEST_CASE("Control with linear values: gradient and target force by sums over states and actions") {
  Rng rng(4);
  const operators::Mellowmax mellowmax{.omega = 2};
  for (int i = 0; i < 20; ++i) {
    const LinearControl control = random_control(rng);
    const Index states = control.model.states(), actions = control.model.actions();
    const ConvexTd greedy{ControlTargets<operators::Max>(control)};
    const ConvexTd soft{ControlTargets(control, mellowmax)};
    const Vector<double> theta = normals(rng, 4, 1), w = normals(rng, 4, 1);
    Vector<double> by_max = Vector<double>::Zero(4), by_mellowmax = by_max;
    double proposition = 0;
    const auto phi = [&](Index s, Index a) { return control.features.col(s * actions + a); };
    for (Index s = 0; s < states; ++s)
      for (Index a = 0; a < actions; ++a) {
        double best = 0, smooth = 0, longest = 0;
        for (const auto& outcome : control.model.outcomes(s, a)) {
          if (outcome.terminated) continue;
          Vector<double> q(actions);
          double length = 0;
          for (Index b = 0; b < actions; ++b) {
            q[b] = phi(outcome.next, b).dot(theta);
            length = std::max(length, phi(outcome.next, b).norm());
          }
          best += outcome.probability * q.maxCoeff();
          smooth += outcome.probability * mellowmax(q);
          longest += outcome.probability * length;
        }
        const double share = control.weights(a, s), reward = control.model.rewards()(a, s), q = phi(s, a).dot(w);
        by_max += share * (q - reward - control.discount * best) * phi(s, a);
        by_mellowmax += share * (q - reward - control.discount * smooth) * phi(s, a);
        proposition += control.discount * share * phi(s, a).norm() * longest;
      }
    CHECK((greedy.grad_w(theta, w) - by_max).norm() < 1e-12);
    CHECK((soft.grad_w(theta, w) - by_mellowmax).norm() < 1e-12);
    CHECK(greedy.force_constants().target_force <= proposition * (1 + 1e-12));
    CHECK(soft.force_constants().target_force == greedy.force_constants().target_force);
  }
}

// td_convergence.md, section 3.5: the paper's last line keeps L_q(s', a')^2 alone.
TEST_CASE("The printed constant of proposition 8 may be too small") {
  environments::DenseMdp::TransitionMatrix p = environments::DenseMdp::TransitionMatrix::Zero(2, 2);
  p(0, 1) = 1;  // the first state leads to the second, which ends
  const LinearControl control{.model = environments::DenseMdp({p}, Matrix<double>::Zero(1, 2)),
                              .discount = 0.9,
                              .features = (Matrix<double>(1, 2) << 2, 1).finished(),
                              .weights = (Matrix<double>(1, 2) << 1, 0).finished()};
  const ConvexTd h{ControlTargets<operators::Max>(control)};
  const Vector<double> zero = Vector<double>::Zero(1), one = Vector<double>::Ones(1);
  const double moved = (h.grad_w(one, zero) - h.grad_w(zero, zero)).norm(), printed = 0.9 * 1 * 1;
  CHECK(moved == Approx(0.9 * 2 * 1));
  CHECK(moved > printed);
  CHECK(h.force_constants().target_force == Approx(moved));
}

TEST_CASE("With a feature for each action, exact updates are value iteration") {
  Rng rng(5);
  const auto model = environments::DenseMdp(environments::garnet({.states = 5, .actions = 3, .branching = 2}, rng));
  const LinearControl control{.model = model,
                              .discount = 0.8,
                              .features = Matrix<double>::Identity(15, 15),
                              .weights = Matrix<double>::Constant(3, 5, 1.0 / 15)};
  const auto expect_plan = [&](const auto& op) {
    const auto plan = models::generalized_value_iteration(model, op, {.discount = 0.8, .tolerance = 1e-13});
    const auto run = td_iteration(ConvexTd{ControlTargets(control, op)}, Vector<double>::Zero(15), ExactUpdate{},
                                  {.tolerance = 1e-11});
    CHECK(run.converged);
    CHECK((run.theta - plan.q.reshaped()).cwiseAbs().maxCoeff() < 1e-9);
  };
  expect_plan(operators::Max{});
  expect_plan(operators::Mean{});
  expect_plan(operators::Mellowmax{.omega = 4});
  expect_plan(operators::Boltzmann{.beta = 1});
}

// td_convergence.md, section 4.3: regularised Huber and logistic losses.
TEST_CASE("Certified updates of Huber's and the logistic loss and of control keep sigma_K and reach the fixed point") {
  Rng rng(6);
  for (int i = 0; i < 4; ++i) {
    const LinearMrp mrp = random_mrp(rng), small = with_small_rewards(mrp, rng);
    const LinearControl control = random_control(rng);
    const auto huber =
        certified([&](double ridge) { return ConvexTd(PredictionTargets(mrp), ErrorLoss{TdLoss::huber()}, ridge); });
    const auto logistic =
        certified([&](double ridge) { return ConvexTd(PredictionTargets(small), LogisticLoss{}, ridge); });
    const auto greedy =
        certified([&](double ridge) { return ConvexTd(ControlTargets<operators::Max>(control), ErrorLoss{}, ridge); });
    const auto soft = certified([&](double ridge) {
      return ConvexTd(ControlTargets(control, operators::Mellowmax{.omega = 5}), ErrorLoss{}, ridge);
    });
    for (const Index k : {0, 1, 2, 10}) {
      CHECK(expect_rate(huber, rng, k) > 0);
      CHECK(expect_rate(logistic, rng, k) > 0);
      CHECK(expect_rate(greedy, rng, k) > 0);
      CHECK(expect_rate(soft, rng, k) > 0);
    }
  }
}

// td_convergence.md, section 4.3: the constants of the run that is quoted there give its certified rates.
TEST_CASE("Certified rates of the quoted Huber and logistic runs") {
  const ForceConstants<> huber{.optimization_force = 2, .target_force = 1.0878, .smoothness = 5.709};
  CHECK(huber.rate(1) == Approx(.8679).margin(6e-5));
  CHECK(huber.rate(10) == Approx(.5525).margin(6e-5));
  const ForceConstants<> logistic{.optimization_force = 1, .target_force = .27195, .smoothness = 1.927};
  CHECK(logistic.rate(1) == Approx(.7208).margin(1.4e-4));  // as far as four digits of L tell
}

TEST_CASE("An operator that is no non-expansion has no known target force") {
  Rng rng(7);
  const LinearControl control = random_control(rng);
  const ConvexTd h(ControlTargets(control, operators::Boltzmann{.beta = 5}), ErrorLoss{}, 100.0);
  CHECK(std::isinf(h.force_constants().target_force));
  CHECK_FALSE(h.force_constants().certified());
  CHECK(std::isinf(h.force_constants().rate(3)));
}

TEST_CASE("What an objective cannot take is refused") {
  Rng rng(8);
  const LinearMrp mrp = random_mrp(rng);
  CHECK_THROWS_WITH(ConvexTd(PredictionTargets(mrp), ErrorLoss{}, -1.0),
                    "value::ConvexTd: ridge must not be negative (got -1)");
  LinearMrp rewarding = with_small_rewards(mrp, rng);
  rewarding.rewards[0] = 0.25;
  CHECK_THROWS_WITH(ConvexTd(PredictionTargets(rewarding), LogisticLoss{}, 1.0),
                    Catch::Matchers::Contains("value::ConvexTd: the loss takes no target above 1 (got 1.1"));
  rewarding.rewards[0] = -0.25;
  CHECK_THROWS_WITH(ConvexTd(PredictionTargets(rewarding), LogisticLoss{}, 1.0),
                    "value::ConvexTd: the loss takes no target below 0 (got -0.25)");
  CHECK_THROWS_WITH(ConvexTd(PredictionTargets(mrp), ErrorLoss{TdLoss::huber(0)}, 1.0),
                    "value::TdLoss: linear_from must be positive (got 0)");
  const ConvexTd flat(PredictionTargets(mrp), ErrorLoss{TdLoss::huber()});
  CHECK_THROWS_WITH(flat.argmin_w(Vector<double>::Zero(4)),
                    "value::ConvexTd: a minimum needs a least curvature: give a ridge; F_w (got 0)");
  CHECK_THROWS_WITH(ControlTargets(random_control(rng), operators::Mellowmax{.omega = 0}),
                    "Mellowmax: omega must be finite and not 0 (got 0)");
}

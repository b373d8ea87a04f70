// SPDX-License-Identifier: Apache-2.0
#include <mellow/nn/dueling.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/nn/noisy.hpp>
#include <mellow/nn/sequential.hpp>
#include <mellow/nn/sgd.hpp>
#include <mellow/value/categorical_head.hpp>
#include <mellow/value/dqn.hpp>
#include <mellow/value/quantile_head.hpp>

#include "support/gradient.hpp"
#include "support/replay.hpp"

using namespace mellow;
using value::CategoricalHead;
using value::QuantileHead;

namespace {

Matrix<double> normals(Index rows, Index columns, Rng& rng) {
  Matrix<double> m(rows, columns);
  for (double& x : m.reshaped()) x = rng.normal();
  return m;
}

/// Random transitions to learn from, every fourth of which terminated.
data::Batch<double> random_batch(Index actions, Index size, Rng& rng) {
  data::Batch<double> batch;
  batch.resize(1, size);
  for (Index i = 0; i < size; ++i) {
    batch.actions[i] = rng.below(actions);
    batch.rewards[i] = rng.normal();
    batch.discounts[i] = i % 4 == 0 ? 0.0 : 0.9;
    batch.weights[i] = rng.uniform(0.5, 2);
  }
  return batch;
}

Vector<double> atoms_of(const CategoricalHead& head) {
  return Vector<double>::LinSpaced(head.atoms, head.v_min, head.v_max);
}

/// The labels by the definition: every atom of the target gives every atom of the support its triangle.
Vector<double> projected(const CategoricalHead& head, const Vector<double>& p, double reward, double discount) {
  const Vector<double> z = atoms_of(head);
  Vector<double> m = Vector<double>::Zero(head.atoms);
  for (Index j = 0; j < head.atoms; ++j)
    for (Index i = 0; i < head.atoms; ++i) {
      const double y = std::clamp(reward + discount * z[j], head.v_min, head.v_max);
      m[i] += std::clamp(1 - std::abs(y - z[i]) / head.step(), 0.0, 1.0) * p[j];
    }
  return m;
}

template <class Head>
void check_loss_gradient(const Head& head, Index width, double tolerance_of_kinks) {
  Rng rng(1);
  const Index actions = 3, samples = 9;
  auto batch = random_batch(actions, samples, rng);
  const Matrix<double> next = normals(actions * width, samples, rng);
  typename Head::template State<double> state;
  head.template targets<double>(state, operators::Max{}, batch, next, next);
  Matrix<double> d(actions * width, samples);
  const auto loss = [&](const Vector<double>& x) {
    return head.template evaluate<double>(state, batch, x.reshaped(actions * width, samples), d);
  };
  const Vector<double> at = normals(actions * width * samples, 1, rng);
  const double value = loss(at);
  const Vector<double> gradient = d.reshaped();
  CHECK(batch.errors.cwiseProduct(batch.weights).mean() == Approx(value).epsilon(1e-13));
  CHECK(nn::gradient_check(loss, at, gradient) < tolerance_of_kinks);
}

}  // namespace

TEST_CASE("The categorical projection conserves mass, and the mean inside the support") {
  const CategoricalHead head{.atoms = 21, .v_min = -2, .v_max = 3};
  Rng rng(1);
  for (int i = 0; i < 200; ++i) {
    const double at = rng.uniform(-4, 5);
    Vector<double> m = Vector<double>::Zero(21);
    head.project<double>(at, 0.7, m);
    CHECK(m.sum() == Approx(0.7).epsilon(1e-14));
    CHECK(m.minCoeff() >= 0);
    CHECK((m.array() > 0).count() <= 2);
    CHECK(m.dot(atoms_of(head)) == Approx(0.7 * std::clamp(at, -2.0, 3.0)).margin(1e-13));
  }
  for (Index j = 0; j < 21; ++j) {
    Vector<double> m = Vector<double>::Zero(21);
    head.project<double>(atoms_of(head)[j], 1.0, m);
    CHECK(m[j] == Approx(1));
  }
}

TEST_CASE("Categorical targets are the definition's, for the action of the highest expected value") {
  const CategoricalHead head{.atoms = 11, .v_min = -1, .v_max = 2};
  Rng rng(2);
  const Index actions = 4, samples = 40;
  const auto batch = random_batch(actions, samples, rng);
  const Matrix<double> target = 2 * normals(actions * 11, samples, rng), online = normals(actions * 11, samples, rng);
  CategoricalHead::State<double> state;
  const auto check = [&](const auto& backup, const Matrix<double>& chooses) {
    head.targets<double>(state, backup, batch, target, online);
    for (Index i = 0; i < samples; ++i) {
      Matrix<double> p(11, actions), by(11, actions);
      for (Index a = 0; a < actions; ++a) {
        VectorRef<double> p_a = p.col(a), by_a = by.col(a);
        softmax(target.col(i).segment(11 * a, 11), p_a);
        softmax(chooses.col(i).segment(11 * a, 11), by_a);
      }
      const Index best = operators::argmax((by.transpose() * atoms_of(head)).eval());
      const Vector<double> m = projected(head, p.col(best), batch.rewards[i], batch.discounts[i]);
      CHECK((state.labels.col(i) - m).cwiseAbs().maxCoeff() < 1e-13);
    }
    CHECK(((state.labels.colwise().sum().array() - 1).abs() < 1e-13).all());
  };
  check(operators::Max{}, target);
  check(value::DoubleQ{}, online);
}

TEST_CASE("Projected targets of Rainbow's support (dqn_pro.md, T9)") {
  const CategoricalHead head{};  // 51 atoms from -10 to 10
  const auto label = [&](const Vector<double>& logits, double reward, double discount) {
    data::Batch<double> batch;
    batch.resize(1, 1);
    batch.actions[0] = 0;
    batch.rewards[0] = reward;
    batch.discounts[0] = discount;
    CategoricalHead::State<double> state;
    head.targets<double>(state, operators::Max{}, batch, logits, logits);
    const Vector<double> m = state.labels.col(0);
    CHECK(m.sum() == Approx(1).epsilon(1e-14));
    return m;
  };
  const double three_steps = std::pow(0.99, 3);
  Vector<double> at_zero = Vector<double>::Constant(51, -1e3);
  at_zero[25] = 0;
  const Vector<double> uniform = Vector<double>::Zero(51);

  const auto shifted = label(at_zero, 0.37, three_steps), ended = label(at_zero, 1, 0), beyond = label(at_zero, 20, 0),
             spread = label(uniform, 1, 0.970299);
  CHECK(shifted[25] == Approx(0.075));
  CHECK(shifted[26] == Approx(0.925));
  CHECK(ended[27] == Approx(0.5));
  CHECK(ended[28] == Approx(0.5));
  CHECK(beyond[50] == 1);
  CHECK(spread.dot(atoms_of(head)) == Approx(0.9800419529).epsilon(1e-9));  // not 1: mass is clipped at 10
  CHECK(spread.head(3).isZero());
  CHECK(spread[3] == Approx(0.01485245).epsilon(1e-6));
  CHECK(spread[4] == Approx(0.02019022).epsilon(1e-6));
  CHECK(spread[50] == Approx(0.05523288).epsilon(1e-6));
}

TEST_CASE("Values of a distribution are its expectation, at any logits") {
  for (const Index atoms : {2, 51, 130}) {
    const CategoricalHead head{.atoms = atoms, .v_min = -3, .v_max = 7};
    Rng rng(3);
    Matrix<double> logits = 3 * normals(2 * atoms, 3, rng);
    logits.col(1).array() += 1e4;
    logits.col(2).array() -= 1e4;
    const Matrix<double> q = head.values(logits);
    REQUIRE((q.rows() == 2 && q.cols() == 3));
    for (Index i = 0; i < 3; ++i)
      for (Index a = 0; a < 2; ++a) {
        Vector<double> p(atoms);
        softmax(logits.col(i).segment(a * atoms, atoms), p);
        CHECK(q(a, i) == Approx(p.dot(atoms_of(head))).margin(1e-10));
      }
    const Vector<double> of_one = head.values(logits.col(1));
    CHECK(of_one == q.col(1));
    CHECK(head.greedy(logits.col(1)) == operators::argmax(q.col(1)));
  }
}

TEST_CASE("The categorical loss is the cross-entropy, and its gradient p - m", "[gradient]") {
  check_loss_gradient(CategoricalHead{.atoms = 7, .v_min = -1, .v_max = 1}, 7, 1e-7);
  const CategoricalHead head{.atoms = 2, .v_min = 0, .v_max = 1};
  data::Batch<double> batch;
  batch.resize(1, 1);
  batch.actions[0] = 0;
  batch.rewards[0] = 0.25;
  batch.discounts[0] = 0;
  CategoricalHead::State<double> state;
  const Matrix<double> next = Matrix<double>::Zero(2, 1), logits = Eigen::Vector2d(0, std::log(3));
  Matrix<double> d(2, 1);
  head.targets<double>(state, operators::Max{}, batch, next, next);
  CHECK(head.evaluate<double>(state, batch, logits, d) == Approx(-0.75 * std::log(0.25) - 0.25 * std::log(0.75)));
  CHECK(d(0, 0) == Approx(0.25 - 0.75));
  CHECK(d(1, 0) == Approx(0.75 - 0.25));
}

TEST_CASE("The quantile loss is the definition's, and so is its gradient", "[gradient]") {
  check_loss_gradient(QuantileHead{.quantiles = 5}, 5, 1e-6);
  check_loss_gradient(QuantileHead{.quantiles = 8, .kappa = 0.3}, 8, 1e-6);
  const QuantileHead head{.quantiles = 4, .kappa = 0.5};
  Rng rng(4);
  auto batch = random_batch(2, 6, rng);
  const Matrix<double> outputs = normals(8, 6, rng), next = normals(8, 6, rng);
  QuantileHead::State<double> state;
  head.targets<double>(state, operators::Max{}, batch, next, next);
  Matrix<double> d(8, 6);
  head.evaluate<double>(state, batch, outputs, d);
  for (Index i = 0; i < 6; ++i) {
    const Index best = next.col(i).head(4).mean() >= next.col(i).tail(4).mean() ? 0 : 4;
    double loss = 0;
    for (Index j = 0; j < 4; ++j)
      for (Index k = 0; k < 4; ++k) {
        const double target = batch.rewards[i] + batch.discounts[i] * next(best + k, i);
        const double u = target - outputs(4 * batch.actions[i] + j, i), tau = (2.0 * static_cast<double>(j) + 1) / 8;
        const double huber = std::abs(u) <= 0.5 ? u * u / 2 : 0.5 * (std::abs(u) - 0.25);
        loss += std::abs(tau - (u < 0 ? 1 : 0)) * huber / 0.5 / 4;
      }
    CHECK(batch.errors[i] == Approx(loss).epsilon(1e-13));
  }
}

TEST_CASE("Quantiles learned from samples are those of the distribution") {
  const QuantileHead head{.quantiles = 5, .kappa = 1e-3};
  data::Batch<double> batch;
  batch.resize(1, 200);
  batch.actions.setZero();
  batch.discounts.setZero();
  for (Index i = 0; i < 200; ++i) batch.rewards[i] = (static_cast<double>(i) + 0.5) / 200;  // uniform in [0, 1]
  QuantileHead::State<double> state;
  Vector<double> theta = Vector<double>::Zero(5);
  Matrix<double> d(5, 200);
  const Matrix<double> next = Matrix<double>::Zero(5, 200);
  head.targets<double>(state, operators::Max{}, batch, next, next);
  for (int step = 0; step < 2000; ++step) {
    head.evaluate<double>(state, batch, theta.replicate(1, 200), d);
    theta -= 0.05 * d.rowwise().sum();
  }
  for (Index j = 0; j < 5; ++j) CHECK(theta[j] == Approx((2.0 * static_cast<double>(j) + 1) / 10).margin(0.02));
}

TEST_CASE("Heads of distributions respect action masks") {
  Rng rng(5);
  auto batch = random_batch(3, 8, rng);
  batch.discounts.setConstant(0.5);
  batch.next_allowed.setConstant(3, 8, false);
  batch.next_allowed.row(1).setConstant(true);
  const Matrix<double> next = normals(12, 8, rng);
  QuantileHead::State<double> state;
  QuantileHead{.quantiles = 4}.targets<double>(state, operators::Max{}, batch, next, next);
  for (Index i = 0; i < 8; ++i)
    CHECK((state.targets.col(i) - 0.5 * next.col(i).segment(4, 4)).array().isApproxToConstant(batch.rewards[i]));
}

TEST_CASE("A deep Q agent learns distributions with dueling streams and noise, and without noise is as it was") {
  const nn::Sequential network(nn::Dense<double>(2, 16), nn::ReLU{},
                               nn::Dueling(nn::NoisyDense<double>(16, 5), nn::NoisyDense<double>(16, 15)));
  const value::DqnOptions small{.batch_size = 8, .learning_starts = 10};
  const auto check = [&](const auto& head) {
    value::Dqn agent(network, small, head, value::DoubleQ{}, value::PeriodicCopy{.every = 3});
    agent.require_fits(Box(2, -1, 1), Discrete(3));
    const Vector<double> before = agent.parameters();
    show_random_transitions(agent, 50);
    CHECK(agent.parameters() != before);
    CHECK_THROWS_WITH(agent.require_fits(Box(2, -1, 1), Discrete(4)), Catch::Contains("needs 20 outputs"));
    const Vector<float> o = Eigen::Vector2f(0.1f, 1);
    Rng rng;
    CHECK_THROWS_WITH(agent.observe({o, 3, 0.0, o, false, false}, rng), Catch::Contains("there is no such action"));
    const Index greedy = agent.greedy(o);
    for (int i = 0; i < 20; ++i) {
      CHECK((agent.act(o, rng) >= 0 && agent.act(o, rng) < 3));
      CHECK(agent.greedy(o) == greedy);  // silent
    }
  };
  check(CategoricalHead{.atoms = 5});
  check(QuantileHead{.quantiles = 5});
}

TEST_CASE("Heads of distributions refuse numbers out of range") {
  CHECK_THROWS_WITH((CategoricalHead{.atoms = 1}.validate()), Catch::Contains("atoms must be at least 2"));
  CHECK_THROWS_WITH((CategoricalHead{.v_min = 2, .v_max = 2}.validate()), Catch::Contains("above v_min"));
  CHECK_THROWS_AS((CategoricalHead{.v_min = std::nan("")}.validate()), Error);
  CHECK_THROWS_WITH((QuantileHead{.quantiles = 0}.validate()), Catch::Contains("quantiles must be positive"));
  CHECK_THROWS_WITH((QuantileHead{.kappa = 0}.validate()), Catch::Contains("kappa must be positive"));
}

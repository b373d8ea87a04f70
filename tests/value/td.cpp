// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include <mellow/environments/chains.hpp>
#include <mellow/environments/linear_mrp.hpp>
#include <mellow/environments/tabular.hpp>
#include <mellow/value/gradient_td.hpp>
#include <mellow/value/linear_td.hpp>

#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::value;
using environments::baird_star;
using environments::LinearMrp;
using environments::Tabular;

namespace {

struct Move {
  Index state, next;
  double reward;
  bool terminated;
};

/// Steps of the random walk on a chain (Sutton & Barto 2018, example 6.2).
std::vector<Move> random_walk(Index states, int steps, Rng rng) {
  Tabular walk(environments::chain(states));
  std::vector<Move> moves;
  walk.reset(rng);
  for (int i = 0; i < steps; ++i) {
    const Index state = walk.state();
    const Step step = walk.step(rng.below(2), rng);
    moves.push_back({state, walk.state(), step.reward, step.terminated});
    if (step.terminated) walk.reset(rng);
  }
  return moves;
}

double error_of(const Vector<double>& values) {
  double worst = 0;
  for (Index s = 0; s < values.size(); ++s)
    worst = std::max(worst, std::abs(values[s] - static_cast<double>(s + 1) / static_cast<double>(values.size() + 1)));
  return worst;
}

/// Runs an agent on samples of an off-policy process from Baird's start; returns the largest value left.
template <class Agent>
double largest_value(Agent agent, const LinearMrp& mrp, int steps) {
  Vector<double> start = Vector<double>::Ones(8);
  start[6] = 10;
  agent.set_parameters(start);
  Rng rng(1);
  const Vector<double> nothing = Vector<double>::Zero(8);
  for (int i = 0; i < steps; ++i) {
    const auto sample = mrp.sample(rng);
    agent.observe(mrp.features.col(sample.state), sample.reward,
                  sample.next < 0 ? nothing : Vector<double>(mrp.features.col(sample.next)), sample.next < 0);
  }
  return (mrp.features.transpose() * agent.parameters()).cwiseAbs().maxCoeff();
}

}  // namespace

TEST_CASE("Temporal-difference learning finds the values of the random walk, with any traces") {
  const auto moves = random_walk(5, 100'000, Rng(1));
  const auto learn = [&](const auto& traces) {
    TabularTd td(5, {.discount = 1, .learning_rate = exponential(0.1, 1e-3, 80'000)}, traces);
    for (const Move& m : moves) td.observe(m.state, m.reward, m.next, m.terminated);
    return td.parameters();
  };
  CHECK(error_of(learn(NoTraces{})) < 0.02);
  CHECK(error_of(learn(Accumulating{0.5})) < 0.02);
  CHECK(error_of(learn(Replacing{0.5})) < 0.02);
  CHECK(error_of(learn(Dutch{0.9})) < 0.06);
}

TEST_CASE("One step of TD(0) is its definition; truncation bootstraps") {
  TabularTd td(2, {.discount = 0.9, .learning_rate = 0.5});
  CHECK(td.observe(1, 2.0, 0, true) == 2.0);
  CHECK(td.parameters()[1] == 1.0);
  CHECK(td.observe(0, 1.0, 1, false) == Approx(1.9));
  CHECK(td.parameters()[0] == Approx(0.95));
  CHECK(td.observe(0, 0.0, 1, false, true) == Approx(0.9 - 0.95));
}

TEST_CASE("Linear TD on indicator features is tabular TD") {
  const auto moves = random_walk(6, 3'000, Rng(2));
  const auto expect_same = [&](const auto& kind) {
    const TdOptions options{.discount = 0.95, .learning_rate = 0.2};
    TabularTd tabular(6, options, kind);
    LinearTd linear(6, options, kind);
    const Matrix<double> phi = Matrix<double>::Identity(6, 6);
    for (const Move& m : moves) {
      tabular.observe(m.state, m.reward, m.next, m.terminated);
      linear.observe(phi.col(m.state), m.reward, phi.col(m.next), m.terminated);
    }
    CHECK((tabular.parameters() - linear.parameters()).cwiseAbs().maxCoeff() < 1e-12);
  };
  expect_same(Accumulating{0.0});
  expect_same(Accumulating{0.8});
  expect_same(Dutch{0.8});
}

TEST_CASE("With lambda 1 and no discount, traces that add up are Monte Carlo at an episode's end") {
  constexpr double alpha = 0.01;
  LinearTd td(3, {.discount = 1, .learning_rate = alpha}, Accumulating{1.0});
  Matrix<double> phi = Matrix<double>::Random(3, 6);
  Vector<double> rewards = Vector<double>::Random(5);
  for (Index t = 0; t < 5; ++t) td.observe(phi.col(t), rewards[t], phi.col(t + 1), t == 4);
  Vector<double> first_order = Vector<double>::Zero(3);
  for (Index t = 0; t < 5; ++t) first_order += alpha * rewards.tail(5 - t).sum() * phi.col(t);
  CHECK((td.parameters() - first_order).norm() < 100 * alpha * alpha);
}

TEST_CASE("True online TD(lambda) is the online lambda-return") {
  const Schedule alpha = GENERATE(Schedule(0.3), linear(0.5, 0.05, 8));
  constexpr double discount = 0.9, lambda = 0.7;
  constexpr Index horizon = 8, n = 3;
  Rng rng(4);
  Matrix<double> phi(n, horizon + 1);
  for (double& x : phi.reshaped()) x = rng.normal();
  Vector<double> rewards(horizon);
  for (double& r : rewards) r = rng.normal();
  LinearTd td(n, {.discount = discount, .learning_rate = alpha}, Dutch{lambda});
  std::vector<Vector<double>> online{Vector<double>::Zero(n)};  // theta after each step
  for (Index h = 1; h <= horizon; ++h) {
    Vector<double> theta = Vector<double>::Zero(n);
    for (Index k = 0; k < h; ++k) {  // all returns so far, cut at h
      double lambda_return = 0, gain = 0, factor = 1;
      for (Index m = k + 1; m <= h; ++m) {
        gain += factor * rewards[m - 1];
        factor *= discount;
        const double bootstrapped = gain + factor * online[static_cast<std::size_t>(m - 1)].dot(phi.col(m));
        lambda_return += std::pow(lambda, m - k - 1) * (m < h ? 1 - lambda : 1) * bootstrapped;
      }
      theta += alpha(k) * (lambda_return - theta.dot(phi.col(k))) * phi.col(k);
    }
    online.push_back(theta);
    td.observe(phi.col(h - 1), rewards[h - 1], phi.col(h), false);
    CHECK((td.parameters() - theta).norm() < 1e-12);
  }
}

TEST_CASE("A table of values refuses a state that it does not have") {
  TabularTd td(3);
  CHECK_THROWS_WITH(td.observe(3, 0.0, 0, false), Catch::Contains("[0, 3)") && Catch::Contains("3"));
  CHECK_THROWS_AS(td.observe(0, 0.0, -1, false), Error);
}

TEST_CASE("On Baird's star linear TD diverges, and gradient TD converges") {
  CHECK(largest_value(LinearTd(8, {.discount = 0.99, .learning_rate = 0.05}), baird_star(0.99), 5'000) > 1e6);
  CHECK(largest_value(LinearTd(8, {.discount = 0.95, .learning_rate = 0.05}), baird_star(0.95), 5'000) > 1e6);
  for (const auto update : {GradientTdUpdate::Gtd2, GradientTdUpdate::Tdc})
    for (const auto& [discount, steps, bound] : {std::tuple{0.95, 100'000, 0.01}, {0.99, 300'000, 1.2}}) {
      const GradientTdOptions options{
          .discount = discount, .learning_rate = 0.1, .secondary_rate = 0.2, .update = update};
      CHECK(largest_value(GradientTd(8, options), baird_star(discount), steps) < bound);  // slow with much foresight
    }
}

TEST_CASE("On-policy, gradient TD finds what TD finds") {
  const auto moves = random_walk(5, 60'000, Rng(5));
  const Matrix<double> phi = Matrix<double>::Identity(5, 5);
  for (const auto update : {GradientTdUpdate::Gtd2, GradientTdUpdate::Tdc}) {
    GradientTd td(5, {.discount = 1, .learning_rate = 0.05, .secondary_rate = 0.05, .update = update});
    for (const Move& m : moves) td.observe(phi.col(m.state), m.reward, phi.col(m.next), m.terminated);
    CHECK(error_of(td.parameters()) < 0.1);
  }
}

TEST_CASE("One step of GTD2 and TDC is its definition, weighed by the importance ratio") {
  const Eigen::Vector2d phi(1, 2), next(0.5, -1), theta(0.3, 0.4);
  for (const auto update : {GradientTdUpdate::Gtd2, GradientTdUpdate::Tdc}) {
    GradientTd td(2, {.discount = 0.9, .learning_rate = 0.1, .secondary_rate = 0.2, .update = update});
    td.set_parameters(theta);
    Vector<double> expected = theta, w = Vector<double>::Zero(2);
    for (const double ratio : {1.0, 0.5, 2.0}) {
      const double error = 1 + 0.9 * expected.dot(next) - expected.dot(phi);
      const Vector<double> at = expected;
      if (update == GradientTdUpdate::Gtd2) expected += 0.1 * ratio * (phi - 0.9 * next) * phi.dot(w);
      else expected += 0.1 * ratio * (error * phi - 0.9 * next * phi.dot(w));
      w += 0.2 * ratio * (error - phi.dot(w)) * phi;
      CHECK(td.observe(phi, 1, next, false, ratio) == Approx(error));
      CHECK((td.parameters() - expected).norm() < 1e-14);
    }
  }
}

TEST_CASE("Bad input to prediction is refused") {
  CHECK_THROWS_AS(TabularTd(0), Error);
  CHECK_THROWS_AS(TabularTd(2, {.discount = 2}), Error);
  CHECK_THROWS_AS(TabularTd(2, {.learning_rate = -1}), Error);
  CHECK_THROWS_AS(TabularTd(2, {}, Dutch{2}), Error);
  CHECK_THROWS_AS(LinearTd(0), Error);
  CHECK_THROWS_AS(LinearTd(2).set_parameters(Vector<double>::Zero(3)), Error);
  CHECK_THROWS_AS(GradientTd(0), Error);
  CHECK_THROWS_AS(GradientTd(2, {.secondary_rate = -1}), Error);
  CHECK_THROWS_AS(GradientTd(2).set_parameters(Vector<double>::Zero(3)), Error);
}

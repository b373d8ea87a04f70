// SPDX-License-Identifier: Apache-2.0
// Sheet lookahead_replicate.md, section 3: T1 to T5. T6 is in replicate.cpp.
#include <mellow/value/lookahead_replicate.hpp>

#include "support/gradient.hpp"

using namespace mellow;
using Catch::Contains;
using value::LookaheadReplicate;
using value::LookaheadReplicateOptions;
using value::ParameterPair;

namespace {

using Eigen::Vector2d, Eigen::Vector3d;

const environments::LinearMrp mrp = environments::redundant_features();
const ParameterPair start{Vector3d(1.2, 2, 0.5), Vector3d(0.1, 2, 0.5)};
const Vector3d target_limit = Vector3d(73, 49, 49) / 110, online_limit(-13.0 / 55, 41.0 / 55, 41.0 / 55);

double largest(const Vector<double>& x) { return x.cwiseAbs().maxCoeff(); }

/// The paper's K_L and K_R, steps of 1 / L.
LookaheadReplicateOptions of_theory(const LookaheadReplicate& lr) {
  return {.lookahead_rate = 1 / lr.lookahead_smoothness(), .replicate_rate = 1 / lr.replicate_smoothness()};
}

/// A process with random transitions and weights, and one feature a state.
environments::LinearMrp random_table(Rng& rng) {
  const Index n = 2 + rng.below(5);
  environments::LinearMrp table{.transitions = Matrix<double>(n, n),
                                .rewards = Vector<double>(n),
                                .discount = rng.uniform(0, 1),
                                .features = Matrix<double>::Identity(n, n),
                                .weights = Vector<double>(n)};
  for (double& p : table.transitions.reshaped()) p = -std::log(rng.uniform());
  for (Index s = 0; s < n; ++s) table.transitions.row(s) /= table.transitions.row(s).sum();
  for (double& r : table.rewards) r = rng.normal();
  for (double& d : table.weights) d = rng.uniform(0.05, 1);
  table.weights /= table.weights.sum();
  return table;
}

}  // namespace

TEST_CASE("Pairs of equal values are more than pairs of equal parameters, at most their square (T1)") {
  const LookaheadReplicate lr(mrp);
  const auto counts =
      [&](const std::vector<Vector<double>>& values) {  // of a finite set of parameters, by their values
        const auto same = [](const Vector<double>& a, const Vector<double>& b) { return largest(a - b) < 1e-12; };
        std::array<Index, 3> count{};  // F_single, F_pair, F_value
        for (std::size_t theta = 0; theta < values.size(); ++theta) {
          const Vector<double> backed_up = lr.backup(values[theta]);
          count[0] += same(values[theta], backed_up);
          for (std::size_t w = 0; w < values.size(); ++w) {
            const bool solves = same(values[w], backed_up);
            const bool pair = solves && theta == w, value = solves && same(values[theta], values[w]);
            CHECK((!pair || value));                                        // claim 2
            if (theta == w) CHECK(pair == same(values[theta], backed_up));  // claim 1
            count[1] += pair;
            count[2] += value;
          }
        }
        return count;
      };
  const Vector<double> best = lr.values();
  Rng rng(1);
  std::vector<Vector<double>> values{best, best, best};
  for (int i = 0; i < 3; ++i) values.push_back(Vector2d(rng.normal(), rng.normal()));
  values.push_back(lr.backup(values.back()));              // v_w = T v_theta, but v_theta is another: does not count
  CHECK(counts(values) == std::array<Index, 3>{3, 3, 9});  // claim 3, its upper bound
  values.erase(values.begin(), values.begin() + 2);
  CHECK(counts(values) == std::array<Index, 3>{1, 1, 1});
}

TEST_CASE("Gradients of Lookahead and Replicate", "[gradient]") {
  const LookaheadReplicate lr(mrp, (Matrix<double>(2, 2) << 1, 2, 2, 1).finished());
  const ParameterPair at{Vector3d(0.3, -1, 2), Vector2d(0.7, -0.4)};
  const auto size = [](const Vector<double>& error) { return error.cwiseAbs2().dot(mrp.weights); };
  expect_gradient(
      [&](const Vector<double>& w) { return size(lr.online_values(w) - lr.backup(lr.target_values(at.theta))); }, at.w,
      lr.lookahead_gradient(at));
  expect_gradient([&](const Vector<double>& theta) { return size(lr.target_values(theta) - lr.online_values(at.w)); },
                  at.theta, lr.replicate_gradient(at));
}

TEST_CASE("Lookahead-Replicate ends at equal values and other parameters, whatever the step sizes (T2)") {
  const LookaheadReplicate lr(mrp);
  CHECK(lr.lookahead_smoothness() == Approx(11.120763831912406).epsilon(1e-13));
  const auto published = lr.limit(start);
  CHECK(largest(published.theta - Vector3d(0.663, 0.445, 0.445)) < 7e-4);
  CHECK(largest(published.w - Vector3d(-0.236, 0.745, 0.745)) < 7e-4);
  CHECK(largest(published.theta - target_limit) < 1e-12);
  CHECK(largest(published.w - online_limit) < 1e-12);
  for (const double beta : {1 / lr.replicate_smoothness(), 0.05, 0.03}) {
    auto options = of_theory(lr);
    options.replicate_rate = beta;
    const auto end = lr.run(start, beta < 0.04 ? 1'600 : 800, options);
    CHECK(largest(end.theta - target_limit) < 1e-8);
    CHECK(largest(end.w - online_limit) < 1e-8);
    CHECK(largest(lr.target_values(end.theta) - lr.online_values(end.w)) < 1e-9);
    CHECK(largest(end.theta - end.w) > 0.2);
  }
}

TEST_CASE("Values on the way (T2)") {
  const LookaheadReplicate lr(mrp);
  auto options = of_theory(lr);
  CHECK(largest(lr.target_values(start.theta) - Vector2d(5.7, 4.2)) < 1e-12);
  CHECK(largest(lr.online_values(start.w) - Vector2d(4.6, 3.1)) < 1e-12);
  const auto after = [&](Index t) { return lr.run(start, t, options); };
  const auto expect = [&](const ParameterPair& pair, const Vector2d& v_theta, const Vector2d& v_w) {
    CHECK(largest(lr.target_values(pair.theta) - v_theta) < 1e-8);
    CHECK(largest(lr.online_values(pair.w) - v_w) < 1e-8);
  };
  expect(after(1), {4.35716658, 2.87215356}, {3.55, 3.25});
  CHECK(largest(lr.online_values(after(1).w) - lr.backup(lr.target_values(start.theta))) < 1e-12);
  expect(after(10), {2.607718655, 1.732097852}, {2.138604888, 1.951696844});
  expect(after(100), {2.001696845, 1.999241530}, {2.000381473, 1.999857274});
  options.replicate_rate = 0.05;
  expect(after(1), {4.953333333, 3.461666667}, {3.55, 3.25});
}

TEST_CASE("A hard copy ends at equal parameters (T2)") {
  const LookaheadReplicate lr(mrp);
  const auto options = of_theory(lr);
  ParameterPair pair = start;
  for (int t = 0; t < 800; ++t) {
    lr.lookahead(pair, options);
    pair.theta = pair.w;
  }
  CHECK(largest(pair.theta - online_limit) < 1e-12);
  CHECK(largest(lr.target_values(pair.theta) - Vector2d(2, 2)) < 1e-12);
}

TEST_CASE("Target and online values may have other features (T3)") {
  const LookaheadReplicate lr(mrp, (Matrix<double>(2, 2) << 1, 2, 2, 1).finished());
  const ParameterPair from{Vector3d(1.2, 0, 0.3), Vector2d(0.3, 0.6)};
  CHECK(lr.lookahead_smoothness() == Approx(9.123105625617661).epsilon(1e-13));
  const auto options = of_theory(lr);
  CHECK(options.replicate_rate == Approx(0.08992188082714035).epsilon(1e-13));
  const auto first = lr.run(from, 1, options), tenth = lr.run(from, 10, options), end = lr.run(from, 800, options);
  CHECK(largest(first.theta - Vector3d(1.226976564, 0.045560420, 0.335369273)) < 1e-8);
  CHECK(largest(first.w - Vector2d(0.643333333, 0.583333333)) < 1e-8);
  CHECK(largest(lr.target_values(tenth.theta) - Vector2d(1.884598392, 2.051172092)) < 1e-8);
  CHECK(largest(lr.online_values(tenth.w) - Vector2d(1.973838425, 2.009397532)) < 1e-8);
  CHECK(largest(end.theta - Vector3d(139, 27, 27) / 110) < 1e-8);
  CHECK(largest(end.w - Vector2d(2, 2) / 3) < 1e-8);
  CHECK(largest(lr.limit(from).theta - end.theta) < 1e-8);
  CHECK(largest(lr.limit(from).w - end.w) < 1e-8);
}

TEST_CASE("The error contracts by the spectral radius of its map (T4)") {
  const LookaheadReplicate lr(mrp);
  const auto options = of_theory(lr);
  const auto radius = [&](Index steps, double beta) { return value::spectral_radius(lr.error_map(steps, beta)); };
  const struct {
    Index steps;
    double radius;
  } rows[] = {{1, 0.936787629}, {2, 0.878577515}, {5, 0.730176543}, {10, 0.552133936}, {50, 0.500008017}, {200, 0.5}};
  for (const auto& row : rows) CHECK(radius(row.steps, options.replicate_rate) == Approx(row.radius).epsilon(1e-8));
  CHECK(radius(1, 0.05) == Approx(0.964851508).epsilon(1e-8));
  CHECK(radius(1, 0.02) == Approx(0.985940603).epsilon(1e-8));
  const auto error = [&](const ParameterPair& pair) { return (lr.target_values(pair.theta) - lr.values()).norm(); };
  const auto hundred = lr.run(start, 100, options), two_hundred = lr.run(hundred, 100, options);
  CHECK(std::pow(error(two_hundred) / error(hundred), 0.01) == Approx(0.936787629).epsilon(1e-6));
}

TEST_CASE("Lookahead brings the online parameters closer as the paper's lemma A.3 says (T5)") {
  Rng rng(5);
  double nearest = 0;
  for (int i = 0; i < 300; ++i) {
    const auto table = random_table(rng);
    const LookaheadReplicate lr(table);
    const Index n = table.states();
    const double least = 2 * table.weights.minCoeff(), smoothness = 2 * table.weights.maxCoeff();
    CHECK(lr.lookahead_smoothness() == Approx(smoothness).epsilon(1e-12));
    const Matrix<double> ahead = 2 * table.discount * table.weights.asDiagonal() * table.transitions;
    const double eta = value::spectral_norm(ahead) / least;
    for (Index steps = 1; steps <= 10; ++steps) {
      const double a = std::pow(std::max(0.0, 1 - least / smoothness), static_cast<double>(steps));
      const Vector<double> best = lr.values();  // Phi = I: theta* = w* = v*
      ParameterPair pair{Vector<double>(n), Vector<double>(n)};
      for (double& x : pair.theta) x = rng.normal();
      for (double& x : pair.w) x = rng.normal();
      const double bound = a * (pair.w - best).squaredNorm() + eta * eta * (1 - a) * (pair.theta - best).squaredNorm();
      lr.lookahead(pair, {.lookahead_steps = steps, .lookahead_rate = 1 / smoothness});
      CHECK((pair.w - best).squaredNorm() <= bound * (1 + 1e-12));
      nearest = std::max(nearest, (pair.w - best).squaredNorm() / bound);
    }
  }
  CHECK(nearest > 0.5);  // the bound says something
}

TEST_CASE("The distances of values to one another and to their backup vanish geometrically (T5)") {
  const Matrix<double> other = (Matrix<double>(2, 2) << 1, 2, 2, 1).finished();
  for (const auto& [lr, from] : {std::pair(LookaheadReplicate(mrp), start),
                                 {LookaheadReplicate(mrp, other), {Vector3d(1.2, 0, 0.3), Vector2d(0.3, 0.6)}}}) {
    const auto options = of_theory(lr);
    const auto distances = [&](const ParameterPair& pair) {
      const Vector<double> v = lr.target_values(pair.theta), online = lr.online_values(pair.w);
      return Vector2d((v - online).norm(), (online - lr.backup(v)).norm());
    };
    ParameterPair pair = lr.run(from, 50, options);
    for (int i = 0; i < 5; ++i) {
      const Vector2d before = distances(pair);
      pair = lr.run(pair, 20, options);
      const Vector2d ratio = distances(pair).cwiseQuotient(before);
      CHECK(std::pow(ratio[0], 0.05) == Approx(0.936787629).epsilon(1e-3));
      CHECK(std::pow(ratio[1], 0.05) == Approx(0.936787629).epsilon(1e-3));
    }
  }
}

TEST_CASE("Lookahead-Replicate refuses what makes no sense") {
  const LookaheadReplicate lr(mrp);
  CHECK_THROWS_WITH(LookaheadReplicate(mrp, Matrix<double>::Ones(2, 3)), Contains("online features need 2 columns"));
  CHECK_THROWS_WITH(lr.run(start, 1, {.lookahead_steps = 0}), Contains("lookahead_steps must be positive"));
  CHECK_THROWS_AS(lr.run(start, 1, {.replicate_steps = 0}), Error);
  CHECK_THROWS_AS(lr.run(start, 1, {.lookahead_rate = -1}), Error);
  CHECK_THROWS_AS(lr.run(start, 1, {.replicate_rate = 0}), Error);
  CHECK_THROWS_WITH(lr.run({Vector2d(1, 2), start.w}, 1, {}), Contains("theta needs 3 numbers"));
  CHECK_THROWS_WITH(lr.limit({start.theta, Vector2d(1, 2)}), Contains("w needs 3 numbers"));
}

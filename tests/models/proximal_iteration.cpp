// SPDX-License-Identifier: Apache-2.0
// Sheet dqn_pro.md, section 3: T1 to T4.
#include <cmath>
#include <limits>
#include <vector>

#include <mellow/environments/gridworlds.hpp>
#include <mellow/environments/random_mdps.hpp>
#include <mellow/models/policy_iteration.hpp>
#include <mellow/models/proximal_iteration.hpp>
#include <mellow/models/value_iteration.hpp>

#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::models;
using Catch::Contains;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// x^2 as a generator that has no closed form.
struct SquareByRoot {
  static double derivative(double x) { return 2 * x; }
  static double second_derivative(double) { return 2; }
  static double lowest() { return -infinity; }
};

/// The least point of a convex function by golden sections, without derivatives.
template <class Function>
double least(const Function& f, double low, double high) {
  const double golden = (std::sqrt(5.0) - 1) / 2;
  while (high - low > 1e-9) {
    const double left = high - golden * (high - low), right = low + golden * (high - low);
    (f(left) < f(right) ? high : low) = f(left) < f(right) ? right : left;
  }
  return 0.5 * (low + high);
}

Vector<double> normals(Index size, Rng& rng) {
  Vector<double> x(size);
  for (double& value : x) value = rng.normal();
  return x;
}

/// A random policy: actions x states.
Matrix<double> random_policy(Index actions, Index states, Rng& rng) {
  Matrix<double> policy(actions, states);
  for (double& p : policy.reshaped()) p = rng.uniform();
  for (Index s = 0; s < states; ++s) policy.col(s) /= policy.col(s).sum();
  return policy;
}

double largest(const Vector<double>& x) { return x.cwiseAbs().maxCoeff(); }

const auto lake = environments::frozen_lake(environments::frozen_lake_8x8());

/// Whether nothing but the state itself follows.
bool absorbing(Index s) {
  const auto outcomes = lake.outcomes(s, 0);
  return std::ranges::size(outcomes) == 1 && std::ranges::begin(outcomes)->next == s;
}

/// The sup error of noisy value iteration on the lake after each number of iterations, mean over seeds.
std::vector<double> errors_under_noise(double b, const std::vector<Index>& ks, int seeds) {
  static const Vector<double> best = state_values(value_iteration(lake, {.tolerance = 1e-12}).q, operators::Max{});
  std::vector<double> errors(ks.size(), 0.0);
  for (int seed = 0; seed < seeds; ++seed) {
    Rng rng(static_cast<std::uint64_t>(seed));
    Vector<double> v = Vector<double>::Zero(lake.states());
    Index done = 0;
    for (std::size_t i = 0; i < ks.size(); ++i) {
      for (; done < ks[i]; ++done) {
        Vector<double> u = optimality_backup(lake, v, 0.99);
        for (Index s = 0; s < lake.states(); ++s)
          if (!absorbing(s)) u[s] += 0.1 * rng.normal();
        v = proximal_values(SquaredDistance{}, u, v, 1 / b - 1);
      }
      errors[i] += largest(v - best) / seeds;
    }
  }
  return errors;
}

}  // namespace

TEST_CASE("A proximal value is the least point of its definition (T1)") {
  Rng rng(1);
  for (int i = 0; i < 100; ++i) {
    const double u = rng.normal(), v = rng.normal(), c = std::exp(rng.normal());
    const double closed = (c * u + v) / (1 + c);
    const auto objective = [&](double x) { return (x - u) * (x - u) + (x - v) * (x - v) / c; };
    CHECK(proximal_value(SquaredDistance{}, u, v, c) == Approx(closed).epsilon(1e-13));
    CHECK(proximal_value(SquareByRoot{}, u, v, c) == Approx(closed).epsilon(1e-13));
    CHECK(least(objective, -9, 9) == Approx(closed).margin(1e-7));

    const double positive = std::exp(v);
    const auto divergence = [&](double x) {
      return (x - u) * (x - u) +
             (x * std::log(x) - x - positive * std::log(positive) + positive - std::log(positive) * (x - positive)) / c;
    };
    const double entropic = proximal_value(Entropy{}, u, positive, c);
    CHECK(entropic > 0);
    CHECK(entropic == Approx(least(divergence, 1e-12, 50)).margin(1e-6));
  }
}

TEST_CASE("Entropic proximal values (section 2.1)") {
  CHECK(proximal_value(Entropy{}, 2, 1, 1) == Approx(1.7268504112).epsilon(1e-10));
  CHECK(proximal_value(Entropy{}, 0.5, 3, 0.5) == Approx(1.3205579511).epsilon(1e-10));
  CHECK(proximal_value(Entropy{}, -1, 1, 1) == Approx(0.1088575529).epsilon(1e-9));
  CHECK(proximal_value(Entropy{}, 1, 1, 1) == 1);
  CHECK(proximal_value(Entropy{}, 2, 1, infinity) == 2);
  CHECK(proximal_value(Entropy{}, -2, 1, infinity) == 0);
  CHECK(proximal_value(SquaredDistance{}, 2, 1, infinity) == 2);
}

TEST_CASE("The quadratic proximal operator contracts by (1 - beta) gamma^n + beta in the sup norm (T2)") {
  Rng rng(2);
  const auto modulus = [](double c, Index n) { return (std::pow(0.9, n) * c + 1) / (1 + c); };
  CHECK(modulus(0.1, 1) == Approx(0.990909).epsilon(1e-6));
  CHECK(modulus(1, 1) == Approx(0.95));
  CHECK(modulus(4, 1) == Approx(0.92));
  CHECK(modulus(9, 1) == Approx(0.91));
  double nearest = 0;
  for (int i = 0; i < 30; ++i) {
    const auto model = environments::random_mdp(rng);
    const auto policy = random_policy(model.actions(), model.states(), rng);
    for (const double c : {0.1, 1.0, 4.0, 9.0})
      for (const Index n : {1, 3}) {
        Vector<double> a = normals(model.states(), rng), b = normals(model.states(), rng);
        if (i % 2 == 0) b = a.array() + 1;  // the direction in which expectations do not shrink
        const auto apply = [&](const Vector<double>& v, bool optimal) {
          return proximal_values(
              SquaredDistance{},
              optimal ? optimality_backup(model, v, 0.9, n) : policy_backup(model, policy, v, 0.9, n), v, c);
        };
        for (const bool optimal : {false, true}) {
          const double ratio = largest(apply(a, optimal) - apply(b, optimal)) / largest(a - b);
          CHECK(ratio <= modulus(c, n) + 1e-12);
          nearest = std::max(nearest, ratio / modulus(c, n));
        }
      }
  }
  CHECK(nearest == Approx(1).epsilon(1e-12));
}

TEST_CASE("Proximal operators lead to the policy's, and to the best, values, for any divergence (T2)") {
  Rng rng(3);
  const PlanOptions exactly{.discount = 0.9, .tolerance = 1e-13};
  for (int i = 0; i < 10; ++i) {
    const auto model = environments::random_mdp(rng);
    const auto policy = random_policy(model.actions(), model.states(), rng);
    const Vector<double> of_policy = exact_policy_evaluation(model, policy, 0.9),
                         best = state_values(value_iteration(model, exactly).q, operators::Max{}),
                         ones = Vector<double>::Ones(model.states());  // values of rewards above 0 stay above 0
    for (const ProximalOptions& proximal : {ProximalOptions{.c = 0.3}, {.c = 2, .applications = 4}, {.c = infinity}}) {
      const auto expect = [](const Evaluation& found, const Vector<double>& values) {
        CHECK(found.converged);
        CHECK(largest(found.v - values) < 1e-9);
      };
      expect(proximal_policy_evaluation(model, policy, proximal, exactly), of_policy);
      expect(proximal_value_iteration(model, proximal, exactly), best);
      expect(proximal_policy_iteration(model, proximal, exactly), best);
      expect(proximal_policy_evaluation(model, policy, proximal, exactly, ones, Entropy{}), of_policy);
      expect(proximal_value_iteration(model, proximal, exactly, ones, Entropy{}), best);
    }
  }
}

TEST_CASE("Modified policy iteration with one application is value iteration, with more another") {
  const auto run = [](auto&& planner, Index n) {
    return planner(ProximalOptions{.c = 2, .applications = n}, PlanOptions{.discount = 0.99, .max_iterations = 40}).v;
  };
  const auto by_values = [](const auto&... options) { return proximal_value_iteration(lake, options...); };
  const auto by_policies = [](const auto&... options) { return proximal_policy_iteration(lake, options...); };
  CHECK(largest(run(by_values, 1) - run(by_policies, 1)) < 1e-15);
  CHECK(largest(run(by_values, 3) - run(by_policies, 3)) > 1e-6);
}

TEST_CASE("The pull averages noise: stationary variance of a scalar value (T3)") {
  const environments::TabularMdp loop(
      1, 1, [](Index, Index) { return std::vector{environments::Outcome{.reward = 0.3}}; }, Vector<double>::Ones(1));
  const struct {
    double b, variance, half_life;
  } rows[] = {{0, 50.251256, 69}, {0.5, 25.062657, 138}, {0.9, 5.002501, 693}, {0.95, 2.500625, 1386}};
  for (const auto& row : rows) {
    // The value is linear in the noise: its variance is the sum of the squares of what one draw of 1 does from then on.
    const double fixed = 0.3 / (1 - 0.99);
    Vector<double> v = Vector<double>::Constant(1, fixed);
    double variance = 0;
    Index half_life = 0;
    for (Index k = 0; k < 40'000; ++k) {
      Vector<double> u = optimality_backup(loop, v, 0.99);
      if (k == 0) u[0] += 1;
      v = proximal_values(SquaredDistance{}, u, v, 1 / row.b - 1);
      const double response = v[0] - fixed;
      variance += response * response;
      if (half_life == 0 && response <= 0.5 * (1 - row.b)) half_life = k;
    }
    CHECK(variance == Approx(row.variance).epsilon(1e-6));
    CHECK(std::abs(static_cast<double>(half_life) - row.half_life) <= 1);
  }
}

TEST_CASE("Noisy value iteration on a frozen lake: slower but more accurate with a pull (T4)") {
  const Plan exact = value_iteration(lake, {.tolerance = 1e-12});
  const Vector<double> best = state_values(exact.q, operators::Max{});
  CHECK(best[0] == Approx(0.414640362).epsilon(1e-8));
  CHECK(best.maxCoeff() == Approx(0.877768739).epsilon(1e-8));
  const double at_20[] = {0.423, 0.492, 0.616, 0.673, 0.728}, at_3000[] = {2.338, 1.212, 0.552, 0.292, 0.130};
  std::vector<double> before{0, infinity};
  int row = 0;
  for (const double b : {0.0, 0.5, 0.8, 0.9, 0.95}) {
    const auto errors = errors_under_noise(b, {20, 3'000}, 20);
    CHECK(errors[0] ==
          Approx(at_20[row]).margin(0.12));  // the sheet's, whose standard error is at most 0.04, as is ours
    CHECK(errors[1] == Approx(at_3000[row]).margin(0.12));
    CHECK(errors[0] > before[0]);
    CHECK(errors[1] < before[1]);
    before = errors;
    ++row;
  }
}

TEST_CASE("Proximal iteration refuses what makes no sense") {
  CHECK_THROWS_WITH(proximal_value_iteration(lake, {.c = 0}), Contains("models::ProximalOptions: c must be positive"));
  CHECK_THROWS_WITH(proximal_value_iteration(lake, {.applications = 0}), Contains("applications must be positive"));
  CHECK_THROWS_WITH(proximal_value_iteration(lake, {}, {}, Vector<double>::Zero(3)), Contains("each of 64 states"));
  CHECK_THROWS_AS(proximal_policy_evaluation(lake, Matrix<double>::Zero(4, 64), {}), Error);
  CHECK_THROWS_WITH(proximal_value(SquaredDistance{}, 1, 1, -1), Contains("c must be positive"));
  CHECK_THROWS_WITH(proximal_value(Entropy{}, 1, 0, 1), Contains("within the domain"));
}

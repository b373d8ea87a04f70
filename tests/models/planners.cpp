// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <vector>

#include <mellow/environments/chains.hpp>
#include <mellow/environments/gridworlds.hpp>
#include <mellow/environments/passenger_taxi.hpp>
#include <mellow/environments/random_mdps.hpp>
#include <mellow/models/policy_iteration.hpp>
#include <mellow/models/prioritized_sweeping.hpp>
#include <mellow/models/value_iteration.hpp>
#include <mellow/operators/boltzmann.hpp>
#include <mellow/operators/epsilon_mix.hpp>
#include <mellow/operators/mean.hpp>
#include <mellow/operators/mellowmax_policy.hpp>

#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::models;
using namespace mellow::operators;
using namespace mellow::environments;
using Catch::Contains;

namespace {

const TabularMdp printed = boltzmann_counter_example(), fitted = boltzmann_counter_example({.reward_b = 0.0335});

template <class Op>
void expect_fixed_point(const TabularMdp& mdp, const Op& op, double start, double q_a, double q_b) {
  const Plan plan = generalized_value_iteration(mdp, op, {.discount = 0.98, .tolerance = 1e-13},
                                                Matrix<double>::Constant(2, 1, start));
  CHECK(plan.converged);
  CHECK(plan.q(0, 0) == Approx(q_a).margin(1e-9));
  CHECK(plan.q(1, 0) == Approx(q_b).margin(1e-9));
}

template <class Op>
Index iterations(const Op& op, double tolerance) {
  const Plan plan = generalized_value_iteration(printed, op, {.discount = 0.98, .tolerance = tolerance});
  CHECK(plan.converged);
  CHECK(plan.residual < tolerance);
  return plan.iterations;
}

/// The v at which the backup of the decision state's two values is v again, from left to right. `start` and `end` bound
/// them.
template <class Op>
std::vector<double> fixed_values(const TabularMdp& mdp, const Op& op, double start = -0.5, double end = 2.5) {
  const auto excess = [&](double v) { return op(action_values(mdp, Vector<double>::Constant(1, v), 0.98).col(0)) - v; };
  constexpr int steps = 3000;
  std::vector<double> found;
  double last = excess(start);
  for (int i = 1; i <= steps; ++i) {
    double high = start + (end - start) * i / steps, low = high - (end - start) / steps;
    const double next = excess(high), sign = last > 0 ? 1 : -1;
    if (last * next < 0) {
      while (high - low > 1e-12) (sign * excess(0.5 * (low + high)) > 0 ? low : high) = 0.5 * (low + high);
      found.push_back(0.5 * (low + high));
    }
    last = next;
  }
  return found;
}

Matrix<double> uniform(const TabularMdp& mdp) {
  return Matrix<double>::Constant(mdp.actions(), mdp.states(), 1.0 / static_cast<double>(mdp.actions()));
}

double start_value(const TabularMdp& mdp, const Plan& plan) { return mdp.start().dot(state_values(plan.q, Max{})); }

}  // namespace

// mellowmax, section 4: the counter-example.
TEST_CASE("Boltzmann has two fixed points on the counter-example, mellowmax one") {
  expect_fixed_point(printed, Boltzmann{16.55}, 0, 0.477999922, 0.566999883);
  expect_fixed_point(printed, Boltzmann{17}, 0, 0.515105520, 0.622658280);
  expect_fixed_point(printed, Boltzmann{17}, 1, 0.689171619, 0.883757429);
  expect_fixed_point(fitted, Boltzmann{16.55}, 0, 0.505552154, 0.608828231);
  expect_fixed_point(fitted, Boltzmann{16.55}, 1, 0.676362040, 0.865043060);
  for (const double start : {-1.0, 0.0, 0.5, 1.0, 5.0}) {
    expect_fixed_point(printed, Mellowmax{16.55}, start, 0.401125280, 0.451687920);
    expect_fixed_point(printed, Max{}, start, 0.838255034, 1.107382550);
  }
  // Unstable ones are fixed points as well.
  const auto move = [](const TabularMdp& mdp, double beta, double q_a, double q_b) {
    const Matrix<double> q = Eigen::Vector2d(q_a, q_b);
    const Plan plan = generalized_value_iteration(mdp, Boltzmann{beta}, {.discount = 0.98, .max_iterations = 1}, q);
    return (plan.q - q).cwiseAbs().maxCoeff();
  };
  CHECK(move(printed, 17, 0.569526885, 0.704290328) < 2e-9);
  CHECK(move(fitted, 16.55, 0.610824081, 0.766736121) < 2e-9);
}

// mellowmax.md, section 4: the counter-example's contradiction.
TEST_CASE("With the printed reward Boltzmann has one fixed point at beta 16.55, from every start") {
  for (const double start : {-1.0, 0.0, 0.5, 0.7, 1.0, 5.0})
    expect_fixed_point(printed, Boltzmann{16.55}, start, 0.477999922, 0.566999883);
  const std::vector<double> v = fixed_values(printed, Boltzmann{16.55});
  REQUIRE(v.size() == 1);
  CHECK(v[0] == Approx(0.550401858).margin(6e-10));
  CHECK(Boltzmann{16.55}(Eigen::Vector2d(0.477999922, 0.566999883)) == Approx(0.550401858).margin(2e-9));
}

// mellowmax.md, section 4: the counter-example's contradiction.
TEST_CASE("Within which beta Boltzmann has two stable fixed points, and an unstable one between") {
  const auto expect_window = [](const TabularMdp& mdp, double from, double to, double margin) {
    CAPTURE(from, to);
    // Near an end two of them lie close together: the grid is fine about there.
    const auto count = [&](double beta) { return fixed_values(mdp, Boltzmann{beta}, 0.55, 0.95).size(); };
    for (const double inside : {from + margin, 0.5 * (from + to), to - margin}) CHECK(count(inside) == 3);
    for (const double outside : {from - margin, to + margin}) CHECK(count(outside) == 1);
    for (const double outside : {from - margin, from - 1, to + margin, to + 1, 2 * to})
      CHECK(fixed_values(mdp, Boltzmann{outside}).size() == 1);
  };
  expect_window(printed, 16.873793, 17.045714, 2e-6);
  expect_window(fitted, 16.510239, 16.678455, 2e-6);  // of the sheet: about [16.52, 16.67]
  for (const double beta : {16.52, 16.55, 16.6, 16.67}) {
    CHECK(fixed_values(fitted, Boltzmann{beta}).size() == 3);
    CHECK(fixed_values(printed, Boltzmann{beta}).size() == 1);
  }
  // Figure 4 reports about [16.5, 16.76], whose ends neither reward reaches: its window holds that of the fitted one.
  for (const double beta : {16.5, 16.76})
    for (const TabularMdp* mdp : {&printed, &fitted}) CHECK(fixed_values(*mdp, Boltzmann{beta}).size() == 1);
  for (double beta = 16.5; beta < 16.765; beta += 0.02) CHECK(fixed_values(printed, Boltzmann{beta}).size() == 1);
}

// mellowmax.md, section 4: the fixed points, stable where the slope of the scalar map is below 1.
TEST_CASE("The values of the fixed points of beta 17, and which of them are stable") {
  const std::vector<double> v = fixed_values(printed, Boltzmann{17});
  REQUIRE(v.size() == 3);
  CHECK(v[0] == Approx(.607769821).margin(6e-10));
  CHECK(v[1] == Approx(.691909222).margin(6e-10));
  CHECK(v[2] == Approx(.876888712).margin(6e-10));
  const auto ends_at = [](double start) {
    const Plan plan = generalized_value_iteration(printed, Boltzmann{17}, {.discount = 0.98, .tolerance = 1e-12},
                                                  action_values(printed, Vector<double>::Constant(1, start), 0.98));
    return state_values(plan.q, Boltzmann{17})[0];
  };
  CHECK(ends_at(v[1] - 1e-3) == Approx(v[0]).margin(1e-8));
  CHECK(ends_at(v[1] + 1e-3) == Approx(v[2]).margin(1e-8));
}

// mellowmax.md, section 4: figure 5 shows (0.59, 0.49) and (0.84, 0.655).
TEST_CASE("The fitted reward has fixed points near those of figure 5, the printed one none near the second") {
  const auto distance = [](const TabularMdp& mdp, double q_b, double q_a) {
    double least = 1;
    for (const double v : fixed_values(mdp, Boltzmann{16.55})) {
      const Matrix<double> q = action_values(mdp, Vector<double>::Constant(1, v), 0.98);
      least = std::min(least, std::max(std::abs(q(0, 0) - q_a), std::abs(q(1, 0) - q_b)));
    }
    return least;
  };
  CHECK(distance(fitted, 0.59, 0.49) < 0.03);
  CHECK(distance(fitted, 0.84, 0.655) < 0.03);
  CHECK(distance(printed, 0.84, 0.655) > 0.1);
}

// mellowmax.md, section 4: figure 7, at the tolerance of 1e-4 at which the maximum takes about 200.
TEST_CASE("Mellowmax takes below 60 sweeps for omega of 1 to 25") {
  for (double omega = 1; omega <= 25; omega += 0.5) {
    CAPTURE(omega);
    CHECK(iterations(Mellowmax{omega}, 1e-4) < 60);
  }
}

// mellowmax.md, section 4.
TEST_CASE("The scalar map of the counter-example has the slopes of the sheet at its fixed points") {
  const auto map = [](double v) { return Boltzmann{17}(Eigen::Vector2d(0.122 + 0.6468 * v, 0.033 + 0.9702 * v)); };
  for (const auto& [v, slope] : {std::pair{.607769821, .995955}, {.691909222, 1.002303}, {.876888712, .995214}}) {
    CHECK(map(v) == Approx(v).margin(1e-8));
    CHECK((map(v + 1e-5) - map(v - 1e-5)) / 2e-5 == Approx(slope).margin(1e-6));
  }
}

// mellowmax.md, section 4.
TEST_CASE("Generalised value iteration takes the sweeps of the sheet") {
  CHECK(iterations(Max{}, 1e-4) == 185);
  CHECK(iterations(Mellowmax{16.55}, 1e-4) == 37);
  for (const auto& [beta, expected] : {std::pair{1.0, 27},
                                       {10, 42},
                                       {16, 110},
                                       {16.55, 148},
                                       {16.8, 185},
                                       {16.9, 211},
                                       {17, 256},
                                       {17.05, 295},
                                       {18, 513},
                                       {25, 227}}) {
    CAPTURE(beta);
    CHECK(iterations(Boltzmann{beta}, 1e-4) == expected);
  }
  CHECK(iterations(Max{}, 1e-6) == 337);
  CHECK(iterations(Mellowmax{16.55}, 1e-6) == 65);
  for (const auto& [beta, expected] : {std::pair{16.55, 404}, {17, 1290}, {17.05, 7822}, {18, 847}}) {
    CAPTURE(beta);
    CHECK(iterations(Boltzmann{beta}, 1e-6) == expected);
  }
}

// mellowmax, section 4, item 6.
TEST_CASE("The operator of generalised value iteration contracts under mellowmax") {
  Rng rng(1);
  for (int i = 0; i < 100; ++i) {
    const DenseMdp mdp = random_mdp(rng);
    Matrix<double> q[2];
    for (auto& table : q) {
      table.resize(mdp.actions(), mdp.states());
      for (double& x : table.reshaped()) x = rng.normal();
    }
    const Mellowmax op{rng.uniform(-30, 30)};
    const auto backed_up = [&](const Matrix<double>& at) { return action_values(mdp, state_values(at, op), 0.9); };
    CHECK((backed_up(q[0]) - backed_up(q[1])).cwiseAbs().maxCoeff() <=
          0.9 * (q[0] - q[1]).cwiseAbs().maxCoeff() + 1e-12);
  }
}

// mellowmax, E3: exact references of the taxi.
TEST_CASE("Planning the multi-passenger taxi") {
  const PlanOptions options{.discount = 0.99, .tolerance = 1e-10};
  const TabularMdp taxi = passenger_taxi(), slippery = passenger_taxi({.slip = 0.1});
  const Plan best = value_iteration(taxi, options);
  CHECK(start_value(taxi, best) == Approx(11.435140715).margin(1e-8));
  CHECK(start_value(taxi, best) == Approx(15 * std::pow(0.99, 27)).margin(1e-8));
  CHECK(start_value(slippery, value_iteration(slippery, options)) == Approx(11.005444).margin(1e-6));

  // The policy of a plan, evaluated: its value at the start, and its mean reward a step.
  const auto expect_policy = [&](const TabularMdp& mdp, const Matrix<double>& pi, double value, double reward) {
    const auto episode = [&](double discount) { return mdp.start().dot(exact_policy_evaluation(mdp, pi, discount)); };
    CHECK(episode(0.99) == Approx(value).margin(1e-5));
    const TabularMdp lengths(mdp.states(), 4, [&](Index s, Index a) {
      const auto outcomes = mdp.outcomes(s, a);
      std::vector<Outcome> counted(outcomes.begin(), outcomes.end());
      for (Outcome& outcome : counted) outcome.reward = 1;
      return counted;
    });
    const double steps = mdp.start().dot(exact_policy_evaluation(lengths, pi, 1.0));
    CHECK(episode(1.0) / steps == Approx(reward).margin(6e-5));
  };
  const auto under = [&](const TabularMdp& mdp, const auto& op, const auto& policy) {
    const Plan plan = generalized_value_iteration(mdp, op, options);
    Matrix<double> pi(4, mdp.states());
    for (Index s = 0; s < mdp.states(); ++s) policy.probabilities(plan.q.col(s), pi.col(s));
    return pi;
  };
  const auto mellow = [&](const TabularMdp& mdp, double omega) {
    return under(mdp, Mellowmax{omega}, MellowmaxPolicy{omega});
  };
  expect_policy(taxi, mellow(taxi, 2), 3.93427, .1060);
  expect_policy(taxi, mellow(taxi, 5), 6.86066, .1865);
  expect_policy(taxi, mellow(taxi, 10), 8.69097, .2688);
  expect_policy(taxi, mellow(taxi, 50), 10.82314, .4475);
  for (const auto& [beta, value, reward] :
       {std::tuple{1.0, 3.97124, .1065}, {3, 7.58427, .2146}, {10, 10.43096, .4028}})
    expect_policy(taxi, under(taxi, Boltzmann{beta}, Boltzmann{beta}), value, reward);
  expect_policy(slippery, mellow(slippery, 5), 6.02658, .1593);
}

TEST_CASE("All planners agree, on either form of a model") {
  Rng rng(2);
  const PlanOptions options{.discount = 0.9, .tolerance = 1e-11};
  for (int i = 0; i < 10; ++i) {
    const TabularMdp sparse = garnet({.states = 30, .actions = 3, .branching = 4}, rng);
    const DenseMdp dense(sparse);
    const Plan sweeps = value_iteration(sparse, options);
    for (const Plan& plan : {policy_iteration(sparse, options), prioritized_sweeping(sparse, options),
                             value_iteration(dense, options), policy_iteration(dense, options)}) {
      CHECK(plan.converged);
      CHECK(plan.residual <= options.tolerance);
      CHECK((plan.q - sweeps.q).cwiseAbs().maxCoeff() < 1e-9);
    }
    CHECK(policy_iteration(sparse, options).iterations < 15);
    const Plan mellow = generalized_value_iteration(sparse, Mellowmax{3}, options);
    CHECK((prioritized_sweeping(sparse, options, Mellowmax{3}).q - mellow.q).cwiseAbs().maxCoeff() < 1e-9);

    const Matrix<double> pi = as_probabilities(greedy_policy(sweeps.q), 3);
    const Vector<double> exact = exact_policy_evaluation(sparse, pi, 0.9);
    CHECK((exact - state_values(sweeps.q, Max{})).cwiseAbs().maxCoeff() < 1e-9);
    const Evaluation iterative = policy_evaluation(sparse, pi, options);
    CHECK(iterative.converged);
    CHECK((exact - iterative.v).cwiseAbs().maxCoeff() < 1e-9);
  }
}

TEST_CASE("Mean evaluates the random policy, EpsilonMix lies between it and the best") {
  const TabularMdp walk = chain(5);
  const Plan random = generalized_value_iteration(walk, Mean{}, {.discount = 1, .tolerance = 1e-12});
  const Vector<double> exact = exact_policy_evaluation(walk, uniform(walk), 1);
  for (Index s = 0; s < 5; ++s) {
    CHECK(exact[s] == Approx(static_cast<double>(s + 1) / 6));  // Sutton & Barto 2018, example 6.2
    CHECK(random.q.col(s).mean() == Approx(exact[s]).margin(1e-10));
    const Plan mixed = generalized_value_iteration(walk, EpsilonMix{0.5}, {.discount = 1, .tolerance = 1e-12});
    CHECK(mixed.q.col(s).sum() > random.q.col(s).sum());
    CHECK(mixed.q.col(s).maxCoeff() <= 1);
  }
}

TEST_CASE("The cliff walk's best way runs along the edge, prioritized sweeping finds it with fewer backups") {
  const TabularMdp cliff = cliff_walking();
  const Plan plan = value_iteration(cliff, {.discount = 1});
  CHECK(start_value(cliff, plan) == -13);
  const Plan maze = value_iteration(passenger_taxi());
  const Plan swept = prioritized_sweeping(passenger_taxi());
  CHECK(swept.converged);
  CHECK(swept.iterations < maze.iterations * 264);
}

TEST_CASE("Planners say when they did not converge, and refuse bad input") {
  const Plan cut = value_iteration(printed, {.max_iterations = 3});
  CHECK((!cut.converged && cut.iterations == 3 && cut.residual > 1e-6));
  CHECK_FALSE(policy_evaluation(printed, uniform(printed), {.max_iterations = 3}).converged);
  CHECK_THROWS_AS(value_iteration(printed, {.discount = 1.5}), Error);
  CHECK_THROWS_AS(value_iteration(printed, {.tolerance = -1}), Error);
  CHECK_THROWS_AS(value_iteration(printed, {.max_iterations = 0}), Error);
  CHECK_THROWS_AS(generalized_value_iteration(printed, Mellowmax{0}), Error);
  CHECK_THROWS_WITH(generalized_value_iteration(printed, Max{}, {}, Matrix<double>::Zero(1, 2)),
                    Contains("actions x states, 2 x 1 (got 1 x 2)"));
  CHECK_THROWS_WITH(policy_evaluation(printed, Matrix<double>::Constant(2, 1, 0.6)), Contains("state 0"));
  CHECK_THROWS_AS(policy_evaluation(printed, Matrix<double>::Constant(3, 1, 0.5)), Error);
  CHECK_THROWS_AS(as_probabilities(Vector<Index>::Constant(1, 2), 2), Error);
  const TabularMdp endless(1, 1, [](Index, Index) { return std::vector<Outcome>{{1.0, 0, 1.0, false}}; });
  CHECK_THROWS_WITH(exact_policy_evaluation(endless, uniform(endless), 1), Contains("discount below 1"));
}

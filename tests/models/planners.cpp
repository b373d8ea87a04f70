// SPDX-License-Identifier: Apache-2.0
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

TEST_CASE("The scalar map of the counter-example has the slopes of the sheet at its fixed points") {
  const auto map = [](double v) { return Boltzmann{17}(Eigen::Vector2d(0.122 + 0.6468 * v, 0.033 + 0.9702 * v)); };
  for (const auto& [v, slope] : {std::pair{.607769821, .995955}, {.691909222, 1.002303}, {.876888712, .995214}}) {
    CHECK(map(v) == Approx(v).margin(1e-8));
    CHECK((map(v + 1e-5) - map(v - 1e-5)) / 2e-5 == Approx(slope).margin(1e-6));
  }
}

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

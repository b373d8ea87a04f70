// SPDX-License-Identifier: Apache-2.0
#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/chains.hpp>
#include <mellow/environments/gridworlds.hpp>
#include <mellow/environments/tabular.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/models/uct.hpp>
#include <mellow/models/value_iteration.hpp>

#include "support/catch.hpp"

using namespace mellow;
using models::Uct;

TEST_CASE("UCT's root values tend to the best ones, by chance too") {
  const auto walk = environments::chain(3, {.left_reward = 0.1, .right_reward = 1, .slip = 0.2});
  environments::Tabular environment(walk);
  Rng rng(1);
  environment.reset(rng);
  Uct uct(environment, {.simulations = 20'000, .horizon = 40, .discount = 0.9, .exploration = 0.1});
  const Index action = uct.search(environment, rng);
  const auto q = models::value_iteration(walk, {.discount = 0.9}).q.col(1).eval();
  CHECK(q[action] == Approx(q.maxCoeff()));
  CHECK(uct.visits().sum() == 20'000);
  CHECK(uct.nodes() <= 20'001);
  CHECK(uct.values()[action] == Approx(q.maxCoeff()).margin(0.05));
  CHECK(uct.values().maxCoeff() <= q.maxCoeff() + 0.02);
}

TEST_CASE("UCT is UCB1 at a single decision") {
  const environments::TabularMdp bandit(1, 3, [](Index, Index a) {
    const double p = 0.3 + 0.2 * static_cast<double>(a);
    return std::vector<environments::Outcome>{{p, 0, 1.0, true}, {1 - p, 0, 0.0, true}};
  });
  environments::Tabular environment(bandit);
  Rng rng(2);
  Uct uct(environment, {.simulations = 5'000, .horizon = 10, .exploration = 0.3});
  CHECK(uct.search(environment, rng) == 2);
  CHECK(uct.visits().minCoeff() > 3);
  CHECK(uct.visits()[2] > 3'000);
  CHECK(uct.values()[2] == Approx(0.7).margin(0.05));
}

TEST_CASE("UCT balances a pole, with observations that are vectors, and repeats itself for a seed") {
  environments::TimeLimit environment(environments::CartPole{}, 500);
  Rng rng(3);
  environment.reset(rng);
  Uct uct(environment, {.simulations = 100, .horizon = 40, .exploration = 10});
  double total = 0;
  Step step;
  while (total < 100 && !step.terminated) {
    const auto before = environment;
    Rng twin = rng;
    const Index action = uct.search(environment, rng);
    CHECK(first_difference(before, environment).empty());
    if (total == 50) {
      auto other = uct;
      CHECK(other.search(environment, twin) == action);
    }
    step = environment.step(action, rng);
    total += step.reward;
  }
  CHECK(total == 100);
}

TEST_CASE("UCT takes a rollout policy, and refuses options out of range") {
  const auto corridor = environments::gridworld(environments::Grid("S.........G"));
  environments::Tabular environment(corridor);
  const auto right = [](const environments::Tabular<environments::TabularMdp>&, Rng&) -> Index { return 2; };
  Rng rng(4);
  environment.reset(rng);
  Uct guided(environment, {.simulations = 5'000, .horizon = 20, .discount = 0.9, .exploration = 0.02}, right);
  CHECK(guided.search(environment, rng) == 2);
  CHECK(guided.values()[2] == Approx(std::pow(0.9, 9)).margin(0.05));
  CHECK_THROWS_AS(Uct(environment, {.simulations = 0}), Error);
  CHECK_THROWS_AS(Uct(environment, {.horizon = 0}), Error);
  CHECK_THROWS_AS(Uct(environment, {.discount = -1}), Error);
  CHECK_THROWS_AS(Uct(environment, {.exploration = -1}), Error);
}

// SPDX-License-Identifier: Apache-2.0
#include <mellow/environments/chains.hpp>
#include <mellow/environments/check.hpp>
#include <mellow/environments/dense_mdp.hpp>
#include <mellow/environments/gridworlds.hpp>
#include <mellow/environments/linear_mrp.hpp>
#include <mellow/environments/passenger_taxi.hpp>
#include <mellow/environments/random_linear.hpp>
#include <mellow/environments/random_mdps.hpp>
#include <mellow/environments/tabular.hpp>

#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::environments;
using Catch::Contains;

namespace {

template <TabularModel M>
void expect_probabilities(const M& model) {
  for (Index s = 0; s < model.states(); ++s)
    for (Index a = 0; a < model.actions(); ++a) {
      double total = 0;
      for (const Outcome& outcome : model.outcomes(s, a)) {
        total += outcome.probability;
        REQUIRE(outcome.probability >= 0);
        REQUIRE((outcome.next >= 0 && outcome.next < model.states()));
      }
      REQUIRE(total == Approx(1));
    }
}

TabularMdp with(std::vector<Outcome> outcomes) {
  return TabularMdp(3, 2, [&](Index s, Index a) {
    return s == 1 && a == 1 ? outcomes : std::vector<Outcome>{{1.0, s, 0.0, false}};
  });
}

}  // namespace

TEST_CASE("A model that makes no sense is refused with its state and action") {
  CHECK_THROWS_WITH(with({{0.5, 0, 0, false}}), Contains("TabularMdp: state 1, action 1: probabilities must sum to 1"));
  CHECK_THROWS_WITH(with({}), Contains("sum to 1"));
  CHECK_THROWS_WITH(with({{1.5, 0, 0, false}, {-0.5, 1, 0, false}}), Contains("not be negative (got -0.5)"));
  CHECK_THROWS_WITH(with({{1.0, 3, 0, false}}), Contains("next state does not exist (got 3)"));
  CHECK_THROWS_WITH(with({{1.0, 0, std::nan(""), false}}), Contains("reward must be finite"));
  CHECK_THROWS_AS(with({{std::nan(""), 0, 0, false}}), Error);
  const auto stay = [](Index s, Index) { return std::vector<Outcome>{{1.0, s, 0.0, false}}; };
  CHECK_THROWS_AS(TabularMdp(0, 1, stay), Error);
  CHECK_THROWS_AS(TabularMdp(1, 0, stay), Error);
  CHECK_THROWS_WITH(TabularMdp(2, 1, stay, Vector<double>::Constant(2, 0.6)), Contains("start probabilities"));
  CHECK_THROWS_WITH(TabularMdp(2, 1, stay, Vector<double>::Constant(3, 0.6)), Contains("each of 2 states"));

  using P = DenseMdp::TransitionMatrix;
  const Matrix<double> r = Matrix<double>::Zero(1, 2);
  CHECK_THROWS_WITH(DenseMdp({P::Constant(2, 2, 0.6)}, r), Contains("state 0, action 0") && Contains("1.2"));
  CHECK_THROWS_WITH(DenseMdp({P::Constant(2, 2, -0.1)}, r), Contains("not be negative"));
  CHECK_THROWS_WITH(DenseMdp({P::Zero(2, 3)}, r), Contains("must be 2 x 2 (got 2 x 3)"));
  CHECK_THROWS_WITH(DenseMdp({}, r), Contains("each of 1 actions"));
}

TEST_CASE("A tabular model is an environment whose snapshot is a number") {
  check(Tabular(frozen_lake()));
  check(Tabular(passenger_taxi({.slip = 0.1})));
  check(Tabular(chain(5)));
  check(Tabular(walled_chain(5)));
  Rng rng(1);
  check(Tabular(random_mdp(rng)));
  check(Tabular(garnet({.states = 20, .actions = 3, .branching = 4}, rng)));
  CHECK(SnapshotEnvironment<Tabular<TabularMdp>>);
  CHECK(SnapshotEnvironment<Tabular<DenseMdp>>);
  CHECK(state_bytes(Tabular(frozen_lake())) == sizeof(Index));
}

TEST_CASE("Steps follow the probabilities of the model, in either form") {
  const TabularMdp sparse(
      2, 1,
      [](Index s, Index) {
        return std::vector<Outcome>{{0.5, 1 - s, 1.0, false}, {0.3, s, -1.0, false}, {0.2, s, 3.0, true}};
      },
      Eigen::Vector2d(0.25, 0.75));
  const auto expect = [](auto environment, bool rewards) {
    Rng rng(3);
    constexpr int draws = 40'000;
    Index moved = 0, ended = 0, second = 0;
    double total = 0;
    for (int i = 0; i < draws; ++i) {
      environment.reset(rng);
      const Index before = environment.state();
      second += before;
      const Step step = environment.step(0, rng);
      moved += environment.state() != before;
      ended += step.terminated;
      total += step.reward;
    }
    const double margin = 5 * 0.5 / std::sqrt(draws);
    CHECK(static_cast<double>(moved) / draws == Approx(0.5).margin(margin));
    CHECK(static_cast<double>(ended) / draws == Approx(0.2).margin(margin));
    CHECK(static_cast<double>(second) / draws == Approx(0.75).margin(margin));
    CHECK(total / draws == Approx(0.8).margin(rewards ? 4 * margin : 1e-9));
  };
  expect(Tabular(sparse), true);
  expect(Tabular(DenseMdp(sparse)), false);  // pays the expected reward
}

TEST_CASE("A dense model has the expectations of the sparse one it was made of") {
  const TabularMdp taxi = passenger_taxi({.slip = 0.1});
  const DenseMdp dense(taxi);
  expect_probabilities(taxi);
  expect_probabilities(dense);
  const Vector<double> v = Vector<double>::Random(taxi.states());
  for (Index s = 0; s < taxi.states(); ++s)
    for (Index a = 0; a < 4; ++a) {
      const double expected = lookahead(taxi, s, a, 0.9, v);
      REQUIRE(lookahead(dense, s, a, 0.9, v) == Approx(expected).margin(1e-12));
      REQUIRE(dense.rewards()(a, s) + 0.9 * dense.transitions(a).row(s).dot(v) == Approx(expected).margin(1e-12));
    }
}

TEST_CASE("A grid numbers its free cells and keeps to them") {
  const Grid grid("S.#\n..G");
  CHECK((grid.rows() == 2 && grid.columns() == 3 && grid.states() == 5));
  CHECK(grid.state(0, 2) == -1);
  CHECK(grid.state(1, 2) == 4);
  CHECK(grid.at(4) == 'G');
  CHECK(grid.neighbor(1, Move::Right) == 1);  // the wall
  CHECK(grid.neighbor(0, Move::Up) == 0);     // the border
  CHECK(grid.neighbor(0, Move::Down) == 2);
  CHECK(grid.neighbor(4, Move::Left) == 3);
  CHECK(grid.draw([](Index) { return Index{2}; }) == "→ → #\n→ → G\n");
  CHECK_THROWS_WITH(Grid("..\n..."), Contains("Grid: every row"));
  CHECK_THROWS_AS(Grid(""), Error);
  CHECK_THROWS_AS(Grid("##\n##"), Error);
  CHECK_THROWS_WITH(gridworld(Grid("S?G")), Contains("gridworld") && Contains("?"));
  CHECK_THROWS_WITH(gridworld(Grid("..G")), Contains("start"));
  CHECK_THROWS_AS(gridworld(grid, {.slip = 1.5}), Error);
}

TEST_CASE("A gridworld slips to the sides, ends at goals and holes, and falls off cliffs") {
  const Grid grid("SCH\n..G\nS.#");
  const TabularMdp mdp = gridworld(grid, {.slip = 0.2, .step_reward = -1, .goal_reward = 5, .hole_reward = -7});
  CHECK(mdp.start()[0] == 0.5);
  CHECK(mdp.start()[grid.state(2, 0)] == 0.5);
  const auto from_centre = mdp.outcomes(grid.state(1, 1), static_cast<Index>(Move::Right));
  REQUIRE(from_centre.size() == 3);  // down, right, up
  CHECK((from_centre[0].next == grid.state(2, 1) && from_centre[0].reward == -1 && !from_centre[0].terminated));
  CHECK((from_centre[1].next == grid.state(1, 2) && from_centre[1].reward == 5 && from_centre[1].terminated));
  CHECK((from_centre[2].next == 0 && from_centre[2].reward == -100 && !from_centre[2].terminated));
  CHECK(from_centre[1].probability == Approx(0.8));
  const auto from_hole = mdp.outcomes(grid.state(0, 2), 0);
  CHECK((from_hole.size() == 1 && from_hole[0].terminated && from_hole[0].reward == 0));
  const auto up_from_goal_side = mdp.outcomes(grid.state(0, 1), static_cast<Index>(Move::Right));
  CHECK(up_from_goal_side[1].reward == -7);
}

TEST_CASE("The multi-passenger taxi picks up, keeps and delivers") {
  const TabularMdp taxi = passenger_taxi();
  const Grid grid = passenger_taxi_map();
  CHECK(taxi.states() == 264);  // mellowmax, E3
  CHECK(grid.states() == 33);
  Index s = 0;
  const auto go = [&](Move move) {
    const auto outcome = taxi.outcomes(s, static_cast<Index>(move))[0];
    s = outcome.next;
    return outcome;
  };
  CHECK(taxi.start()[0] == 1);
  for (const Move m : {Move::Down, Move::Down, Move::Right, Move::Right}) CHECK(go(m).reward == 0);
  CHECK(s == grid.state(2, 2));
  go(Move::Up);
  go(Move::Up);
  CHECK(s == 33 + grid.state(0, 2));  // the first passenger is aboard
  go(Move::Down);
  go(Move::Down);
  for (int i = 0; i < 4; ++i) go(Move::Right);
  CHECK(go(Move::Up).reward == 0);
  const Outcome delivered = go(Move::Up);
  CHECK((delivered.reward == 1 && delivered.terminated));
  CHECK_THROWS_AS(passenger_taxi({.slip = -0.1}), Error);
}

TEST_CASE("Random families have the shapes they promise") {
  Rng rng(5);
  for (int i = 0; i < 200; ++i) {  // mellowmax, E2
    const DenseMdp mdp = random_mdp(rng);
    REQUIRE((mdp.states() >= 2 && mdp.states() <= 10 && mdp.actions() >= 2 && mdp.actions() <= 5));
    REQUIRE(mdp.rewards().maxCoeff() == Approx(0.5).epsilon(1e-15));
    REQUIRE(mdp.rewards().minCoeff() >= 0);
    expect_probabilities(mdp);
  }
  const TabularMdp mdp = garnet({.states = 30, .actions = 3, .branching = 5}, rng);
  expect_probabilities(mdp);
  for (Index s = 0; s < 30; ++s) {
    std::vector<Index> next;
    for (const Outcome& outcome : mdp.outcomes(s, 1)) next.push_back(outcome.next);
    std::sort(next.begin(), next.end());
    CHECK((next.size() == 5 && std::adjacent_find(next.begin(), next.end()) == next.end()));
  }
  CHECK_THROWS_AS(garnet({.states = 3, .branching = 4}, rng), Error);
  CHECK_THROWS_AS(chain(0), Error);
  CHECK_THROWS_AS(walled_chain(1), Error);
}

TEST_CASE("Linear reward processes are sampled as they say") {
  const LinearMrp mrp = tsitsiklis_van_roy({.end = 0.3, .first_weight = 0.2});
  Rng rng(6);
  constexpr int draws = 20'000;
  int first = 0, ended = 0;
  for (int i = 0; i < draws; ++i) {
    const auto sample = mrp.sample(rng);
    first += sample.state == 0;
    ended += sample.next < 0;
    REQUIRE((sample.state == 1 || sample.next == 1));
  }
  CHECK(first / double{draws} == Approx(0.2).margin(0.015));
  CHECK(ended / double{draws} == Approx(0.3 * 0.8).margin(0.015));
  CHECK_THROWS_AS(tsitsiklis_van_roy({.end = -0.1}), Error);
  CHECK_THROWS_AS(baird_star(1.5), Error);
  LinearMrp wrong = mrp;
  wrong.weights.resize(3);
  CHECK_THROWS_WITH(wrong.validate(), Contains("do not fit 2 states"));
}

TEST_CASE("Random processes with linear values have the shapes and sums that were asked for") {
  Rng rng(7);
  const LinearMrp mrp = random_linear_mrp({.states = 5, .features = 2, .discount = 0.4}, rng);
  CHECK(mrp.discount == 0.4);
  CHECK((mrp.features.rows() == 2 && mrp.features.cols() == 5));
  CHECK((mrp.transitions.rowwise().sum() - Vector<double>::Ones(5)).norm() < 1e-14);
  CHECK(mrp.weights.sum() == Approx(1));
  CHECK(mrp.weights.maxCoeff() - mrp.weights.minCoeff() > 0);
  const LinearControl control =
      random_linear_control(garnet({.states = 6, .actions = 3, .branching = 2}, rng), 4, 0.8, rng);
  CHECK((control.features.rows() == 4 && control.features.cols() == 18));
  CHECK((control.weights.rows() == 3 && control.weights.cols() == 6));
  CHECK(control.weights.sum() == Approx(1));
  CHECK(control.model.transitions(2).rowwise().sum().minCoeff() == Approx(1));
  CHECK_THROWS_WITH(random_linear_mrp({.states = 0}, rng), "random_linear_mrp: states must be positive (got 0)");
  CHECK_THROWS_WITH(random_linear_mrp({.features = 0}, rng), "random_linear_mrp: features must be positive (got 0)");
  CHECK_THROWS_WITH(random_linear_control(control.model, 0, 0.9, rng),
                    "random_linear_control: features must be positive (got 0)");
}

TEST_CASE("Linear control refuses what does not fit") {
  Rng rng(8);
  const LinearControl good =
      random_linear_control(garnet({.states = 3, .actions = 2, .branching = 2}, rng), 2, 0.9, rng);
  const auto refused = [&](const auto& spoil) {
    LinearControl bad = good;
    spoil(bad);
    return bad;
  };
  CHECK_THROWS_WITH(refused([](LinearControl& c) { c.features.resize(2, 5); }).validate(),
                    "LinearControl: features (2 x 5) and weights (2 x 3) do not fit 3 states and 2 actions");
  CHECK_THROWS_WITH(refused([](LinearControl& c) { c.weights.resize(3, 2); }).validate(),
                    "LinearControl: features (2 x 6) and weights (3 x 2) do not fit 3 states and 2 actions");
  CHECK_THROWS_WITH(refused([](LinearControl& c) { c.features(0, 0) = std::nan(""); }).validate(),
                    "LinearControl: features must be finite (got nan)");
  CHECK_THROWS_WITH(refused([](LinearControl& c) { c.discount = 1.5; }).validate(),
                    "LinearControl: discount must lie in [0, 1] (got 1.5)");
  CHECK_THROWS_WITH(refused([](LinearControl& c) { c.weights(0, 0) = -1; }).validate(),
                    "LinearControl: weights must not be negative, nor all zero (got -1)");
}

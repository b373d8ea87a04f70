// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include <mellow/environments/chains.hpp>
#include <mellow/environments/gridworlds.hpp>
#include <mellow/environments/random_mdps.hpp>
#include <mellow/environments/tabular.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/models/policy_evaluation.hpp>
#include <mellow/models/value_iteration.hpp>
#include <mellow/operators/epsilon_mix.hpp>
#include <mellow/operators/explore.hpp>
#include <mellow/operators/mellowmax_policy.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/tabular_q.hpp>

#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::operators;
using namespace mellow::value;
using environments::Outcome;
using environments::Tabular;
using environments::TabularMdp;

namespace {

const EpsilonGreedy greedily{.epsilon = 0.0};

/// A table of 3 states and 2 actions with known values.
const Matrix<double> known = (Matrix<double>(2, 3) << 1, 4, -2, 2, 3, 5).finished();

template <class... Parts>
TabularQ<Parts...> with_known(const Parts&... parts) {
  TabularQ<Parts...> agent(3, 2, {.discount = 0.5, .learning_rate = 0.1}, parts...);
  if (agent.parameters().cols() == 3) agent.set_parameters(known);
  return agent;
}

/// The value of (0, 1) after one step from there to state 1 with reward 10.
template <class Agent>
double after_one_step(Agent agent, bool terminated = false, bool truncated = false) {
  Rng rng(1);
  agent.observe({0, Index{1}, 10.0, 1, terminated, truncated}, rng);
  return agent.q(0)[1];
}

double updated(double next) { return 2 + 0.1 * (10 + 0.5 * next - 2); }

/// Steps an agent in an environment without the run loop.
template <class Agent, class E>
void live(Agent& agent, E environment, int steps, Rng rng) {
  environment.reset(rng);
  for (int i = 0; i < steps; ++i) {
    const Index state = environment.state(), action = agent.act(state, rng);
    const Step step = environment.step(action, rng);
    agent.observe({state, action, step.reward, environment.state(), step.terminated, step.truncated}, rng);
    if (step.terminated || step.truncated) environment.reset(rng);
  }
}

std::uint64_t hash(const Matrix<double>& values) {
  std::uint64_t result = 0;
  for (const double x : values.reshaped()) {
    std::uint64_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    bits ^= result;
    result = splitmix64(bits);
  }
  return result;
}

}  // namespace

// With the mellowmax policy the expected target of SARSA is mellowmax: mellowmax.md, section 3.6.
TEST_CASE("One update of each backup is its definition") {
  CHECK(after_one_step(with_known()) == Approx(updated(4)));
  CHECK(after_one_step(with_known(Max{}, greedily)) == Approx(updated(4)));
  CHECK(after_one_step(with_known(Mellowmax{3})) == Approx(updated(Mellowmax{3}(known.col(1)))));
  CHECK(after_one_step(with_known(Sarsa{}, greedily)) == Approx(updated(4)));
  CHECK(after_one_step(with_known(greedily, ExpectedSarsa{})) == Approx(updated(4)));
  CHECK(after_one_step(with_known(EpsilonGreedy{.epsilon = 0.4}, ExpectedSarsa{})) ==
        Approx(updated(0.8 * 4 + 0.2 * 3)));
  CHECK(after_one_step(with_known(explore(MellowmaxPolicy{3}), ExpectedSarsa{})) ==
        Approx(updated(Mellowmax{3}(known.col(1)))));
  CHECK(after_one_step(with_known(), true) == Approx(updated(0)));
  CHECK(after_one_step(with_known(), false, true) == Approx(updated(4)));  // truncation bootstraps
  CHECK(after_one_step(with_known(Sarsa{}, greedily), false, true) == Approx(updated(4)));
  CHECK(after_one_step(with_known(Sarsa{}, greedily), true, true) == Approx(updated(0)));
}

TEST_CASE("Double Q-learning learns in one table what the other says of its own best action") {
  Matrix<double> tables(2, 6);
  tables << known, (Matrix<double>(2, 3) << 0, 7, 1, 6, 8, 2).finished();
  bool seen[2] = {};
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    TabularQ agent(3, 2, {.discount = 0.5, .learning_rate = 0.1}, DoubleQ{});
    agent.set_parameters(tables);
    Rng rng(seed);
    agent.observe({0, Index{1}, 10.0, 1, false, false}, rng);
    const Matrix<double> change = agent.parameters() - tables;
    const bool second = change(1, 3) != 0;
    seen[second] = true;
    CHECK((change.array() != 0).count() == 1);
    if (second)
      CHECK(change(1, 3) == Approx(0.1 * (10 + 0.5 * 3 - 6)));     // its best is action 1, of 8; the first says 3
    else CHECK(change(1, 0) == Approx(0.1 * (10 + 0.5 * 7 - 2)));  // its best is action 0, of 4
    CHECK(agent.q(1)[0] == Approx(5.5));
    CHECK(agent.greedy(1) == 0);  // ties go to the first
  }
  CHECK((seen[0] && seen[1]));
}

TEST_CASE("SARSA learns from the action it takes next, and no other") {
  TabularQ agent(3, 4, {.discount = 0.9, .learning_rate = 0.5}, Sarsa{}, EpsilonGreedy{.epsilon = 1.0});
  Rng rng(2);
  Matrix<double> table = Matrix<double>::Random(4, 3);
  agent.set_parameters(table);
  Index action = agent.act(0, rng);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    table = agent.parameters();
    const Index state = i % 3, next = (i + 1) % 3;
    agent.observe({state, action, 1.0, next, false, false}, rng);
    const Index next_action = agent.act(next, rng);
    CHECK(agent.q(state)[action] ==
          Approx(0.5 * table(action, state) + 0.5 * (1 + 0.9 * table(next_action, next))).epsilon(1e-12));
    differs |= next_action != argmax(table.col(next));
    action = next_action;
  }
  CHECK(differs);
  // What it chose for a truncated episode's last state is not taken in the next episode's first.
  agent.observe({0, Index{1}, 1.0, 1, false, true}, rng);
  bool seen[4] = {};
  for (int i = 0; i < 100; ++i) seen[agent.act(2, rng)] = true;
  CHECK((seen[0] && seen[1] && seen[2] && seen[3]));
}

TEST_CASE("Learning converges to the fixed points of planning") {
  Rng rng(3);
  const auto mdp = environments::garnet({.states = 5, .actions = 3, .branching = 2}, rng);
  const Tabular environment(mdp);
  const TabularQOptions options{.discount = 0.8, .learning_rate = exponential(0.5, 1e-3, 150'000)};
  const models::PlanOptions plan{.discount = 0.8, .tolerance = 1e-10};
  const EpsilonGreedy exploring{.epsilon = 0.3};
  const auto distance = [&](auto agent, const Matrix<double>& expected) {
    live(agent, environment, 200'000, Rng(4));
    double worst = 0;
    for (Index s = 0; s < 5; ++s) worst = std::max(worst, (agent.q(s) - expected.col(s)).cwiseAbs().maxCoeff());
    return worst;
  };
  const auto planned = [&](const auto& op) { return models::generalized_value_iteration(mdp, op, plan).q; };
  // The margin is that of the noise that the last learning rate leaves, some 0.01, five times.
  CHECK(distance(TabularQ(5, 3, options, exploring), planned(Max{})) < 0.05);
  CHECK(distance(TabularQ(5, 3, options, exploring, DoubleQ{}), planned(Max{})) < 0.05);
  CHECK(distance(TabularQ(5, 3, options, exploring, Mellowmax{2}), planned(Mellowmax{2})) < 0.05);
  CHECK(distance(TabularQ(5, 3, options, exploring, ExpectedSarsa{}), planned(EpsilonMix{0.3})) < 0.05);
  CHECK(distance(TabularQ(5, 3, options, exploring, Sarsa{}), planned(EpsilonMix{0.3})) < 0.05);
  CHECK(distance(TabularQ(5, 3, options, explore(MellowmaxPolicy{2}), Sarsa{}), planned(Mellowmax{2})) < 0.05);
  CHECK(distance(TabularQ(5, 3, options, exploring, Sarsa{}, Dutch{0.5}), planned(EpsilonMix{0.3})) < 0.1);
}

TEST_CASE("Traces pass an error back along the episode") {
  // Three steps 0 -> 1 -> 2 -> end by action 0, the last with reward 1.
  const auto after = [](auto agent) {
    Rng rng(1);
    agent.observe({0, Index{0}, 0.0, 1, false, false}, rng);
    agent.observe({1, Index{0}, 0.0, 2, false, false}, rng);
    agent.observe({2, Index{0}, 1.0, 2, true, false}, rng);
    return Matrix<double>(agent.parameters());
  };
  const TabularQOptions options{.discount = 0.9, .learning_rate = 0.5};
  for (const Matrix<double>& q : {after(TabularQ(3, 2, options, Sarsa{}, Accumulating{0.8}, greedily)),
                                  after(TabularQ(3, 2, options, Max{}, Replacing{0.8}, greedily)),
                                  after(TabularQ(3, 2, options, greedily, Dutch{0.8}))}) {
    CHECK(q(0, 2) == Approx(0.5));
    CHECK(q(0, 1) == Approx(0.5 * 0.72));
    CHECK(q(0, 0) == Approx(0.5 * 0.72 * 0.72));
    CHECK(q.row(1).norm() == 0);
  }
  CHECK(after(TabularQ(3, 2, options, greedily))(0, 1) == 0);
}

TEST_CASE("A second visit adds up, starts again, or is weighed against the learning rate") {
  const auto trace = [](auto kind) {
    EligibilityTraces traces(kind, 2);
    double values[2] = {};
    traces.update(values, 1, 0.25, 0.0, 0.0);
    traces.decay(0.5);
    traces.update(values, 1, 0.25, 0.0, 0.0);
    return traces.traces()[1];
  };
  CHECK(trace(Accumulating{0.8}) == Approx(1.4));
  CHECK(trace(Replacing{0.8}) == Approx(1));
  CHECK(trace(Dutch{0.8}) == Approx(0.325));  // the learning rate included
}

TEST_CASE("Traces end with the episode, and Q-learning's where an action was not the best") {
  const TabularQOptions options{.discount = 1, .learning_rate = 0.5};
  for (const bool truncated : {false, true}) {
    TabularQ agent(3, 2, options, Sarsa{}, Accumulating{1.0}, greedily);
    Rng rng(1);
    agent.observe({0, Index{0}, 0.0, 1, !truncated, truncated}, rng);
    agent.observe({1, Index{0}, 1.0, 2, true, false}, rng);
    CHECK(agent.q(0)[0] == 0);
  }
  TabularQ agent(3, 2, options, Accumulating{1.0}, greedily);
  agent.set_parameters((Matrix<double>(2, 3) << 0, 0.2, 0, 0, 0.1, 0).finished());
  Rng rng(1);
  agent.observe({0, Index{0}, 0.0, 1, false, false}, rng);
  CHECK(agent.q(0)[0] == Approx(0.1));
  agent.observe({1, Index{1}, 1.0, 2, false, false}, rng);  // not the best: what came before has no share
  CHECK(agent.q(0)[0] == Approx(0.1));
  agent.observe({2, Index{1}, 1.0, 2, true, false}, rng);  // as good as the best
  CHECK(agent.q(0)[0] == Approx(0.1));
  CHECK(agent.q(1)[1] > 0.9);
}

TEST_CASE("With lambda 0 every kind of trace is none") {
  const Tabular environment(environments::frozen_lake());
  const auto learned = [&](const auto&... traces) {
    TabularQ agent(16, 4, {}, Sarsa{}, traces...);
    live(agent, environment, 20'000, Rng(5));
    return Matrix<double>(agent.parameters());
  };
  const Matrix<double> none = learned();
  REQUIRE(none.maxCoeff() > 0);
  CHECK(learned(Accumulating{0.0}) == none);
  CHECK(learned(Replacing{0.0}) == none);
  CHECK((learned(Dutch{0.0}) - none).cwiseAbs().maxCoeff() < 1e-12);
}

TEST_CASE("Q-learning finds the cliff's edge, SARSA keeps away from it and earns more while it learns") {
  const environments::TimeLimit environment(Tabular(environments::cliff_walking()), 500);
  const TabularQOptions options{.discount = 1.0, .learning_rate = 0.5};
  const EpsilonGreedy exploring{.epsilon = 0.1};
  const training::RunOptions run{.steps = 40'000, .evaluate_every = 0, .seed = 1};
  TabularQ q_learning(48, 4, options, exploring);
  TabularQ sarsa(48, 4, options, exploring, Sarsa{});
  const double edge = training::train(q_learning, environment, run).mean_return;
  const double safe = training::train(sarsa, environment, run).mean_return;
  CHECK(training::evaluate(q_learning, environment, 1, Rng(1)) == std::vector{-13.0});
  CHECK(safe > edge + 5);  // about -25 and -50
}

TEST_CASE("Double Q-learning does not over-estimate what is noise") {
  // Sutton & Barto 2018, example 6.7: of ten actions with rewards of mean -0.1, the luckiest looks good.
  const TabularMdp noise(1, 10, [](Index, Index) {
    return std::vector<Outcome>{{0.45, 0, 1.0, true}, {0.55, 0, -1.0, true}};
  });
  double single = 0, twice = 0;
  constexpr int seeds = 50;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    TabularQ q_learning(1, 10, {}, EpsilonGreedy{.epsilon = 0.5});
    TabularQ double_q(1, 10, {}, EpsilonGreedy{.epsilon = 0.5}, DoubleQ{});
    live(q_learning, Tabular(noise), 500, Rng(seed));
    live(double_q, Tabular(noise), 1000, Rng(seed));
    single += q_learning.q(0).maxCoeff() / seeds;
    twice += double_q.parameters()(argmax(double_q.parameters().col(1)), 0) / seeds;  // as its target would
  }
  CHECK(single > 0.0);
  CHECK(twice < 0.0);
}

TEST_CASE("Tabular runs have the same bits in every build") {
  const Tabular environment(environments::frozen_lake());
  const auto expect = [&](std::uint64_t expected, const auto&... parts) {
    TabularQ agent(16, 4, {.learning_rate = linear(0.5, 0.05, 10'000)}, parts...);
    training::train(agent, environments::TimeLimit(environment, 100),
                    {.steps = 20'000, .evaluate_every = 0, .seed = 1});
    CHECK(agent.parameters().maxCoeff() > 0.1);
    CHECK(hash(agent.parameters()) == expected);
  };
  const EpsilonGreedy exploring{.epsilon = linear(1.0, 0.1, 10'000)};
  expect(0x7fe3f1f972c003b6, exploring);
  expect(0x8072e0e97056cbc4, exploring, Sarsa{});
  expect(0x4dbd0ab86b7817bb, exploring, ExpectedSarsa{});
  expect(0x4559ab04ad94fb77, exploring, DoubleQ{});
  expect(0x1941e910520e8a46, exploring, Sarsa{}, Accumulating{0.7});
  expect(0x4a5b9b26d84ed3a5, exploring, Dutch{0.7});
}

TEST_CASE("While it learns, an agent takes any of the best actions") {
  TabularQ agent(1, 3, {}, greedily);
  agent.set_parameters(Eigen::Vector3d(0.5, 0.2, 0.5));
  Rng rng(1);
  int count[3] = {};
  for (int i = 0; i < 1000; ++i) ++count[agent.act(0, rng)];
  CHECK((count[0] > 400 && count[1] == 0 && count[2] > 400));
  CHECK(agent.greedy(0) == 0);
}

TEST_CASE("A mask leaves its actions alone to acting, backups and traces") {
  const bool mask[] = {true, false, true};
  const Matrix<double> table = (Matrix<double>(3, 2) << 1, 0.2, 5, 0.9, 2, 0.5).finished();
  const auto with_table = [&](const auto&... parts) {
    TabularQ agent(2, 3, {.discount = 1, .learning_rate = 1}, parts...);
    if (agent.parameters().cols() == 2) agent.set_parameters(table);
    else agent.set_parameters((Matrix<double>(3, 4) << table, table).finished());
    return agent;
  };
  Rng rng(1);
  auto agent = with_table(EpsilonGreedy{.epsilon = 0.5});
  CHECK(agent.greedy(0) == 1);
  CHECK(agent.greedy(0, mask) == 2);
  auto mellow = with_table(explore(MellowmaxPolicy{1}));
  for (int i = 0; i < 200; ++i) {
    CHECK(agent.act(0, rng, mask) != 1);
    CHECK(mellow.act(0, rng, mask) != 1);
  }
  const auto target = [&](auto learner) {
    const bool ended = false;
    learner.observe({0, Index{0}, 0.0, 1, ended, ended, mask}, rng);
    return learner.q(0)[0];
  };
  CHECK(target(with_table()) == Approx(0.5));
  CHECK(target(with_table(Mellowmax{2})) == Approx(Mellowmax{2}(Eigen::Vector2d(0.2, 0.5))));
  CHECK(target(with_table(greedily, Sarsa{})) == Approx(0.5));
  CHECK(target(with_table(EpsilonGreedy{.epsilon = 0.5}, ExpectedSarsa{})) == Approx(0.25 * 0.2 + 0.75 * 0.5));
  CHECK(target(with_table(DoubleQ{})) == Approx(0.5 * (0.5 + 1)));  // one table of two

  TabularQ traced(2, 3, {.discount = 1, .learning_rate = 0.5}, Accumulating{1.0});
  traced.set_parameters(table);
  traced.observe({0, Index{0}, 0.0, 1, false, false, mask}, rng);
  const double before = traced.q(0)[0];
  traced.observe({1, Index{2}, 10.0, 0, true, false, mask}, rng);  // the best of the allowed ones
  CHECK(traced.q(0)[0] > before + 1);
}

TEST_CASE("Two tabular agents of one seed stay equal, and a copy goes on the same way") {
  const Tabular environment(environments::frozen_lake());
  const auto make = [] { return TabularQ(16, 4, {}, Sarsa{}, Replacing{}, explore(Boltzmann{.beta = 2})); };
  auto a = make(), b = make();
  live(a, environment, 2'000, Rng(1));
  live(b, environment, 2'000, Rng(1));
  CHECK(first_difference(a, b).empty());
  auto c = a;
  live(a, environment, 500, Rng(2));
  CHECK(first_difference(a, c) == "tables");
  live(c, environment, 500, Rng(2));
  CHECK(first_difference(a, c).empty());
}

TEST_CASE("Bad input to a tabular agent is refused in words") {
  using Catch::Contains;
  CHECK_THROWS_WITH(TabularQ(0, 2), Contains("states must be positive"));
  CHECK_THROWS_AS(TabularQ(2, 0), Error);
  CHECK_THROWS_WITH(TabularQ(2, 2, {.discount = 1.5}), Contains("discount") && Contains("1.5"));
  CHECK_THROWS_AS(TabularQ(2, 2, {.learning_rate = 1.5}), Error);
  CHECK_THROWS_AS(TabularQ(2, 2, {.learning_rate = -0.5}), Error);
  CHECK_THROWS_AS(TabularQ(2, 2, {.initial_value = std::nan("")}), Error);
  CHECK_THROWS_AS(TabularQ(2, 2, {}, Sarsa{}, Accumulating{1.5}), Error);
  CHECK_THROWS_AS(TabularQ(2, 2, {}, Sarsa{}, Replacing{-0.5}), Error);
  CHECK_THROWS_AS(TabularQ(2, 2, {}, Sarsa{}, Dutch{2.0}), Error);
  CHECK_THROWS_AS(TabularQ(2, 2, {}, Mellowmax{0}), Error);
  CHECK_THROWS_AS(TabularQ(2, 2, {}, explore(MellowmaxPolicy{0})), Error);
  TabularQ agent(3, 2);
  CHECK_THROWS_WITH(agent.require_fits(Discrete(4), Discrete(2)), Contains("4 observations") && Contains("got 3"));
  CHECK_THROWS_WITH(agent.require_fits(Discrete(3), Discrete(4)), Contains("4 actions") && Contains("got 2"));
  CHECK_THROWS_WITH(agent.set_parameters(Matrix<double>::Zero(2, 4)), Contains("2 x 3 (got 2 x 4)"));
}

TEST_CASE("A table of values takes parts without options") {
  const TabularQ brief(3, 2, DoubleQ{});
  const TabularQ whole(3, 2, TabularQOptions{}, DoubleQ{});
  STATIC_REQUIRE(std::same_as<decltype(brief), decltype(whole)>);
  CHECK(brief.parameters() == whole.parameters());
}

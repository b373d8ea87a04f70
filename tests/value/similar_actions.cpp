// SPDX-License-Identifier: Apache-2.0
// The action-generalisation gap (Zhou et al. 2022); T1 .. T4 are those of its sheet.
#include <algorithm>

#include <mellow/environments/chains.hpp>
#include <mellow/environments/duplicate_actions.hpp>
#include <mellow/environments/random_mdps.hpp>
#include <mellow/environments/tabular.hpp>
#include <mellow/models/value_iteration.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/nn/sgd.hpp>
#include <mellow/operators/mellowmax.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/dqn.hpp>
#include <mellow/value/g_score.hpp>
#include <mellow/value/similar_actions.hpp>
#include <mellow/value/similarity_head.hpp>
#include <mellow/value/tabular_q.hpp>
#include <mellow/value/tabular_td.hpp>

#include "support/gradient.hpp"
#include "support/replay.hpp"

using namespace mellow;
using Catch::Contains;
using environments::DuplicateActions;
using environments::Tabular;
using environments::walled_chain;
using value::SimilarActions;
using value::SimilarityHead;
using value::TabularQ;

namespace {

/// Shares over three actions, the first two of which are alike by a half.
const Matrix<double> half_alike = (Matrix<double>(3, 3) << 1, 0.5, 0, 0.5, 1, 0, 0, 0, 1).finished();

/// Ends a run when the table's values are near Q*, asked every 50 steps.
template <class Agent>
struct UntilNear {
  const Agent& agent;
  const Matrix<double>& best;  // actions x states
  Index copies;
  bool on_step(const training::RunStatus& status) const {
    if (status.step % 50 != 0) return true;
    double worst = 0;
    for (Index s = 0; s < 9; ++s)
      for (Index a = 0; a < agent.actions(); ++a)
        worst = std::max(worst, std::abs(agent.q(s)[a] - best(a / copies, s)));
    return worst >= 0.05;
  }
};

/// Mean over ten seeds of the steps until then, of Q-learning that acts at random. Each number of copies has seeds of
/// its own: with the same ones an oracle's runs are those without copies.
template <class... Parts>
double steps_until_near(Index copies, const Parts&... parts) {
  const auto chain = walled_chain(10);
  const Matrix<double> best = models::value_iteration(chain, {.discount = 0.9, .tolerance = 1e-10}).q;
  double total = 0;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    TabularQ agent(10, 2 * copies, {.discount = 0.9, .learning_rate = 0.5}, operators::EpsilonGreedy{.epsilon = 1.0},
                   parts...);
    const auto run = training::train(agent, DuplicateActions(Tabular(chain), copies),
                                     {.steps = 500'000, .evaluate_every = 0, .seed = 100 * copies + seed},
                                     UntilNear<decltype(agent)>{agent, best, copies});
    REQUIRE(run.end == training::RunEnd::Stopped);
    total += static_cast<double>(run.steps);
  }
  return total / 10;
}

}  // namespace

TEST_CASE("An update of a table's action is one of those that are like it, each by its own error") {
  const Matrix<double> table = (Matrix<double>(3, 2) << 1, 4, -2, 2, 3, 5).finished();
  const auto after = [&](const auto&... parts) {
    TabularQ agent(2, 3, {.discount = 0.5, .learning_rate = 0.1}, parts...);
    agent.set_parameters(agent.parameters().cols() == 2 ? table : (Matrix<double>(3, 4) << table, table).finished());
    Rng rng(1);
    agent.observe({0, Index{1}, 10.0, 1, false, false}, rng);
    return Matrix<double>(agent.parameters());
  };
  const double y = 10 + 0.5 * 5;
  const Matrix<double> q = after(SimilarActions{half_alike});
  CHECK(q(0, 0) == Approx(1 + 0.1 * 0.5 * (y - 1)));
  CHECK(q(1, 0) == Approx(-2 + 0.1 * (y + 2)));
  CHECK(q(2, 0) == 3);
  CHECK(q.col(1) == table.col(1));

  Matrix<double> one_way = Matrix<double>::Identity(3, 3);
  one_way(2, 1) = 0.25;  // an update of action 1 counts for action 2
  CHECK(after(SimilarActions{one_way})(2, 0) == Approx(3 + 0.1 * 0.25 * (y - 3)));
  CHECK(after(SimilarActions{Matrix<double>::Identity(3, 3)}) == after());

  const Matrix<double> two = after(value::DoubleQ{}, SimilarActions{half_alike});
  CHECK(((two.leftCols(2) == q) != (two.rightCols(2) == q)));  // in one of two tables
  const auto expected = [&](double target) { return 1 + 0.1 * 0.5 * (10 + 0.5 * target - 1); };
  CHECK(after(operators::Mellowmax{2}, SimilarActions{half_alike})(0, 0) ==
        Approx(expected(operators::Mellowmax{2}(table.col(1)))));
  CHECK(after(operators::EpsilonGreedy{.epsilon = 0.0}, value::Sarsa{}, SimilarActions{half_alike})(0, 0) ==
        Approx(expected(5)));
}

TEST_CASE("Under exact duplicates a table with an oracle is Q-learning without them, bit for bit") {  // T1
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Rng rng(seed);
    const auto mdp =
        environments::garnet({.states = 2 + rng.below(6), .actions = 2 + rng.below(3), .branching = 2}, rng);
    const Index copies = 1 + rng.below(6), states = mdp.states(), actions = mdp.actions();
    auto environment = DuplicateActions(Tabular<environments::TabularMdp>(mdp), copies);
    const value::TabularQOptions options{
        .discount = 0.9, .learning_rate = linear(0.7, 0.1, 2'000), .initial_value = 0.3};
    TabularQ oracle(states, copies * actions, options, SimilarActions{environment.similarity()},
                    operators::EpsilonGreedy{.epsilon = 0.5});
    TabularQ plain(states, actions, options);
    Index state = 0, next = 0, acted = 0;
    environment.reset(rng);
    for (int i = 0; i < 2'000; ++i) {
      environment.observe(state);
      const Index action = oracle.act(state, rng);
      const double reward = environment.step(action, rng).reward;
      const bool ends = rng.uniform() < 0.1;
      environment.observe(next);
      oracle.observe({state, action, reward, next, ends, false}, rng);
      plain.observe({state, environment.original(action), reward, next, ends, false}, rng);
      acted += action % copies != 0;
      if (ends) environment.reset(rng);
    }
    CHECK((acted > 0 || copies == 1));
    bool same = true;
    for (Index s = 0; s < states; ++s)
      for (Index a = 0; a < copies * actions; ++a) same &= oracle.q(s)[a] == plain.q(s)[a / copies];
    CHECK(same);
    CHECK((plain.parameters().array() != 0.3).any());
  }
}

TEST_CASE("Plain Q-learning needs as many times more steps as there are duplicates, with an oracle no more") {  // T2
  const auto oracle = [](Index copies) {
    return steps_until_near(copies, SimilarActions{DuplicateActions(Tabular(walled_chain(10)), copies).similarity()});
  };
  const double alone = steps_until_near(1);  // 795 +- 71 in the sheet
  CHECK(oracle(1) == alone);                 // bit for bit
  CHECK((alone > 500 && alone < 1'200));
  const double plain = steps_until_near(50), shared = oracle(50);  // 35 230 +- 1 474, 755 +- 60 in the sheet
  CAPTURE(alone, plain, shared);
  CHECK(plain / alone > 20);
  CHECK(shared / alone < 1.5);
}

namespace {

const nn::Mlp<double> network({2, 8, 3});

/// A batch of random transitions with weights, as `head` sees it, and its loss as a function of the outputs.
struct Example {
  data::Batch<double> batch;
  Matrix<double> outputs, next, d;
  SimilarityHead::State<double> state;

  explicit Example(Index actions, Index size = 12) {
    Rng rng(3);
    const auto normals = [&](double scale) {
      Matrix<double> m(actions, size);
      for (double& x : m.reshaped()) x = scale * rng.normal();
      return m;
    };
    batch.resize(1, size);
    for (Index i = 0; i < size; ++i) {
      batch.actions[i] = rng.below(actions);
      batch.rewards[i] = rng.normal();
      batch.discounts[i] = i % 4 == 0 ? 0.0 : 0.9;
      batch.weights[i] = rng.uniform(0.5, 2);
    }
    outputs = normals(1.5);
    next = normals(1);
    d = outputs;
  }
  double evaluate(const auto& head) {
    head.template targets<double>(state, operators::Max{}, batch, next, next);
    return head.template evaluate<double>(state, batch, outputs, d);
  }
};

}  // namespace

TEST_CASE("The gradient of the all-action loss is that with constant targets", "[gradient]") {  // T4
  for (const auto& loss : {value::TdLoss::huber(), value::TdLoss::huber(0.3), value::TdLoss::squared()}) {
    Example example(3);
    const SimilarityHead head{.similarity = half_alike, .loss = loss};
    const double value = example.evaluate(head);
    Matrix<double> fixed(3, 12);  // y_b, from the definition
    for (Index i = 0; i < 12; ++i) {
      const double y = example.batch.rewards[i] + (i % 4 == 0 ? 0.0 : 0.9 * example.next.col(i).maxCoeff());
      for (Index b = 0; b < 3; ++b)
        fixed(b, i) = example.outputs(b, i) + half_alike(example.batch.actions[i], b) * (y - example.outputs(b, i));
    }
    const auto total = [&](const Vector<double>& x) {
      double sum = 0;
      for (Index k = 0; k < 36; ++k) sum += example.batch.weights[k / 3] * loss.value(x[k] - fixed.reshaped()[k]) / 36;
      return sum;
    };
    CHECK(value == Approx(total(example.outputs.reshaped())).epsilon(1e-13));
    expect_gradient(total, example.outputs.reshaped(), example.d.reshaped());
    CHECK(example.d.array().abs().maxCoeff() > 0.01);
  }
}

TEST_CASE("With every action like itself alone, the all-action loss is DQN's, divided by the actions") {  // T4
  for (const auto& loss : {value::TdLoss::huber(), value::TdLoss::squared()}) {
    Example pinned(4), plain(4);
    const double value = pinned.evaluate(SimilarityHead{.similarity = Matrix<double>::Identity(4, 4), .loss = loss});
    const double of_dqn = plain.evaluate(value::ScalarHead{.loss = loss});
    CHECK(value == Approx(of_dqn / 4).epsilon(1e-14));
    CHECK((pinned.d - plain.d / 4).cwiseAbs().maxCoeff() < 1e-16);
    CHECK(pinned.batch.errors == plain.batch.errors);
    CHECK(plain.d.norm() > 0.1);
  }
}

TEST_CASE("A deep Q agent learns of all similar actions at once") {
  const value::DqnOptions options{.batch_size = 16, .learning_starts = 1'000, .max_gradient_norm = 1e9};
  const auto updated = [&](const auto& head, double rate) {
    value::Dqn agent(network, options, head, nn::Sgd{.learning_rate = rate}, value::DoubleQ{});
    show_random_transitions(agent, 200);
    Rng rng(1);
    for (int i = 0; i < 10; ++i) agent.learn(rng);
    return Vector<double>(agent.parameters());
  };
  const Vector<double> plain = updated(value::ScalarHead{.loss = value::TdLoss::huber()}, 0.1);
  const SimilarityHead pinned{.similarity = Matrix<double>::Identity(3, 3)};
  CHECK((updated(pinned, 0.3) - plain).cwiseAbs().maxCoeff() < 1e-14);
  CHECK((updated(SimilarityHead{.similarity = half_alike}, 0.3) - plain).cwiseAbs().maxCoeff() > 1e-3);

  // One state, ended by every action: what was seen of action 0 alone is learned of the two that are like it.
  value::Dqn agent(
      network, {.batch_size = 8, .learning_starts = 1},
      SimilarityHead{.similarity = DuplicateActions(Tabular(walled_chain(10)), 2).similarity().topLeftCorner(3, 3)},
      nn::Adam{.learning_rate = 1e-2});
  Rng rng(1);
  const Vector<float> o = Eigen::Vector2f(1, 0);
  for (int i = 0; i < 1'000; ++i) agent.observe({o, Index{0}, 5.0, o, true, false}, rng);
  nn::Mlp<double>::Tape tape;
  const Vector<double> q = network.forward(agent.parameters(), o.cast<double>(), tape).col(0);
  CHECK(q[0] == Approx(5).margin(0.05));
  CHECK(q[1] == Approx(5).margin(0.05));
  CHECK(std::abs(q[2] - 5) > 0.5);
}

TEST_CASE("An update moves the values of other actions by the product of gradients") {  // T3
  Rng rng(4);
  const nn::Mlp<double> whole({3, 16, 8, 4});
  const nn::Mlp<double, nn::ReLU, nn::ReLU> trunk({3, 16, 8});
  const Vector<double> theta = nn::initialize(whole, rng);
  const Vector<double> below = theta.head(trunk.parameters());
  const auto last = Eigen::Map<const Eigen::Matrix<double, 4, 8, Eigen::RowMajor>>(theta.data() + below.size());
  const Matrix<double> alike = Matrix<double>::Identity(4, 4);
  for (int i = 0; i < 5; ++i) {
    const Matrix<double> state = Vector<double>::NullaryExpr(3, [&] { return rng.normal(); });
    nn::Mlp<double, nn::ReLU, nn::ReLU>::Tape tape;
    const Vector<double> h = trunk.forward(below, state, tape).col(0);
    Matrix<double> jacobian(below.size(), 8);  // of h in the hidden layers' parameters
    for (Index k = 0; k < 8; ++k) {
      Vector<double> gradient = Vector<double>::Zero(below.size());
      trunk.forward(below, state, tape);
      trunk.backward(below, tape, Vector<double>::Unit(8, k), gradient);
      jacobian.col(k) = gradient;
    }
    Matrix<double> expected = last * (jacobian.transpose() * jacobian) * last.transpose();
    expected.diagonal().array() += h.squaredNorm() + 1;
    for (Index a = 0; a < 4; ++a) {
      const double low = expected.row(a).minCoeff(), high = expected.row(a).maxCoeff();
      expected.row(a) = ((expected.row(a).array() - low) / (high - low)).eval();
    }
    const auto found = value::g_score(whole, theta, state, alike, 1e-6);
    CHECK((found.changes - expected).cwiseAbs().maxCoeff() < 1e-5);
    CHECK((expected.array() > 1e-3 && expected.array() < 1).any());  // else there would be nothing to compare
  }
}

TEST_CASE("The g-score's step is one of the pinned loss, as long as the learning rate says") {
  Rng rng(6);
  const nn::Mlp<double> deep({3, 16, 8, 4});
  const Vector<double> theta = nn::initialize(deep, rng);
  const Matrix<double> states = Matrix<double>::NullaryExpr(3, 6, [&] { return rng.normal(); });
  const SimilarityHead pinned{.similarity = Matrix<double>::Identity(4, 4)};
  const double learning_rate = 2.0;  // so long that products of gradients alone would not do
  Matrix<double> expected = Matrix<double>::Zero(4, 4);
  data::Batch<double> batch;
  batch.resize(3, 1);
  for (Index i = 0; i < 6; ++i)
    for (Index a = 0; a < 4; ++a) {
      nn::Mlp<double>::Tape tape;
      const Matrix<double> before = deep.forward(theta, states.col(i), tape);
      SimilarityHead::State<double> state;
      state.targets = Vector<double>::Constant(1, before(a, 0) + 10);
      batch.actions[0] = a;
      Matrix<double> d(4, 1);
      pinned.evaluate<double>(state, batch, before, d);
      Vector<double> gradient = Vector<double>::Zero(theta.size());
      deep.backward(theta, tape, d, gradient);
      const Matrix<double> delta = deep.forward(theta - learning_rate * gradient, states.col(i), tape) - before;
      expected.row(a) +=
          ((delta.array() - delta.minCoeff()) / (delta.maxCoeff() - delta.minCoeff())).matrix().transpose();
    }
  const auto found = value::g_score(deep, theta, states, pinned.similarity, learning_rate);
  CHECK((found.changes - expected / 6).cwiseAbs().maxCoeff() < 1e-12);
}

TEST_CASE("A last layer alone moves no other action, and so has no g-score") {  // T3
  Rng rng(5);
  const nn::Mlp<double> linear_network({6, 4});
  const Matrix<double> states = Matrix<double>::NullaryExpr(6, 10, [&] { return rng.normal(); });
  Matrix<double> pairs = Matrix<double>::Identity(4, 4);
  pairs(0, 1) = pairs(1, 0) = pairs(2, 3) = pairs(3, 2) = 1;
  const auto found = value::g_score(linear_network, nn::initialize(linear_network, rng), states, pairs, 0.1);
  CHECK(found.changes == Matrix<double>::Identity(4, 4));
  CHECK((found.alike == 0 && found.unlike == 0 && found.g() == 0));
}

TEST_CASE("At first a network moves all other actions alike") {  // T3
  Matrix<double> similarity = Matrix<double>::Zero(10, 10);
  similarity.topLeftCorner(5, 5).setOnes();
  similarity.bottomRightCorner(5, 5).setOnes();
  const nn::Mlp<double> deep({4, 256, 256, 10});
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    Rng rng(seed);
    const Vector<double> theta = nn::initialize(deep, rng);
    const Matrix<double> states = Matrix<double>::NullaryExpr(4, 20, [&] { return rng.normal(); });
    const auto found = value::g_score(deep, theta, states, similarity, 1e-3);
    CAPTURE(found.alike, found.unlike);
    CHECK(std::abs(found.g()) < 0.03);
    CHECK((found.alike > 0.02 && found.alike < 0.15));  // 0.06 in the sheet
    CHECK((found.changes.diagonal().array() == 1).all());
  }
}

TEST_CASE("The g-score of a network that knows its duplicates is 1") {
  // Q(s, b) = W_b . h with the same weights for both of a pair, h learning far more than W.
  const nn::Mlp<double> deep({1, 2, 4});
  Vector<double> theta = Vector<double>::Zero(deep.parameters());
  theta.head(2) << 1, 1;                          // h = (x, x)
  theta.segment(4, 8) << 1, 0, 1, 0, 0, 1, 0, 1;  // rows of W
  const Matrix<double> state = Matrix<double>::Constant(1, 1, 1e-3);
  theta.segment(2, 2).setConstant(1e-3);
  theta.segment(4, 8) *= 1e3;  // sharing goes with |W|^2, the rest with |h|^2 + 1
  Matrix<double> pairs = Matrix<double>::Zero(4, 4);
  pairs.topLeftCorner(2, 2).setOnes();
  pairs.bottomRightCorner(2, 2).setOnes();
  const auto found = value::g_score(deep, theta, state, pairs, 1e-9);
  CHECK(found.alike == Approx(1).margin(1e-4));
  CHECK(found.unlike == Approx(0).margin(1e-4));
  CHECK(found.g() == found.alike - found.unlike);
  CHECK(std::isnan(value::g_score(deep, theta, state, Matrix<double>::Identity(4, 4), 1e-9).alike));
  CHECK(std::isnan(value::g_score(deep, theta, state, Matrix<double>::Ones(4, 4), 1e-9).unlike));
  CHECK(value::g_score(deep, Vector<double>::Zero(deep.parameters()).eval(), state, Matrix<double>::Ones(4, 4), 1.0)
            .changes == Matrix<double>::Identity(4, 4));  // only biases move
  CHECK(value::g_score(nn::Mlp<double>({1, 1}), Vector<double>::Ones(2).eval(), state, Matrix<double>::Ones(1, 1), 0.1)
            .changes(0, 0) == 0);  // nothing moves less
}

TEST_CASE("What is no similarity of actions is refused in words") {
  const Matrix<double> none, oblong = Matrix<double>::Ones(2, 3);
  Matrix<double> low = half_alike, high = half_alike, diagonal = half_alike, nan = half_alike;
  low(0, 1) = -0.1;
  high(0, 1) = 1.1;
  diagonal(1, 1) = 0.9;
  nan(0, 1) = std::nan("");
  const auto expect = [&](const auto& give) {
    CHECK_THROWS_WITH(give(none), Contains("similarity must be given"));
    CHECK_THROWS_WITH(give(oblong), Contains("must be square (got 2 x 3)"));
    CHECK_THROWS_WITH(give(low), Contains("must lie in [0, 1] (got -0.1)"));
    CHECK_THROWS_WITH(give(high), Contains("must lie in [0, 1] (got 1.1)"));
    CHECK_THROWS_WITH(give(nan), Contains("must lie in [0, 1] (got nan)"));
    CHECK_THROWS_WITH(give(diagonal), Contains("of an action and itself must be 1 (got 0.9)"));
  };
  const Vector<double> theta = Vector<double>::Zero(network.parameters());
  const Matrix<double> states = Matrix<double>::Zero(2, 1);
  expect([](const auto& s) { return value::Dqn(network, {}, SimilarityHead{.similarity = s}); });
  expect([](const auto& s) { return TabularQ(2, 3, {}, SimilarActions{s}); });
  expect([&](const auto& s) { return value::g_score(network, theta, states, s, 0.1); });
  CHECK_THROWS_WITH(value::Dqn(network, {}, SimilarityHead{.similarity = half_alike, .loss = {.scale = -1}}),
                    Contains("scale"));
  CHECK_THROWS_WITH(TabularQ(2, 4, {}, SimilarActions{half_alike}), Contains("must be 4 x 4") && Contains("got 3 x 3"));
  value::Dqn agent(nn::Mlp{{2, 8, 4}}, {}, SimilarityHead{.similarity = half_alike});
  CHECK_THROWS_WITH(agent.require_fits(Box(2, -1, 1), Discrete(4)), Contains("must be 4 x 4") && Contains("3 x 3"));
  CHECK_THROWS_WITH(agent.require_fits(Box(2, -1, 1), Discrete(3)), Contains("needs 3 outputs") && Contains("got 4"));

  CHECK_THROWS_WITH(value::g_score(network, theta, states, Matrix<double>::Identity(4, 4), 0.1), Contains("3 x 3"));
  CHECK_THROWS_WITH(value::g_score(network, theta, states, half_alike, 0.0), Contains("learning_rate"));
  CHECK_THROWS_WITH(value::g_score(network, theta.head(3), states, half_alike, 0.1), Contains("theta must have"));
  CHECK_THROWS_WITH(value::g_score(network, theta, Matrix<double>::Zero(3, 1), half_alike, 0.1),
                    Contains("2 features (got 3)"));
  CHECK_THROWS_WITH(value::g_score(network, theta, Matrix<double>::Zero(2, 0), half_alike, 0.1), Contains("states"));
}

namespace {
template <class Traces>
concept Predicts = requires { typename value::TabularTd<Traces>; };
}  // namespace

TEST_CASE("Similar actions share in tables of actions alone, and a copy goes on as the original does") {
  STATIC_REQUIRE(Predicts<value::Dutch>);
  STATIC_REQUIRE_FALSE(Predicts<SimilarActions>);
  TabularQ agent(10, 4, {.discount = 0.9, .learning_rate = 0.5},
                 SimilarActions{DuplicateActions(Tabular(walled_chain(10)), 2).similarity()});
  auto copy = agent;
  const auto live = [](auto& learner) {
    training::train(learner, DuplicateActions(Tabular(walled_chain(10)), 2), {.steps = 500, .evaluate_every = 0});
  };
  live(agent);
  CHECK_FALSE(first_difference(agent, copy).empty());
  live(copy);
  CHECK(first_difference(agent, copy).empty());
}

// SPDX-License-Identifier: Apache-2.0
#include <mellow/nn/gradient_check.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/nn/sgd.hpp>
#include <mellow/operators/mellowmax.hpp>
#include <mellow/value/dqn.hpp>

#include "support/catch.hpp"
#include "support/replay.hpp"

using namespace mellow;
using value::Dqn;
using value::DqnOptions;

namespace {

const nn::Mlp<double> network({2, 8, 3});

/// The targets of the agent's present batch, one at a time, from the definition.
template <class Agent, class Backup>
Vector<double> expected_targets(Agent& agent, double discount, Backup&& backup) {
  auto& l = agent.learner();
  Vector<double> targets(l.batch.size());
  for (Index i = 0; i < l.batch.size(); ++i) {
    typename nn::Mlp<double>::Tape tape, online_tape;
    const Vector<double> target_q = l.target_network.forward(l.target, l.batch.next_observations.col(i), tape).col(0);
    const Vector<double> online_q = l.network.forward(l.online, l.batch.next_observations.col(i), online_tape).col(0);
    targets[i] = l.batch.rewards[i] + (l.batch.discounts[i] > 0 ? discount * backup(target_q, online_q) : 0.0);
  }
  return targets;
}

}  // namespace

TEST_CASE("The target equals the online network at step 0, and initial parameters follow the seed") {
  const Dqn a(network, {.seed = 5}), b(network, {.seed = 5}), c(network, {.seed = 6});
  CHECK(a.learner().online == a.learner().target);
  CHECK(a.parameters() == b.parameters());
  CHECK(a.parameters() != c.parameters());
}

TEST_CASE("An agent built from given weights keeps them") {
  const Vector<double> theta = Vector<double>::Random(network.parameters());
  Dqn agent(network, {}, nn::pretrained(theta));
  CHECK(agent.parameters() == theta);
  CHECK(agent.learner().target == theta);
  show_random_transitions(agent, 10);
  agent.greedy(Eigen::Vector2f(0, 0));
  CHECK(agent.parameters() == theta);  // nothing is due yet
}

TEST_CASE("One update is the update of DQN's definition") {
  struct Case {
    double discount;
    value::TdLoss loss;
  };
  for (const Case& c : {Case{0.9, value::TdLoss::squared()}, Case{0.99, value::TdLoss::huber(0.1)}}) {
    Dqn agent(network, {.discount = c.discount, .batch_size = 16, .learning_starts = 1000, .max_gradient_norm = 1e9},
              nn::Sgd{.learning_rate = 0.1}, value::ScalarHead{.loss = c.loss});
    show_random_transitions(agent, 200);
    agent.learner().target *= 0.5;  // so that it differs from the online network
    const Vector<double> before = agent.parameters();
    auto replayed = agent;
    Rng rng(1), same(1);
    const auto learned = agent.learn(rng);
    replayed.learner().replay.sample(replayed.learner().replay_state, replayed.learner().batch, same);
    const Vector<double> targets =
        expected_targets(replayed, c.discount, [](const auto& q, const auto&) { return q.maxCoeff(); });
    const auto& batch = replayed.learner().batch;
    const auto loss = [&](const Vector<double>& theta) {
      double total = 0;
      for (Index i = 0; i < 16; ++i) {
        nn::Mlp<double>::Tape tape;
        total +=
            c.loss.value(network.forward(theta, batch.observations.col(i), tape)(batch.actions[i], 0) - targets[i]) /
            16;
      }
      return total;
    };
    CHECK(learned.loss == Approx(loss(before)).epsilon(1e-12));
    const Vector<double> step = (before - agent.parameters()) / 0.1;
    CHECK(nn::gradient_check(loss, before, step) < 1e-6);
    CHECK(learned.gradient_norm == Approx(step.norm()));
  }
}

TEST_CASE("Truncation bootstraps and termination does not") {
  const Vector<float> now = Eigen::Vector2f(0.5f, 1), next = Eigen::Vector2f(-0.5f, 0);
  for (const auto& [terminated, truncated, expected_continues] :
       {std::tuple{false, false, true}, {false, true, true}, {true, false, false}, {true, true, false}}) {
    Dqn agent(network, {.discount = 0.9, .batch_size = 4, .learning_starts = 1000});
    Rng rng(1);
    agent.observe({now, 0, 2.0, next, terminated, truncated}, rng);
    agent.learn(rng);
    Dqn fresh(network);
    nn::Mlp<double>::Tape tape;
    const double next_value = network.forward(fresh.parameters(), next.cast<double>(), tape).maxCoeff();
    REQUIRE(std::abs(next_value) > 1e-3);
    CHECK(agent.learner().head_state.targets[0] ==
          Approx(2.0 + (expected_continues ? 0.9 * next_value : 0.0)).epsilon(1e-12));
  }
}

TEST_CASE("Backups from the target, from both networks, and smooth ones") {
  const auto check = [](auto backup, auto&& definition) {
    Dqn agent(network, {.discount = 0.8, .batch_size = 32, .learning_starts = 1000}, nn::Sgd{.learning_rate = 0.0},
              backup);
    show_random_transitions(agent, 100);
    agent.learner().target = Vector<double>::Random(network.parameters());
    Rng rng(2);
    agent.learn(rng);
    CHECK((agent.learner().head_state.targets - expected_targets(agent, 0.8, definition)).cwiseAbs().maxCoeff() <
          1e-12);
  };
  check(operators::Max{}, [](const auto& q, const auto&) { return q.maxCoeff(); });
  check(operators::Mellowmax{.omega = 3},
        [](const auto& q, const auto&) { return std::log((3 * q.array()).exp().mean()) / 3; });
  check(value::DoubleQ{}, [](const auto& q, const auto& online) {
    Index best = 0;
    online.maxCoeff(&best);
    return q[best];
  });
}

TEST_CASE("Learning starts, recurs and counts as the options say") {
  Dqn agent(network, {.batch_size = 4, .learning_starts = 10, .update_every = 3, .updates = 2});
  Rng rng(1);
  const Vector<float> o = Eigen::Vector2f::Zero();
  for (int i = 1; i <= 20; ++i) {
    const auto learned = agent.observe({o, 0, 0.0, o, true, false}, rng);
    CHECK(learned.has_value() == (i >= 10 && i % 3 == 0));
  }
  CHECK(agent.learner().counters.steps == 20);
  CHECK(agent.learner().counters.updates == 2 * 3);
}

TEST_CASE("The target follows by copies or by averaging") {
  Dqn copy(network, {.batch_size = 8, .learning_starts = 1000}, value::PeriodicCopy{.every = 3});
  show_random_transitions(copy, 50);
  Rng rng(1);
  for (int i = 1; i <= 9; ++i) {
    copy.learn(rng);
    CHECK((copy.learner().target == copy.parameters()) == (i % 3 == 0));
  }
  CHECK(copy.learner().counters.target_changes == 3);
  Dqn polyak(network, {.batch_size = 8, .learning_starts = 1000}, value::Polyak{.tau = 0.1});
  show_random_transitions(polyak, 50);
  for (int i = 0; i < 5; ++i) {
    const Vector<double> before = polyak.learner().target;
    polyak.learn(rng);
    CHECK((polyak.learner().target - (0.9 * before + 0.1 * polyak.parameters())).cwiseAbs().maxCoeff() < 1e-15);
  }
}

TEST_CASE("Acting explores or takes the best action") {
  Dqn greedy(network, {}, operators::EpsilonGreedy{.epsilon = 0.0}),
      random(network, {}, operators::EpsilonGreedy{.epsilon = 1.0});
  Rng rng(1);
  bool seen[3] = {};
  for (int i = 0; i < 100; ++i) {
    const Vector<float> o = Eigen::Vector2f(static_cast<float>(rng.normal()), static_cast<float>(rng.normal()));
    nn::Mlp<double>::Tape tape;
    CHECK(greedy.act(o, rng) == operators::argmax(network.forward(greedy.parameters(), o.cast<double>(), tape).col(0)));
    seen[random.act(o, rng)] = true;
  }
  CHECK((seen[0] && seen[1] && seen[2]));
}

TEST_CASE("Bad input to a Dqn is refused in words") {
  using Catch::Contains;
  CHECK_THROWS_WITH(Dqn(network, {.discount = 1.5}), Contains("value::Dqn: discount") && Contains("1.5"));
  CHECK_THROWS_AS(Dqn(network, {.batch_size = 0}), Error);
  CHECK_THROWS_AS(Dqn(network, {.batch_size = -1}), Error);
  CHECK_THROWS_AS(Dqn(network, {.learning_starts = -1}), Error);
  CHECK_THROWS_AS(Dqn(network, {.update_every = 0}), Error);
  CHECK_THROWS_AS(Dqn(network, {.updates = 0}), Error);
  CHECK_THROWS_AS(Dqn(network, {.max_gradient_norm = 0}), Error);
  CHECK_THROWS_WITH(Dqn(network, {}, nn::Adam{.learning_rate = -0.1}), Contains("nn::Adam") && Contains("-0.1"));
  CHECK_THROWS_AS(Dqn(network, {}, operators::EpsilonGreedy{.epsilon = 2.0}), Error);
  CHECK_THROWS_AS(Dqn(network, {}, operators::Mellowmax{.omega = 0}), Error);
  CHECK_THROWS_AS(Dqn(network, {}, value::Polyak{.tau = 0}), Error);
  CHECK_THROWS_AS(Dqn(network, {}, value::PeriodicCopy{.every = 0}), Error);
  Dqn agent(network);
  Rng rng;
  CHECK_THROWS_WITH(agent.learn(rng), Contains("empty replay"));
  CHECK_THROWS_WITH(agent.require_fits(Box(4, -1, 1), Discrete(3)), Contains("needs 4 inputs") && Contains("got 2"));
  CHECK_THROWS_WITH(agent.require_fits(Box(2, -1, 1), Discrete(2)), Contains("needs 2 outputs") && Contains("got 3"));
  CHECK_THROWS_AS(agent.set_parameters(Vector<double>::Zero(3)), Error);
  CHECK_THROWS_WITH(Dqn(network, {.batch_size = Index{1} << 60}), Contains("batches of this size"));
  CHECK_THROWS_WITH(nn::Mlp({4, 4'000'000'000}), Contains("every width") && Contains("4000000000"));
  CHECK_THROWS_WITH(Dqn(network, {}, data::UniformReplay{.capacity = 3, .steps = 10}), Contains("returns of 10 steps"));
}

TEST_CASE("In a loop of one's own, what does not fit is refused before it is remembered") {
  using Catch::Contains;
  Dqn agent(network);
  Rng rng;
  const Vector<float> o = Vector<float>::Zero(2), wide = Vector<float>::Zero(3);
  CHECK_THROWS_WITH(agent.greedy(wide), Contains("2 numbers (got 3)"));
  CHECK_THROWS_WITH(agent.observe({wide, 0, 1.0, o, false, false}, rng), Contains("2 numbers (got 3)"));
  CHECK_THROWS_WITH(agent.observe({o, 0, 1.0, wide, false, false}, rng), Contains("2 numbers (got 3)"));
  CHECK_THROWS_WITH(agent.observe({o, 3, 1.0, o, false, false}, rng), Contains("no such action (got 3)"));
  CHECK(agent.learner().counters.steps == 0);
}

TEST_CASE("A loss that is not finite ends learning and leaves the parameters") {
  Dqn agent(network, {.batch_size = 4, .learning_starts = 1000});
  Rng rng(1);
  const Vector<float> o = Eigen::Vector2f::Zero();
  agent.observe({o, 0, std::numeric_limits<double>::quiet_NaN(), o, true, false}, rng);
  const Vector<double> before = agent.parameters();
  CHECK_THROWS_WITH(agent.learn(rng), Catch::Contains("loss of update 1 is not finite"));
  CHECK(agent.parameters() == before);
}

TEST_CASE("Two agents of one seed stay equal bit for bit") {
  Dqn a(network, {.batch_size = 8, .learning_starts = 20}), b = a;
  show_random_transitions(a, 300);
  show_random_transitions(b, 300);
  CHECK(first_difference(a, b).empty());
  show_random_transitions(b, 1);
  CHECK_FALSE(first_difference(a, b).empty());
}

TEST_CASE("An agent acts by the online network, and explores by environment steps") {
  Dqn agent(network, {.batch_size = 4, .learning_starts = 10, .update_every = 5, .updates = 3},
            operators::EpsilonGreedy{.epsilon = linear(1.0, 0.0, 30)});
  agent.learner().target *= -1.0;
  Rng rng(1);
  for (int i = 0; i < 50; ++i) {
    const Vector<float> o = Vector<float>::Random(2);
    nn::Mlp<double>::Tape tape;
    const Vector<double> q = network.forward(agent.parameters(), o.cast<double>(), tape).col(0);
    CHECK(agent.greedy(o) == operators::argmax(q));
  }
  show_random_transitions(agent, 30);
  CHECK(agent.learner().counters.updates != 30);
  const Vector<float> o = Vector<float>::Random(2);
  for (int i = 0; i < 30; ++i) CHECK(agent.act(o, rng) == agent.greedy(o));  // epsilon is 0 from step 30 on
}

TEST_CASE("A gradient longer than max_gradient_norm is scaled down to it") {
  Dqn agent(network, {.batch_size = 8, .learning_starts = 1'000, .max_gradient_norm = 1e-3},
            nn::Sgd{.learning_rate = 1});
  show_random_transitions(agent, 20);
  const Vector<double> before = agent.parameters();
  Rng rng(1);
  CHECK(agent.learn(rng).gradient_norm > 1e-2);
  CHECK((agent.parameters() - before).norm() == Approx(1e-3).epsilon(1e-9));
}

TEST_CASE("Everything of an agent that changes during a run is named") {
  const Dqn agent(network);
  std::vector<std::string> paths;
  for (const auto& piece : state_of(agent)) paths.push_back(piece.path);
  std::vector<std::string> expected{"learner.online", "learner.target"};
  for (const char* piece : {"m", "v", "steps", "m_steps", "v_steps"})
    expected.push_back(std::string("learner.optimizer.") + piece);
  for (const char* piece :
       {"observations", "actions", "rewards", "flags", "allowed", "mask_size", "head", "filled", "size", "open"})
    expected.push_back(std::string("learner.replay.") + piece);
  for (const char* piece : {"steps", "updates", "target_changes"})
    expected.push_back(std::string("learner.counters.") + piece);
  CHECK(paths == expected);
}

TEST_CASE("With action masks an agent acts, explores and bootstraps among the allowed actions") {
  DqnOptions options{.discount = 0.9, .batch_size = 16, .learning_starts = 1'000};
  Dqn agent(network, options, operators::EpsilonGreedy{.epsilon = 0.5});
  Rng rng(3);
  std::array<bool, 3> mask;
  const auto draw_mask = [&] {
    do
      for (bool& allowed : mask) allowed = rng.uniform() < 0.5;
    while (std::ranges::count(mask, true) == 0);
  };
  for (int i = 0; i < 200; ++i) {
    draw_mask();
    const Vector<float> now = Vector<float>::Random(2), next = Vector<float>::Random(2);
    nn::Mlp<double>::Tape tape;
    const Vector<double> q = network.forward(agent.parameters(), now.cast<double>(), tape).col(0);
    Index best = -1;
    for (Index a = 0; a < 3; ++a)
      if (mask[static_cast<std::size_t>(a)] && (best < 0 || q[a] > q[best])) best = a;
    REQUIRE(agent.greedy(now, mask) == best);
    const Index action = agent.act(now, rng, mask);
    REQUIRE(mask[static_cast<std::size_t>(action)]);
    draw_mask();
    agent.observe({now, action, 1.0, next, i % 5 == 0, false, mask}, rng);
  }

  const auto check_targets = [&](auto&& part) {
    Dqn learner(network, options, part);
    learner.learner().replay_state = agent.learner().replay_state;
    learner.learn(rng);
    auto& l = learner.learner();
    for (Index i = 0; i < l.batch.size(); ++i) {
      nn::Mlp<double>::Tape tape;
      const Vector<double> q = l.target_network.forward(l.target, l.batch.next_observations.col(i), tape).col(0);
      Vector<double> allowed(0);
      for (Index a = 0; a < 3; ++a)
        if (l.batch.next_allowed(a, i)) {
          allowed.conservativeResize(allowed.size() + 1);
          allowed[allowed.size() - 1] = q[a];
        }
      const double target = 1.0 + (l.batch.discounts[i] > 0 ? 0.9 * part(allowed) : 0.0);
      CHECK(l.head_state.targets[i] == Approx(target).epsilon(1e-12));
    }
  };
  check_targets(operators::Max{});
  check_targets(operators::Mellowmax{.omega = 2});
}

TEST_CASE("A mask of another length, or one that allows nothing, is refused") {
  using Catch::Contains;
  Dqn agent(network);
  Rng rng;
  const Vector<float> o = Vector<float>::Zero(2);
  const bool none[] = {false, false, false}, two[] = {true, true};
  CHECK_THROWS_WITH(agent.greedy(o, two), Contains("3 entries (got 2)"));
  CHECK_THROWS_WITH(agent.greedy(o, none), Contains("allows no action"));
  for (int i = 0; i < 20; ++i) CHECK_THROWS_AS(agent.act(o, rng, none), Error);
}

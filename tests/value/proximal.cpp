// SPDX-License-Identifier: Apache-2.0
// Sheet dqn_pro.md, section 3: T5 to T8, and what the parts promise beyond them.
#include <mellow/data/prioritized_replay.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/nn/sgd.hpp>
#include <mellow/value/dqn.hpp>
#include <mellow/value/proximal.hpp>

#include "support/catch.hpp"
#include "support/replay.hpp"

using namespace mellow;
using Catch::Contains;
using value::Dqn;
using value::Proximal;
using value::ProximalPenalty;

namespace {

const nn::Mlp<double> network({2, 8, 3});
constexpr value::DqnOptions small{.batch_size = 8, .learning_starts = 10};
constexpr value::PeriodicCopy never{.every = 100'000};
constexpr double infinity = std::numeric_limits<double>::infinity();

/// An agent with these parts that has seen `transitions` and whose online parameters have left the target's.
template <class... Parts>
auto displaced(const Parts&... parts) {
  Dqn agent(network, small, never, parts...);
  show_random_transitions(agent, 9);
  agent.learner().online += Vector<double>::LinSpaced(network.parameters(), -1, 1);
  return agent;
}

double largest(const Vector<double>& x) { return x.cwiseAbs().maxCoeff(); }

/// By how much an agent's next update moves it.
template <class Agent>
Vector<double> next_step(Agent& agent) {
  const Vector<double> before = agent.parameters();
  Rng rng(1);
  agent.learn(rng);
  return agent.parameters() - before;
}

/// What a pull sees of an agent, for objectives of one's own.
struct Bare {
  using Scalar = double;
  nn::Mlp<double> network, target_network;
  Vector<double> online, target, gradient;
  nn::Sgd optimizer;
  nn::Sgd::State<double> optimizer_state;

  Bare(const Vector<double>& theta, double learning_rate)
      : network({1, 1}),
        target_network({1, 1}),
        online(theta),
        target(theta),
        optimizer{.learning_rate = learning_rate} {
    optimizer_state.reset(theta.size());
  }
  /// The pull and a step by a gradient.
  void update(const auto& pull, const Vector<double>& g) {
    Rng rng;
    gradient = g;
    pull.require_fits(*this);
    pull.pull(*this, rng);
    optimizer.step<double>(optimizer_state, online, gradient);
  }
};

}  // namespace

TEST_CASE("The proximal pull and a step are algorithm 1's update (T5)") {
  const nn::Sgd sgd{.learning_rate = 0.1};
  for (const double c : {0.1, 0.2, 0.7}) {
    auto plain = displaced(sgd);
    auto pulled = displaced(sgd, Proximal{.c = c});
    const Vector<double> w = pulled.parameters(), theta = pulled.learner().target, step = next_step(plain);
    next_step(pulled);
    CHECK(largest(pulled.parameters() - ((1 - 0.1 / c) * w + 0.1 / c * theta + step)) < 1e-14);
  }
  auto plain = displaced(sgd);
  auto whole = displaced(sgd, Proximal{.c = 0.1});  // mu = 1: w = theta - alpha g
  const Vector<double> step = next_step(plain);
  next_step(whole);
  CHECK(largest(whole.parameters() - (whole.learner().target + step)) < 1e-14);
}

TEST_CASE("Under gradient descent the pull is a penalty in the loss, to rounding (T5)") {
  for (const double bound : {infinity, 0.1}) {  // also where the loss's gradient is clipped
    const value::DqnOptions options{.batch_size = 8, .learning_starts = 10, .max_gradient_norm = bound};
    const value::PeriodicCopy often{.every = 30};
    Dqn pulled(network, options, often, nn::Sgd{.learning_rate = 0.05}, Proximal{.c = 0.2});
    Dqn penalized(network, options, often, nn::Sgd{.learning_rate = 0.05}, ProximalPenalty{.weight = 5});
    show_random_transitions(pulled, 200);
    show_random_transitions(penalized, 200);
    CHECK(largest(pulled.parameters() - pulled.learner().target) > 1e-4);
    CHECK(largest(pulled.parameters() - penalized.parameters()) < 1e-12);
  }
}

TEST_CASE("An infinite c, and a penalty of weight 0, are DQN bit for bit (T5)") {
  Dqn plain(network, small);
  Dqn far(network, small, Proximal{.c = infinity});
  Dqn light(network, small, ProximalPenalty{.weight = 0});
  Dqn pulled(network, small, Proximal{.c = 0.2});
  show_random_transitions(plain, 300);
  show_random_transitions(far, 300);
  show_random_transitions(light, 300);
  show_random_transitions(pulled, 300);
  CHECK(first_difference(plain.learner(), far.learner()).empty());
  CHECK(first_difference(plain.learner(), light.learner()).empty());
  CHECK_FALSE(first_difference(plain.learner(), pulled.learner()).empty());
}

TEST_CASE("The pull is nothing right after the target has become the online network") {
  Dqn plain(network, small, never);
  Dqn pulled(network, small, never, Proximal{.c = 1e-3});
  for (auto* l : {&plain.learner(), &pulled.learner()}) l->target = l->online = Vector<double>::LinSpaced(51, -1, 1);
  show_random_transitions(plain, 10);
  show_random_transitions(pulled, 10);
  CHECK(plain.learner().counters.updates == 1);
  CHECK(first_difference(plain.learner(), pulled.learner()).empty());
}

TEST_CASE("The pull stays out of Adam's moments and the penalty does not") {
  const nn::Adam adam{.learning_rate = 1e-2};
  auto plain = displaced(adam);
  auto pulled = displaced(adam, Proximal{.c = 0.05});
  auto penalized = displaced(adam, ProximalPenalty{.weight = 0.5});
  const Vector<double> w = plain.parameters(), theta = plain.learner().target, step = next_step(plain);
  CHECK(largest(next_step(pulled) - (0.2 * (theta - w) + step)) < 1e-14);
  next_step(penalized);
  CHECK(pulled.learner().optimizer_state.m == plain.learner().optimizer_state.m);
  const Vector<double> added = penalized.learner().optimizer_state.m - plain.learner().optimizer_state.m;
  CHECK(largest(added - 0.1 * 0.5 * (w - theta)) < 1e-14);
}

TEST_CASE("The penalty is neither in the loss that is reported nor in the priorities") {
  const data::PrioritizedReplay replay{.capacity = 100};
  auto plain = displaced(replay);
  auto penalized = displaced(replay, ProximalPenalty{.weight = 100});
  Rng a(1), b(1);
  CHECK(plain.learn(a).loss == penalized.learn(b).loss);
  CHECK(plain.parameters() != penalized.parameters());
  CHECK(first_difference(plain.learner().replay_state, penalized.learner().replay_state).empty());
}

TEST_CASE("The pull keeps the strength that the first learning rate gave it") {
  const nn::Sgd falling{.learning_rate = linear(0.1, 0.0, 5)};
  auto pulled = displaced(falling, Proximal{.c = 0.2});
  for (int i = 0; i < 6; ++i) next_step(pulled);
  const Vector<double> w = pulled.parameters(), theta = pulled.learner().target;
  CHECK(largest(next_step(pulled) - 0.5 * (theta - w)) < 1e-14);  // the rate is 0 by now
}

TEST_CASE("A pull that does not fit the agent is refused when it is built") {
  CHECK_THROWS_WITH(Dqn(network, small, Proximal{.c = 0}), Contains("value::Proximal: c must be positive"));
  CHECK_THROWS_AS(Dqn(network, small, Proximal{.c = std::nan("")}), Error);
  CHECK_THROWS_WITH(Dqn(network, small, nn::Adam{.learning_rate = 0.25}, Proximal{.c = 0.125}),
                    Contains("c = 0.125 must not be below the first learning rate") && Contains("0.25"));
  CHECK_THROWS_WITH(Dqn(network, small, nn::Adam{.learning_rate = warm_up(100, 1e-3)}, Proximal{}),
                    Contains("c = 0.2") && Contains("must be positive"));
  CHECK_THROWS_WITH(Dqn(network, small, ProximalPenalty{.weight = -1}), Contains("weight must be finite"));
  CHECK_THROWS_AS(Dqn(network, small, ProximalPenalty{.weight = infinity}), Error);
  CHECK_NOTHROW(Dqn(network, small, nn::Sgd{.learning_rate = 0.2}, Proximal{.c = 0.2}));
}

TEST_CASE("A quadratic problem with a pull has its fixed point between its least point and the target (T6)") {
  const double a = 2, least = 3, theta = 1;
  const auto end = [&](const auto& pull) {
    Bare learner(Vector<double>::Constant(1, theta), 0.05);
    for (int i = 0; i < 1'000; ++i) learner.update(pull, a * (learner.online.array() - least).matrix());
    return learner.online[0];
  };
  CHECK((a * least + theta / 0.2) / (a + 1 / 0.2) == Approx(1.571428571));
  CHECK(end(Proximal{.c = 0.2}) == Approx(1.571428571).epsilon(1e-9));
  CHECK(end(ProximalPenalty{.weight = 5}) == Approx(1.571428571).epsilon(1e-9));
  CHECK(end(Proximal{.c = infinity}) == Approx(least));
}

TEST_CASE("The pull bounds how far bounded steps lead away from the target (T7)") {
  const auto farthest = [](Index steps, double period, auto&& sign) {
    const double rate = 1e-3, c = rate * period, bound = 2;  // mu = 1 / period
    Bare learner(Vector<double>::Constant(8, 1), rate);
    for (Index k = 1; k <= steps; ++k) {
      Vector<double> g(8);
      for (double& x : g) x = bound * sign();
      learner.update(Proximal{.c = c}, g);
      const double limit = c * bound * (1 - std::pow(1 - 1 / period, static_cast<double>(k)));
      CHECK((learner.online.array() - 1).abs().maxCoeff() <= limit * (1 + 1e-12));
    }
    return (learner.online.array() - 1).abs().maxCoeff() / (rate * static_cast<double>(steps) * bound);
  };
  const auto always = [] { return 1.0; };
  Rng rng(1);
  const auto random = [&] { return rng.uniform() < 0.7 ? 1.0 : -1.0; };
  // Of the distance without a pull. The bound is reached where all steps go one way.
  CHECK(farthest(2'000, 800, always) == Approx(0.3672).margin(5e-5));
  CHECK(farthest(2'000, 800, always) * 2.5 == Approx(0.918043).margin(5e-7));
  CHECK(farthest(250, 100, always) == Approx(0.3676).margin(5e-5));
  CHECK(farthest(250, 100, random) < 0.3676);
}

TEST_CASE("With the pull the target changes by less from one time to the next, in every run (T8)") {
  const auto mean_change = [](std::uint64_t seed, const auto& pull) {
    const value::DqnOptions options{.batch_size = 8, .learning_starts = 10, .seed = seed};
    Dqn agent(network, options, value::PeriodicCopy{.every = 50}, pull);
    double total = 0;
    Vector<double> before = agent.learner().target;
    for (Index change = 0; change < 40; ++change) {
      show_random_transitions(agent, 50, Rng(seed, static_cast<std::uint64_t>(change)));
      if (change >= 20) total += (agent.learner().target - before).norm();
      before = agent.learner().target;
    }
    return total / 20;
  };
  for (std::uint64_t seed = 0; seed < 5; ++seed)  // c by the rule learning_rate K / 2.5
    CHECK(mean_change(seed, Proximal{.c = 1e-3 * 50 / 2.5}) < mean_change(seed, ProximalPenalty{.weight = 0}));
}

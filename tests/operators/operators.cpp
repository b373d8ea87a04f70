// SPDX-License-Identifier: Apache-2.0
#include <mellow/operators/boltzmann.hpp>
#include <mellow/operators/epsilon_greedy.hpp>
#include <mellow/operators/epsilon_mix.hpp>
#include <mellow/operators/explore.hpp>
#include <mellow/operators/max.hpp>
#include <mellow/operators/mean.hpp>

#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::operators;

TEST_CASE("Max takes the largest value; the first of equals is selected") {
  const Eigen::Vector4d q(1, 3, 3, -2);
  CHECK(Max{}(q) == 3);
  CHECK(Max{}.select(q) == 1);
}

TEST_CASE("Mean and EpsilonMix are the values of random and of epsilon-greedy actions") {
  const Eigen::Vector4d q(1, 3, 3, -2);
  CHECK(Mean{}(q) == Approx(1.25));
  CHECK(EpsilonMix{.epsilon = 0.2}(q) == Approx(0.2 * 1.25 + 0.8 * 3));
  CHECK(EpsilonMix{.epsilon = 0}(q) == Max{}(q));
  CHECK(EpsilonMix{.epsilon = 1}(q) == Mean{}(q));
  CHECK_THROWS_AS(EpsilonMix{.epsilon = 1.1}.validate(), Error);
}

namespace {
struct CountingChoice {
  int greedily = 0, randomly = 0;
  Index greedy() { return ++greedily, 0; }
  Index random(Rng& rng) { return ++randomly, rng.below(3); }
};
}  // namespace

TEST_CASE("Epsilon-greedy explores as often as its schedule says and asks for the values only then") {
  Rng rng(3);
  const EpsilonGreedy exploration{.epsilon = linear(1, 0.2, 1000)};
  for (const auto& [step, epsilon] : {std::pair{0, 1.0}, {500, 0.6}, {5000, 0.2}}) {
    CountingChoice choice;
    for (int i = 0; i < 10'000; ++i) exploration.choose(choice, step, rng);
    CHECK(choice.randomly == Approx(10'000 * epsilon).margin(5 * 50));
    CHECK(choice.greedily == 10'000 - choice.randomly);
  }
  CHECK_THROWS_AS(EpsilonGreedy{.epsilon = 1.5}.validate(), Error);
  CHECK_THROWS_AS(EpsilonGreedy{.epsilon = -0.1}.validate(), Error);
}

TEST_CASE("Exploration parts tell the probabilities they act by") {
  const Eigen::Vector3d q(0.1, 0.7, 0.7);
  Vector<double> pi(3);
  EpsilonGreedy{.epsilon = linear(1, 0.3, 100)}.probabilities(q, 100, pi);
  CHECK((pi - Eigen::Vector3d(0.1, 0.8, 0.1)).norm() < 1e-15);
  explore(Boltzmann{.beta = 2}).probabilities(q, 0, pi);
  CHECK(pi[1] / pi[0] == Approx(std::exp(1.2)));
  CHECK_THROWS_AS(explore(Boltzmann{.beta = std::nan("")}).validate(), Error);
}

TEST_CASE("explore draws actions from a policy") {
  struct Choice {
    Eigen::Vector3d q{0.1, 0.7, -0.2};
    auto values() { return q.col(0); }
    Index action(Index i) { return i; }
  } choice;
  const auto exploration = explore(Boltzmann{.beta = 3});
  StateOf<Explore<Boltzmann>, double> state;
  Vector<double> pi(3), count = Vector<double>::Zero(3);
  exploration.probabilities(choice.q, 0, pi);
  Rng rng(4);
  constexpr int draws = 20'000;
  for (int i = 0; i < draws; ++i) ++count[exploration.choose(state, choice, 0, rng)];
  for (int a = 0; a < 3; ++a) CHECK(count[a] / draws == Approx(pi[a]).margin(5 * std::sqrt(0.25 / draws)));
}

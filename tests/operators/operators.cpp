// SPDX-License-Identifier: Apache-2.0
#include <mellow/operators/epsilon_greedy.hpp>
#include <mellow/operators/max.hpp>
#include <mellow/operators/mellowmax.hpp>

#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::operators;

TEST_CASE("Max takes the largest value; the first of equals is selected") {
  const Eigen::Vector4d q(1, 3, 3, -2);
  CHECK(Max{}(q) == 3);
  CHECK(Max{}.select(q) == 1);
}

TEST_CASE("Mellowmax lies between mean and maximum and tends to both") {
  Rng rng(1);
  for (int i = 0; i < 100; ++i) {
    Vector<double> q(5);
    for (double& x : q) x = rng.normal(0, 3);
    double last = q.mean();
    for (const double omega : {0.01, 0.1, 1.0, 10.0, 1000.0}) {
      const double mm = Mellowmax{omega}(q);
      CHECK(mm ==
            Approx(std::log((omega * (q.array() - q.maxCoeff())).exp().mean()) / omega + q.maxCoeff()).epsilon(1e-12));
      CHECK(mm >= last - 1e-12);
      CHECK(mm <= q.maxCoeff() + 1e-12);
      last = mm;
    }
    CHECK(Mellowmax{1e-6}(q) == Approx(q.mean()).margin(1e-4));
    CHECK(Mellowmax{1e6}(q) == Approx(q.maxCoeff()).margin(1e-5));
    CHECK(Mellowmax{-1e6}(q) == Approx(q.minCoeff()).margin(1e-5));
  }
}

TEST_CASE("Mellowmax is a non-expansion in the largest difference") {
  Rng rng(2);
  for (int i = 0; i < 1000; ++i) {
    Vector<double> p(4), q(4);
    for (Index k = 0; k < 4; ++k) {
      p[k] = rng.normal(0, 5);
      q[k] = rng.normal(0, 5);
    }
    const Mellowmax mm{rng.uniform(0.1, 20)};
    CHECK(std::abs(mm(p) - mm(q)) <= (p - q).cwiseAbs().maxCoeff() + 1e-12);
  }
}

TEST_CASE("Mellowmax of huge values does not overflow") {
  CHECK(Mellowmax{5}(Eigen::Vector2d(1e6, 1e6 - 1)) == Approx(1e6 + std::log((1 + std::exp(-5.0)) / 2) / 5));
  CHECK_THROWS_AS(Mellowmax{0}.validate(), Error);
  CHECK_THROWS_AS(Mellowmax{std::nan("")}.validate(), Error);
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

// SPDX-License-Identifier: Apache-2.0
#include <mellow/statistics/improvement.hpp>

#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::statistics;
using Catch::Matchers::Message;

namespace {

/// All pairs, one by one.
double naive(const Scores& a, const Scores& b) {
  double wins = 0;
  for (Index task = 0; task < a.tasks(); ++task)
    for (const double x : a.values().col(task))
      for (const double y : b.values().col(task)) wins += x > y ? 1 : x == y ? 0.5 : 0;
  return wins / static_cast<double>(a.size() * b.runs());
}

Scores coarse(Index runs, Index tasks, Rng& rng) {
  return Matrix<double>::NullaryExpr(runs, tasks, [&] { return std::round(3 * rng.normal()); }).eval();
}

}  // namespace

TEST_CASE("The probability of improvement counts pairs, ties half") {
  CHECK(probability_of_improvement(std::vector<double>{1, 3}, std::vector<double>{0, 1, 2}) == Approx(4.5 / 6));
  Rng rng(1);
  for (int i = 0; i < 50; ++i) {
    const Index tasks = 1 + rng.below(5);
    const Scores a = coarse(1 + rng.below(8), tasks, rng), b = coarse(1 + rng.below(8), tasks, rng);
    CHECK(probability_of_improvement(a, b) == Approx(naive(a, b)));
    CHECK(probability_of_improvement(a, b) + probability_of_improvement(b, a) == Approx(1));
    CHECK(probability_of_improvement(a, a) == Approx(0.5));
    // Only the order of scores matters.
    CHECK(probability_of_improvement(a.values().array().cube().matrix(), b.values().array().cube().matrix()) ==
          Approx(naive(a, b)));
    CHECK(probability_of_improvement((a.values().array() + 100).matrix(), b) == 1);
  }
}

TEST_CASE("Resamples of both tables count the pairs that were drawn") {
  Rng rng(2);
  const Scores a = coarse(6, 3, rng), b = coarse(9, 3, rng);
  detail::Improvement improvement(a, b);
  ResampledScores from_a(a), from_b(b);
  Rng one(3), other = one;
  for (int i = 0; i < 100; ++i) {
    const double fast = improvement(one);
    const Scores& drawn = from_a(other);
    CHECK(fast == Approx(naive(drawn, from_b(other))));
  }
}

TEST_CASE("Its interval holds the truth in about 95 % of experiments") {
  Rng rng(4);
  constexpr double truth = 0.760249938906524;  // P(x > y) = Phi(1 / sqrt(2)) for x ~ N(1, 1), y ~ N(0, 1)
  int covered = 0;
  for (int i = 0; i < 400; ++i) {
    const Scores a = Matrix<double>::NullaryExpr(30, 3, [&] { return rng.normal(1, 1); }).eval();
    const Scores b = Matrix<double>::NullaryExpr(40, 3, [&] { return rng.normal(); }).eval();
    covered += probability_of_improvement(a, b, rng, {.resamples = 300}).covers(truth);
  }
  CHECK(covered > 380 - 24);
  CHECK(covered < 380 + 18);
}

TEST_CASE("Improvement needs the same tasks, and its interval two runs") {
  Rng rng(5);
  const Scores a = coarse(3, 2, rng);
  const std::string where = "statistics::probability_of_improvement: ";
  CHECK_THROWS_MATCHES(probability_of_improvement(a, coarse(3, 4, rng)), Error,
                       Message(where + "both need the same tasks (got 2 and 4)"));
  CHECK_THROWS_MATCHES(probability_of_improvement(a, coarse(3, 4, rng), rng), Error,
                       Message(where + "both need the same tasks (got 2 and 4)"));
  CHECK_THROWS_MATCHES(probability_of_improvement(a, coarse(1, 2, rng), rng), Error,
                       Message(where + "an interval needs two runs of each task (got 1)"));
  CHECK_THROWS_AS(probability_of_improvement(a, a, rng, {.confidence = 2}), Error);
}

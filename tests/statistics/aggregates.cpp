// SPDX-License-Identifier: Apache-2.0
#include <limits>
#include <numeric>

#include <mellow/core/rng.hpp>
#include <mellow/statistics/aggregates.hpp>

#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::statistics;

namespace {
Scores random_scores(Index runs, Index tasks, Rng& rng) {
  return Matrix<double>::NullaryExpr(runs, tasks, [&] { return rng.normal(); }).eval();
}
}  // namespace

TEST_CASE("Aggregates of a table by hand") {
  const Scores scores = Matrix<double>{{0, 3, 9}, {2, 5, 1}};  // task means 1, 4, 5
  CHECK(Mean{}(scores) == Approx(20.0 / 6));
  CHECK(Median{}(scores) == 2.5);
  CHECK(MedianOfTaskMeans{}(scores) == 4);
  CHECK(Iqm{}(scores) == Approx((1 + 2 + 3 + 5) / 4.0));  // floor(6 / 4) = 1 cut at each end
  CHECK(OptimalityGap{}(scores) == Approx(1 - (0 + 1 + 1 + 1 + 1 + 1) / 6.0));
  CHECK(OptimalityGap{.gamma = 4}(scores) == Approx(4 - (0 + 3 + 4 + 2 + 4 + 1) / 6.0));
  CHECK(OptimalityGap{.gamma = 100}(scores) == Approx(100 - Mean{}(scores)));
  CHECK_THROWS_AS(OptimalityGap{.gamma = std::nan("")}(scores), Error);
}

TEST_CASE("The interquartile mean cuts a quarter at each end, rounded down, for every size") {
  Rng rng(3);
  for (Index n = 1; n < 40; ++n) {
    std::vector<double> values(static_cast<std::size_t>(n));
    for (double& x : values) x = rng.normal();
    const double iqm = Iqm{}(values), median = Median{}(values);
    std::sort(values.begin(), values.end());
    const auto cut = n / 4;
    CHECK(iqm ==
          Approx(std::accumulate(values.begin() + cut, values.end() - cut, 0.0) / static_cast<double>(n - 2 * cut)));
    CHECK(iqm >= values[static_cast<std::size_t>(cut)]);
    CHECK(iqm <= values[static_cast<std::size_t>(n - 1 - cut)]);
    const auto half = static_cast<std::size_t>(n / 2);
    CHECK(median == Approx(n % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2));
  }
}

TEST_CASE("Aggregates move and stretch with the scores, and do not see the order of runs") {
  Rng rng(4);
  const auto check = [&](const auto& statistic) {
    for (int i = 0; i < 20; ++i) {
      const Scores scores = random_scores(1 + rng.below(9), 1 + rng.below(7), rng);
      CHECK(statistic(Scores((3 * scores.values().array() + 7).matrix())) == Approx(3 * statistic(scores) + 7));
      CHECK(statistic(Scores(scores.values().colwise().reverse())) == Approx(statistic(scores)).margin(1e-14));
    }
  };
  check(Mean{});
  check(Median{});
  check(MedianOfTaskMeans{});
  check(Iqm{});
}

TEST_CASE("One outlying run moves the mean, and hardly the interquartile mean and the median") {
  Rng rng(5);
  Matrix<double> values = random_scores(10, 6, rng).values();
  const double iqm = Iqm{}(values), median = Median{}(values), mean = Mean{}(values);
  values(3, 2) = 1e6;
  CHECK(std::abs(Iqm{}(values)-iqm) < 0.1);
  CHECK(std::abs(Median{}(values)-median) < 0.1);
  CHECK(Mean{}(values)-mean > 1e4);
}

TEST_CASE("Resamplers give the statistic of the table that the same draws make") {
  Rng rng(6);
  const auto check = [&](const auto& statistic) {
    for (int i = 0; i < 30; ++i) {
      Matrix<double> values = random_scores(1 + rng.below(12), 1 + rng.below(6), rng).values();
      if (i % 2 == 0) values = values.array().round();  // many equal scores
      ResampledScores tables{Scores(values)};
      auto fast = statistic.resampler(Scores(values));
      Rng one(static_cast<std::uint64_t>(i)), other = one;
      for (int k = 0; k < 20; ++k) {
        CHECK(fast(one) == Approx(statistic(tables(other))).margin(1e-14));
        CHECK(one == other);
      }
    }
  };
  check(Mean{});
  check(Median{});
  check(MedianOfTaskMeans{});
  check(Iqm{});
  check(OptimalityGap{.gamma = 0.3});
}

TEST_CASE("Each run of a task is drawn as often as any other, each task by itself") {
  Rng rng(7);
  for (const Index runs : {1, 2, 3, 7, 20}) {
    constexpr int resamples = 20'000;
    Matrix<double> drawn = Matrix<double>::Zero(runs, 3);
    Index next = 0, together = 0;
    bool in_order = true;
    Vector<Index> first(3);
    for (int k = 0; k < resamples; ++k) {
      draw_runs(runs, 3, rng, [&](Index i, Index run, Index task) {
        in_order = in_order && task * runs + i == next;
        next = (next + 1) % (3 * runs);
        ++drawn(run, task);
        if (i == 0) first[task] = run;
      });
      together += first[0] == first[1];
    }
    CHECK(in_order);
    // Binomial: five standard deviations.
    const double p = 1.0 / static_cast<double>(runs), trials = static_cast<double>(resamples * runs);
    CHECK((drawn.array() - trials * p).abs().maxCoeff() <= 5 * std::sqrt(trials * p * (1 - p)));
    CHECK(std::abs(static_cast<double>(together) - resamples * p) <= 5 * std::sqrt(resamples * p * (1 - p)));
  }
}

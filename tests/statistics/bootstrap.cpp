// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include <mellow/statistics/aggregates.hpp>
#include <mellow/statistics/bootstrap.hpp>

#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::statistics;
using Catch::Matchers::Contains;
using Catch::Matchers::Message;

namespace {
Matrix<double> normal(Index runs, Index tasks, Rng& rng) {
  return Matrix<double>::NullaryExpr(runs, tasks, [&] { return rng.normal(); });
}
}  // namespace

TEST_CASE("Quantiles are interpolated between neighbours") {
  const auto of = [](std::vector<double> values, double q) { return quantile(values, q); };
  CHECK(of({3, 1, 2}, 0) == 1);
  CHECK(of({3, 1, 2}, 0.5) == 2);
  CHECK(of({3, 1, 2}, 1) == 3);
  CHECK(of({4, 1, 2}, 0.75) == Approx(3));
  CHECK(of({10, 0, 20, 30}, 0.1) == Approx(3));
  CHECK(of({5}, 0.3) == 5);
}

TEST_CASE("An interval at 95 % holds the truth in about 95 % of experiments") {
  // 4 tasks of 40 runs; the bootstrap's own shortfall is about 1 - 1/40 in width, which costs less than a percent.
  Rng rng(1);
  constexpr int experiments = 400;
  int mean = 0, iqm = 0, gap = 0, narrow = 0, difference = 0;
  for (int i = 0; i < experiments; ++i) {
    const Scores scores = normal(40, 4, rng), other = normal(40, 4, rng);
    const BootstrapOptions options{.resamples = 300};
    mean += bootstrap(scores, Mean{}, rng, options).covers(0);
    iqm += bootstrap(scores, Iqm{}, rng, options).covers(0);
    // E[min(x, 0)] = -1 / sqrt(2 pi)
    gap += bootstrap(scores, OptimalityGap{.gamma = 0}, rng, options).covers(0.3989422804014327);
    narrow += bootstrap(scores, Mean{}, rng, {.resamples = 300, .confidence = 0.5}).covers(0);
    difference += bootstrap_difference(scores, other, Iqm{}, rng, options).covers(0);
  }
  // The standard deviation of a count is 4.4 at 95 %, 10 at 50 %.
  for (const int covered : {mean, iqm, gap, difference}) {
    CHECK(covered > 380 - 24);
    CHECK(covered < 380 + 18);
  }
  CHECK(std::abs(narrow - 200) < 50);
}

TEST_CASE("A mean's interval is as wide as its standard error says") {
  Rng rng(2);
  const Matrix<double> values = normal(50, 3, rng);
  const Estimate estimate = bootstrap(values, Mean{}, rng, {.resamples = 20'000});
  const Matrix<double> centred = values.rowwise() - values.colwise().mean();
  const double error = std::sqrt(centred.squaredNorm() / 50 / 50) / 3;  // each task's variance / runs, over tasks
  CHECK(estimate.value == Approx(values.mean()));
  CHECK(estimate.high - estimate.value == Approx(1.96 * error).epsilon(0.05));
  CHECK(estimate.value - estimate.low == Approx(1.96 * error).epsilon(0.05));
}

TEST_CASE("Runs are resampled within their task: what tasks differ by is not uncertainty") {
  Rng rng(3);
  const Matrix<double> same_runs = Vector<double>::Ones(8) * Eigen::RowVector3d(0, 100, 1000);
  const Estimate estimate = bootstrap(same_runs, Mean{}, rng);
  CHECK(estimate.value == Approx(1100.0 / 3));
  CHECK(estimate.low == Approx(estimate.value));
  CHECK(estimate.high == Approx(estimate.value));
}

TEST_CASE("The same generator gives the same interval; a higher confidence a wider one") {
  Rng rng(4);
  const Scores scores = normal(10, 5, rng);
  const auto with = [&](const auto& statistic, double confidence) {
    Rng same(5);
    return bootstrap(scores, statistic, same, {.confidence = confidence});
  };
  CHECK(with(Iqm{}, 0.95) == with(Iqm{}, 0.95));
  const Estimate of_tables = with([](const Scores& s) { return Iqm{}(s); }, 0.95);
  CHECK(of_tables.low == Approx(with(Iqm{}, 0.95).low));
  CHECK(of_tables.high == Approx(with(Iqm{}, 0.95).high));
  CHECK(with(Iqm{}, 0.99).low < with(Iqm{}, 0.9).low);
  CHECK(with(Iqm{}, 0.99).high > with(Iqm{}, 0.9).high);
}

TEST_CASE("Pairs with the same seed tell apart what their noise would hide") {
  Rng rng(6);
  const Matrix<double> seeds = 10 * normal(12, 2, rng), noise = 0.1 * normal(12, 2, rng);
  const Scores a = (seeds.array() + 0.5 + noise.array()).matrix(), b = seeds;
  const Estimate paired = paired_difference(a, b, Mean{}, rng), apart = bootstrap_difference(a, b, Mean{}, rng);
  CHECK(paired.value == Approx(0.5 + noise.mean()));
  CHECK(apart.value == Approx(paired.value));
  CHECK(paired.low > 0.3);
  CHECK(paired.high < 0.7);
  CHECK(apart.low < 0);
  CHECK(apart.high > 1);
  const Estimate median = paired_difference(a, b, Median{}, rng);
  CHECK(median.value == Approx(0.5).margin(0.15));
  CHECK(median.covers(median.value));
}

TEST_CASE("Bootstraps refuse what they cannot answer") {
  Rng rng(7);
  const Scores scores = normal(4, 2, rng);
  const auto message = [](const std::string& text) { return Message("statistics::" + text); };
  CHECK_THROWS_MATCHES(bootstrap(scores, Mean{}, rng, {.resamples = 0}), Error,
                       message("BootstrapOptions: resamples must be positive (got 0)"));
  for (const double confidence : {0.0, 1.0, 95.0, std::nan("")})
    CHECK_THROWS_MATCHES(
        bootstrap(scores, Mean{}, rng, {.confidence = confidence}), Error,
        message(fmt::format("BootstrapOptions: confidence must lie between 0 and 1 (got {})", confidence)));
  CHECK_THROWS_MATCHES(bootstrap(normal(1, 5, rng), Mean{}, rng), Error,
                       message("bootstrap: an interval needs two runs of each task (got 1)"));
  CHECK_THROWS_MATCHES(bootstrap_difference(scores, normal(1, 2, rng), Mean{}, rng), Error,
                       message("bootstrap_difference: an interval needs two runs of each task (got 1)"));
  CHECK_THROWS_MATCHES(paired_difference(scores, normal(5, 2, rng), Mean{}, rng), Error,
                       message("paired_difference: both need the same runs (got 4 and 5)"));
  CHECK_THROWS_MATCHES(paired_difference(scores, normal(4, 3, rng), Mean{}, rng), Error,
                       message("paired_difference: both need the same tasks (got 2 and 3)"));
  CHECK_THROWS_MATCHES(bootstrap(
                           scores, [](const Scores& s) { return s(0, 0) / 0.0; }, rng),
                       Error, Catch::Matchers::Predicate<Error>([](const Error& error) {
                         return error.problem() == "the statistic of a resample must be finite";
                       }));
}

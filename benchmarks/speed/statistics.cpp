// SPDX-License-Identifier: Apache-2.0
// Bootstrap intervals of four algorithms on six tasks with twenty runs each, 2000 resamples of each algorithm; for the
// probability of improvement, of each of the three pairs with the first.
#include <mellow/statistics/aggregates.hpp>
#include <mellow/statistics/bootstrap.hpp>
#include <mellow/statistics/improvement.hpp>
#include <mellow/statistics/profile.hpp>

#include "shapes.hpp"

namespace {

using namespace mellow;
using namespace mellow::statistics;

constexpr Index runs = 20, tasks = 6, algorithms = 4;

std::vector<Scores> make_scores() {
  Rng rng(1);
  std::vector<Scores> made;
  for (Index a = 0; a < algorithms; ++a)
    made.emplace_back(Matrix<double>::NullaryExpr(runs, tasks, [&] { return rng.uniform(); }));
  return made;
}

template <class S>
void interval(benchmark::State& state, const S& statistic) {
  const auto scores = make_scores();
  Rng rng;
  for (auto _ : state)
    for (const Scores& of : scores) benchmark::DoNotOptimize(bootstrap(of, statistic, rng));
  speed::report_rate(state, "resamples/s", static_cast<double>(algorithms * BootstrapOptions{}.resamples));
}
BENCHMARK_CAPTURE(interval, iqm, Iqm{})->Name("statistics_iqm");
BENCHMARK_CAPTURE(interval, mean, Mean{})->Name("statistics_mean");
BENCHMARK_CAPTURE(interval, median, Median{})->Name("statistics_median");
BENCHMARK_CAPTURE(interval, median_of_task_means, MedianOfTaskMeans{})->Name("statistics_median_of_task_means");
BENCHMARK_CAPTURE(interval, optimality_gap, OptimalityGap{})->Name("statistics_optimality_gap");
BENCHMARK_CAPTURE(interval, lambda, [](const Scores& scores) { return Iqm{}(scores); })->Name("statistics_iqm_lambda");

void profile(benchmark::State& state) {
  const auto scores = make_scores();
  const auto tau = even_thresholds(scores);
  Rng rng;
  for (auto _ : state)
    for (const Scores& of : scores) benchmark::DoNotOptimize(performance_profile(of, tau, rng));
  speed::report_rate(state, "resamples/s", static_cast<double>(algorithms * BootstrapOptions{}.resamples));
}
BENCHMARK(profile)->Name("statistics_profile/101");

void improvement(benchmark::State& state) {
  const auto scores = make_scores();
  Rng rng;
  for (auto _ : state)
    for (std::size_t a = 1; a < scores.size(); ++a)
      benchmark::DoNotOptimize(probability_of_improvement(scores[0], scores[a], rng));
  speed::report_rate(state, "resamples/s", static_cast<double>((algorithms - 1) * BootstrapOptions{}.resamples));
}
BENCHMARK(improvement)->Name("statistics_improvement");

}  // namespace

BENCHMARK_MAIN();

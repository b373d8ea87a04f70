// SPDX-License-Identifier: Apache-2.0
// A bootstrap takes from the heap what it needs once, and nothing a resample.
#include <mellow/statistics/aggregates.hpp>
#include <mellow/statistics/bootstrap.hpp>
#include <mellow/statistics/improvement.hpp>
#include <mellow/statistics/profile.hpp>

#include "allocation/counter.hpp"
#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::statistics;

TEST_CASE("A hundred times the resamples take as many allocations") {
  Rng rng(1);
  const Scores a = Matrix<double>::NullaryExpr(20, 6, [&] { return rng.uniform(); }).eval();
  const Scores b = Matrix<double>::NullaryExpr(20, 6, [&] { return rng.uniform(); }).eval();
  const auto check = [&](auto&& run) {
    const auto allocations = [&](Index resamples) {
      const std::size_t before = heap_allocations();
      run(BootstrapOptions{.resamples = resamples});
      return heap_allocations() - before;
    };
    CHECK(allocations(10) == allocations(1'000));
  };
  check([&](const auto& options) { bootstrap(a, Mean{}, rng, options); });
  check([&](const auto& options) { bootstrap(a, Median{}, rng, options); });
  check([&](const auto& options) { bootstrap(a, MedianOfTaskMeans{}, rng, options); });
  check([&](const auto& options) { bootstrap(a, Iqm{}, rng, options); });
  check([&](const auto& options) { bootstrap(a, OptimalityGap{}, rng, options); });
  check([&](const auto& options) {
    bootstrap(
        a, [](const Scores& s) { return s.values().mean(); }, rng, options);
  });
  check([&](const auto& options) { paired_difference(a, b, Iqm{}, rng, options); });
  check([&](const auto& options) { probability_of_improvement(a, b, rng, options); });
  check([&](const auto& options) { performance_profile(a, {0.25, 0.5, 0.75}, rng, options); });
  check([&](const auto& options) { mean_score_profile(a, {0.25, 0.5, 0.75}, rng, options); });
}

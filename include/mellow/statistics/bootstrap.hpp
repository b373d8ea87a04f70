// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <span>
#include <string_view>
#include <vector>

#include <mellow/core/memory.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/statistics/estimate.hpp>
#include <mellow/statistics/resampling.hpp>
#include <mellow/statistics/scores.hpp>

namespace mellow::statistics {

/// The numbers of a bootstrap.
struct BootstrapOptions {
  Index resamples = 2'000;   ///< > 0; 50 000 for figures to publish
  double confidence = 0.95;  ///< share of repetitions in which the interval should hold the truth, in (0, 1)

  /// Throws Error for a number out of range.
  void validate() const {
    constexpr auto where = "statistics::BootstrapOptions";
    require(resamples > 0, where, "resamples must be positive", resamples);
    require(confidence > 0 && confidence < 1, where, "confidence must lie between 0 and 1", confidence);
  }
};

/// A number that is computed from scores: `statistic(scores) -> double`. Iqm, Mean and others, or a lambda of one's own.
template <class S>
concept Statistic = requires(const S statistic, const Scores& scores) {
  { statistic(scores) } -> std::convertible_to<double>;
};

/// A statistic that draws its own resamples, faster than by a table for each: `statistic.resampler(scores)` is a
/// function of `Rng&` that returns the statistic of one. It draws by draw_runs().
template <class S>
concept ResampledStatistic = Statistic<S> && requires(const S statistic, const Scores& scores, Rng& rng) {
  { statistic.resampler(scores)(rng) } -> std::convertible_to<double>;
};

/// The q-quantile, q in [0, 1], interpolated between the two values next to rank q (n - 1), as NumPy's. Reorders the
/// values, of which there is one at least.
inline double quantile(std::span<double> values, double q) {
  const double rank = q * static_cast<double>(values.size() - 1);
  const auto below = values.begin() + static_cast<std::ptrdiff_t>(rank);
  std::nth_element(values.begin(), below, values.end());
  const double part = rank - std::floor(rank);
  if (part == 0.0) return *below;
  const double above = *std::min_element(below + 1, values.end());
  return *below + part * (above - *below);
}

namespace detail {

/// The estimate whose interval leaves out (1 - confidence) / 2 of the resampled values at each end.
inline Estimate percentile_estimate(double value, std::span<double> resampled, double confidence,
                                    std::string_view where) {
  for (const double x : resampled) require(std::isfinite(x), where, "the statistic of a resample must be finite", x);
  require(std::isfinite(value), where, "the statistic must be finite", value);
  const double outside = (1.0 - confidence) / 2.0;
  const double low = quantile(resampled, outside);
  return {value, low, quantile(resampled, 1.0 - outside)};
}

inline void require_runs(const Scores& scores, std::string_view where) {
  require(scores.runs() > 1, where, "an interval needs two runs of each task", scores.runs());
}

/// `resamples` numbers, each from `draw()`.
template <class Draw>
std::vector<double> draw_many(Index resamples, std::string_view where, Draw&& draw) {
  auto values = within_memory(where, "resamples need more memory than there is", resamples,
                              [&] { return std::vector<double>(static_cast<std::size_t>(resamples)); });
  for (double& value : values) value = draw();
  return values;
}

/// A function of `Rng&` that returns the statistic of a resample.
template <Statistic S>
auto resampler(const Scores& scores, const S& statistic) {
  if constexpr (ResampledStatistic<S>) return statistic.resampler(scores);
  else
    return [resampled = ResampledScores(scores), statistic](Rng& rng) mutable {
      return static_cast<double>(statistic(resampled(rng)));
    };
}

}  // namespace detail

/// A statistic with its interval, by the stratified bootstrap: runs are resampled with replacement within each task, and
/// the interval lies between percentiles of the statistic of the resamples (Agarwal et al. 2021, section 4.1; Efron 1979).
///
///     const auto iqm = statistics::bootstrap(scores, statistics::Iqm{}, rng);   // iqm.value, iqm.low, iqm.high
///
/// It says what other runs of the same tasks would change, not what other tasks would. With few runs it is too narrow:
/// of 10 runs, a mean's interval at 95 % holds the truth in some 90 % of cases. Throws Error for a single run, options
/// out of range, or a statistic that is not finite.
template <Statistic S>
Estimate bootstrap(const Scores& scores, const S& statistic, Rng& rng, const BootstrapOptions& options = {}) {
  constexpr auto where = "statistics::bootstrap";
  options.validate();
  detail::require_runs(scores, where);
  auto resampled = detail::resampler(scores, statistic);
  auto values = detail::draw_many(options.resamples, where, [&] { return resampled(rng); });
  return detail::percentile_estimate(statistic(scores), values, options.confidence, where);
}

/// By how much a statistic of `a` exceeds that of `b`, whose runs are other runs: both are resampled independently.
/// Where a run of both has the same seed, use paired_difference(). Throws Error as bootstrap() does; the tables may
/// differ in runs and tasks.
template <Statistic S>
Estimate bootstrap_difference(const Scores& a, const Scores& b, const S& statistic, Rng& rng,
                              const BootstrapOptions& options = {}) {
  constexpr auto where = "statistics::bootstrap_difference";
  options.validate();
  detail::require_runs(a, where);
  detail::require_runs(b, where);
  auto from_a = detail::resampler(a, statistic), from_b = detail::resampler(b, statistic);
  auto values = detail::draw_many(options.resamples, where, [&] {
    const double of_a = from_a(rng);
    return of_a - from_b(rng);
  });
  return detail::percentile_estimate(statistic(a) - statistic(b), values, options.confidence, where);
}

/// A statistic of the differences a - b, run by run, with its interval: for two algorithms whose run i of a task had
/// the same seed. Resamples runs in pairs, so that what a seed does to both cancels out.
///
/// Throws Error where the tables differ in runs or tasks, and as bootstrap() does.
template <Statistic S>
Estimate paired_difference(const Scores& a, const Scores& b, const S& statistic, Rng& rng,
                           const BootstrapOptions& options = {}) {
  constexpr auto where = "statistics::paired_difference";
  require(a.runs() == b.runs(), where, "both need the same runs", fmt::format("{} and {}", a.runs(), b.runs()));
  require(a.tasks() == b.tasks(), where, "both need the same tasks", fmt::format("{} and {}", a.tasks(), b.tasks()));
  return bootstrap(Scores(a.values() - b.values()), statistic, rng, options);
}

}  // namespace mellow::statistics

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <mellow/statistics/bootstrap.hpp>
#include <mellow/statistics/resampling.hpp>
#include <mellow/statistics/scores.hpp>

namespace mellow::statistics {

/// What share of scores lies above each threshold tau, with an interval at each; lists of equal length, as a plot's
/// series has them. Neither `share` nor its band rises with tau.
struct Profile {
  std::vector<double> tau;    ///< thresholds, ascending
  std::vector<double> share;  ///< of scores above tau, in [0, 1]
  std::vector<double> low;    ///< where the interval begins
  std::vector<double> high;   ///< where it ends
};

/// `count` thresholds, evenly spaced from the smallest to the largest score of all tables; around the score where there
/// is but one. Throws Error without a table or for fewer than two thresholds.
inline std::vector<double> even_thresholds(std::span<const Scores> tables, Index count = 101) {
  constexpr auto where = "statistics::even_thresholds";
  require(!tables.empty(), where, "it takes a table", tables.size());
  require(count > 1, where, "count must be 2 at least", count);
  double low = tables[0].values().minCoeff(), high = tables[0].values().maxCoeff();
  for (const Scores& scores : tables) {
    low = std::min(low, scores.values().minCoeff());
    high = std::max(high, scores.values().maxCoeff());
  }
  if (low == high) {
    const double around = 0.5 * std::max(1.0, std::abs(low));
    low -= around;
    high += around;
  }
  std::vector<double> tau(static_cast<std::size_t>(count));
  for (Index j = 0; j < count; ++j) {
    const double part = static_cast<double>(j) / static_cast<double>(count - 1);
    tau[static_cast<std::size_t>(j)] = (1.0 - part) * low + part * high;
  }
  return tau;
}

namespace detail {

/// How many thresholds lie below x: that many of the shares count x.
inline Index thresholds_below(std::span<const double> tau, double x) {
  return std::lower_bound(tau.begin(), tau.end(), x) - tau.begin();
}

/// Shares above each threshold, from how many values have j thresholds below them, counts[j].
inline void write_shares(const Vector<double>& counts, Eigen::Ref<Vector<double>> shares) {
  double above = 0.0;
  for (Index j = shares.size() - 1; j >= 0; --j) shares[j] = above += counts[j + 1];
  shares /= above + counts[0];
}

/// `draw(counts)` adds a resample to counts, which are zero; `value` are the counts of the scores themselves.
template <class Draw>
Profile profile(std::vector<double> tau, const Vector<double>& value, const BootstrapOptions& options,
                std::string_view where, Draw&& draw) {
  const auto n = static_cast<Index>(tau.size());
  Vector<double> shares(n), counts(n + 1);
  auto resampled = within_memory(where, "resamples need more memory than there is", options.resamples,
                                 [&] { return Matrix<double>(n, options.resamples); });
  for (Index k = 0; k < options.resamples; ++k) {
    counts.setZero();
    draw(counts);
    write_shares(counts, resampled.col(k));
  }
  write_shares(value, shares);
  Profile result{std::move(tau), {}, {}, {}};
  std::vector<double> at(static_cast<std::size_t>(options.resamples));
  for (Index j = 0; j < n; ++j) {
    for (Index k = 0; k < options.resamples; ++k) at[static_cast<std::size_t>(k)] = resampled(j, k);
    const Estimate estimate = percentile_estimate(shares[j], at, options.confidence, where);
    result.share.push_back(estimate.value);
    result.low.push_back(estimate.low);
    result.high.push_back(estimate.high);
  }
  return result;
}

inline void check_profile(const Scores& scores, std::span<const double> tau, const BootstrapOptions& options,
                          std::string_view where) {
  options.validate();
  require_runs(scores, where);
  require(!tau.empty(), where, "it takes a threshold", tau.size());
  for (std::size_t j = 0; j < tau.size(); ++j) {
    require(std::isfinite(tau[j]), where, "thresholds must be finite", tau[j]);
    require(j == 0 || tau[j - 1] < tau[j], where, "thresholds must ascend", tau[j]);
  }
}

}  // namespace detail

/// Score distribution: the share of all runs and tasks whose score is above tau, with a pointwise bootstrap band
/// (Agarwal et al. 2021, equation 2). A curve above another at every tau is better by any statistic.
///
/// Throws Error where thresholds are not finite and ascending, and as bootstrap() does.
inline Profile performance_profile(const Scores& scores, std::vector<double> tau, Rng& rng,
                                   const BootstrapOptions& options = {}) {
  constexpr auto where = "statistics::performance_profile";
  detail::check_profile(scores, tau, options, where);
  Vector<double> value = Vector<double>::Zero(static_cast<Index>(tau.size()) + 1);
  Matrix<Index> bin(scores.runs(), scores.tasks());
  for (Index task = 0; task < scores.tasks(); ++task)
    for (Index run = 0; run < scores.runs(); ++run)
      ++value[bin(run, task) = detail::thresholds_below(tau, scores(run, task))];
  return detail::profile(std::move(tau), value, options, where, [&](Vector<double>& counts) {
    draw_runs(bin.rows(), bin.cols(), rng, [&](Index, Index run, Index task) { ++counts[bin(run, task)]; });
  });
}

/// Mean-score distribution: the share of tasks whose mean over runs is above tau, with a pointwise bootstrap band. Less
/// smooth and, of few runs, biased; performance_profile() is the better choice mostly (Agarwal et al. 2021, section 4.2).
///
/// Throws Error where thresholds are not finite and ascending, and as bootstrap() does.
inline Profile mean_score_profile(const Scores& scores, std::vector<double> tau, Rng& rng,
                                  const BootstrapOptions& options = {}) {
  constexpr auto where = "statistics::mean_score_profile";
  detail::check_profile(scores, tau, options, where);
  const std::vector<double> thresholds = tau;
  const auto count = [&](const Vector<double>& means, Vector<double>& counts) {
    for (const double mean : means) ++counts[detail::thresholds_below(thresholds, mean)];
  };
  Vector<double> value = Vector<double>::Zero(static_cast<Index>(tau.size()) + 1);
  count(scores.task_means(), value);
  ResampledTaskMeans means(scores);
  return detail::profile(std::move(tau), value, options, where,
                         [&](Vector<double>& counts) { count(means(rng), counts); });
}

}  // namespace mellow::statistics

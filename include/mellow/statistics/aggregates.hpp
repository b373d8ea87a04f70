// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

#include <mellow/statistics/resampling.hpp>
#include <mellow/statistics/scores.hpp>

namespace mellow::statistics {

namespace detail {

/// Mean of the values without the `cut` smallest and the `cut` largest, which are fewer than all. Reorders the values.
inline double trimmed_mean(std::span<double> values, Index cut) {
  const auto begin = values.begin() + cut, end = values.end() - cut;
  if (cut > 0) {
    std::nth_element(values.begin(), begin, values.end());
    std::nth_element(begin, end - 1, values.end());
  }
  double sum = 0.0;
  for (auto value = begin; value != end; ++value) sum += *value;
  return sum / static_cast<double>(end - begin);
}

/// How many values lie before the middle one, or the middle two.
inline Index before_middle(Index size) { return (size - 1) / 2; }

/// The middle value, or the mean of the middle two. Reorders the values.
inline double median(std::span<double> values) {
  return trimmed_mean(values, before_middle(static_cast<Index>(values.size())));
}

inline double trimmed_mean(const Scores& scores, Index cut) {
  Vector<double> values = scores.values().reshaped();
  return trimmed_mean(std::span(values.data(), static_cast<std::size_t>(values.size())), cut);
}

inline std::span<double> as_span(Vector<double>& values) {
  return {values.data(), static_cast<std::size_t>(values.size())};
}

}  // namespace detail

// Statistics of scores. Each is called with Scores, or with what converts to them: Iqm{}(returns). `resampler` gives a
// function that draws a resample and returns the statistic of it: bootstrap() then needs no table for each.

/// Mean over all runs and tasks. One outlying run moves it.
struct Mean {
  double operator()(const Scores& scores) const { return scores.task_means().mean(); }  ///< the statistic
  /// Its values over resamples.
  auto resampler(const Scores& scores) const {
    return [means = ResampledTaskMeans(scores)](Rng& rng) mutable { return means(rng).mean(); };
  }
};

/// Median over all runs and tasks.
struct Median {
  /// The statistic.
  double operator()(const Scores& scores) const {
    return detail::trimmed_mean(scores, detail::before_middle(scores.size()));
  }
  /// Its values over resamples.
  auto resampler(const Scores& scores) const {
    return ResampledTrimmedMean(scores, detail::before_middle(scores.size()));
  }
};

/// Median over tasks of the mean over runs, the median of "median human-normalised score". Of one task: the mean.
struct MedianOfTaskMeans {
  /// The statistic.
  double operator()(const Scores& scores) const {
    Vector<double> means = scores.task_means();
    return detail::median(detail::as_span(means));
  }
  /// Its values over resamples.
  auto resampler(const Scores& scores) const {
    return
        [means = ResampledTaskMeans(scores)](Rng& rng) mutable { return detail::median(detail::as_span(means(rng))); };
  }
};

/// Interquartile mean: the mean of the middle half of all runs and tasks, floor(size / 4) scores cut at each end. As
/// robust as the median nearly, with a far narrower interval (Agarwal et al. 2021, section 4.3).
struct Iqm {
  double operator()(const Scores& scores) const { return detail::trimmed_mean(scores, scores.size() / 4); }  ///< it
  /// Its values over resamples.
  auto resampler(const Scores& scores) const { return ResampledTrimmedMean(scores, scores.size() / 4); }
};

/// By how much scores fall short of `gamma` on average, those above it counted as gamma: gamma - mean(min(x, gamma)).
/// Smaller is better (Agarwal et al. 2021, section 4.3).
struct OptimalityGap {
  double gamma = 1.0;  ///< the score to reach, finite

  double operator()(const Scores& scores) const { return gamma - Mean{}(clipped(scores)); }  ///< the statistic
  /// Its values over resamples.
  auto resampler(const Scores& scores) const {
    return [g = gamma, mean = Mean{}.resampler(clipped(scores))](Rng& rng) mutable { return g - mean(rng); };
  }

 private:
  Scores clipped(const Scores& scores) const {
    require(std::isfinite(gamma), "statistics::OptimalityGap", "gamma must be finite", gamma);
    return Matrix<double>(scores.values().cwiseMin(gamma));
  }
};

}  // namespace mellow::statistics

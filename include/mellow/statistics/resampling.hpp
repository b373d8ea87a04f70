// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include <mellow/core/rng.hpp>
#include <mellow/statistics/scores.hpp>

namespace mellow::statistics {

/// Draws a resample: for each task as many of its runs as there are, with replacement. Calls `take(i, run, task)` for
/// the i-th draw of a task. Every resampler draws by this function, so that one generator gives all the same resamples.
///
/// A draw is uniform without bias, and takes 32 bits (Lemire 2019). `runs` and `tasks` are positive, runs below 2^32.
template <class Take>
void draw_runs(Index runs, Index tasks, Rng& rng, Take&& take) {
  const auto range = static_cast<std::uint32_t>(runs);
  const std::uint32_t uneven = -range % range;
  Rng local = rng;  // in registers
  Index i = 0, task = 0;
  while (task < tasks) {
    const std::uint64_t bits = local.bits();
    for (const std::uint64_t half : {bits >> 32, bits & 0xffffffff}) {
      const std::uint64_t product = half * range;
      if (static_cast<std::uint32_t>(product) < uneven || task == tasks) continue;
      take(i, static_cast<Index>(product >> 32), task);
      if (++i == runs) i = 0, ++task;
    }
  }
  rng = local;
}

/// Resamples as tables of scores, for any statistic.
class ResampledScores {
 public:
  explicit ResampledScores(const Scores& scores) : original_(scores), resampled_(scores) {}  ///< copies the scores

  /// Draws a resample, valid until the next one.
  const Scores& operator()(Rng& rng) {
    draw_runs(original_.runs(), original_.tasks(), rng,
              [&](Index i, Index run, Index task) { resampled_.values_(i, task) = original_(run, task); });
    return resampled_;
  }

 private:
  Scores original_, resampled_;
};

/// Resamples as the mean of each task, from how often each run was drawn.
class ResampledTaskMeans {
 public:
  /// Copies the scores.
  explicit ResampledTaskMeans(const Scores& scores)
      : values_(scores.values()), counts_(scores.runs(), scores.tasks()), means_(scores.tasks()) {}

  /// Draws a resample; its means may be reordered and are valid until the next one.
  Vector<double>& operator()(Rng& rng) {
    counts_.setZero();
    draw_runs(counts_.rows(), counts_.cols(), rng, [&](Index, Index run, Index task) { ++counts_(run, task); });
    for (Index task = 0; task < means_.size(); ++task)
      means_[task] = counts_.col(task).cast<double>().dot(values_.col(task)) / static_cast<double>(counts_.rows());
    return means_;
  }

 private:
  Matrix<double> values_;
  Matrix<std::int32_t> counts_;
  Vector<double> means_;
};

/// Trimmed means of resamples, without sorting them: all scores are sorted once, a resample counts how often it drew
/// each, and the counts from both ends say which are cut.
class ResampledTrimmedMean {
 public:
  /// `cut` scores are left out at each end, fewer than half of them.
  ResampledTrimmedMean(const Scores& scores, Index cut)
      : runs_(scores.runs()), cut_(cut), place_(scores.size()), sorted_(scores.size()), counts_(scores.size()) {
    std::vector<Index> order(static_cast<std::size_t>(scores.size()));
    std::iota(order.begin(), order.end(), Index{0});
    const double* values = scores.values().data();
    std::sort(order.begin(), order.end(), [&](Index a, Index b) { return values[a] < values[b]; });
    for (Index k = 0; k < scores.size(); ++k) {
      place_[order[static_cast<std::size_t>(k)]] = k;
      sorted_[k] = values[order[static_cast<std::size_t>(k)]];
    }
  }

  /// Draws a resample and returns its trimmed mean.
  double operator()(Rng& rng) {
    counts_.setZero();
    draw_runs(runs_, place_.size() / runs_, rng,
              [&](Index, Index run, Index task) { ++counts_[place_[task * runs_ + run]]; });
    // The first and the last score that is kept, and how many of each are cut.
    Index first = 0, last = counts_.size() - 1, cut_first = cut_, cut_last = cut_;
    while (counts_[first] <= cut_first) cut_first -= counts_[first++];
    while (counts_[last] <= cut_last) cut_last -= counts_[last--];
    const Index kept = last - first + 1;
    const double sum = counts_.segment(first, kept).cast<double>().dot(sorted_.segment(first, kept)) -
                       static_cast<double>(cut_first) * sorted_[first] - static_cast<double>(cut_last) * sorted_[last];
    return sum / static_cast<double>(counts_.size() - 2 * cut_);
  }

 private:
  Index runs_, cut_;
  Vector<Index> place_;          ///< of each score in `sorted_`
  Vector<double> sorted_;        ///< all scores, ascending
  Vector<std::int32_t> counts_;  ///< how often a resample drew each
};

}  // namespace mellow::statistics

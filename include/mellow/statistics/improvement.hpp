// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <vector>

#include <mellow/statistics/bootstrap.hpp>
#include <mellow/statistics/resampling.hpp>
#include <mellow/statistics/scores.hpp>

namespace mellow::statistics {

namespace detail {

/// P(a run of a scores above a run of b), ties half, averaged over tasks, of two tables and of resamples of both.
///
/// Of each task the distinct scores of both are sorted once. From how often each was drawn, one pass over them gives
/// Mann and Whitney's U: a score of a beats all draws of b before it, and half of those beside it.
class Improvement {
 public:
  Improvement(const Scores& a, const Scores& b)
      : place_a_(a.runs(), a.tasks()), place_b_(b.runs(), b.tasks()), end_(a.tasks()) {
    Index begin = 0;
    for (Index task = 0; task < a.tasks(); ++task) {
      std::vector<double> distinct;
      distinct.insert(distinct.end(), a.values().col(task).begin(), a.values().col(task).end());
      distinct.insert(distinct.end(), b.values().col(task).begin(), b.values().col(task).end());
      std::sort(distinct.begin(), distinct.end());
      distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
      const auto place = [&](double x) {
        return begin + (std::lower_bound(distinct.begin(), distinct.end(), x) - distinct.begin());
      };
      for (Index i = 0; i < a.runs(); ++i) place_a_(i, task) = place(a(i, task));
      for (Index j = 0; j < b.runs(); ++j) place_b_(j, task) = place(b(j, task));
      end_[task] = begin += static_cast<Index>(distinct.size());
    }
    of_a_.resize(begin);
    of_b_.resize(begin);
  }

  /// Of the tables themselves.
  double value() {
    clear();
    for (const Index place : place_a_.reshaped()) ++of_a_[place];
    for (const Index place : place_b_.reshaped()) ++of_b_[place];
    return from_counts();
  }

  /// Of a resample of each.
  double operator()(Rng& rng) {
    clear();
    const auto draw = [&](const Matrix<Index>& place, Vector<double>& counts) {
      draw_runs(place.rows(), place.cols(), rng, [&](Index, Index run, Index task) { ++counts[place(run, task)]; });
    };
    draw(place_a_, of_a_);
    draw(place_b_, of_b_);
    return from_counts();
  }

 private:
  void clear() {
    of_a_.setZero();
    of_b_.setZero();
  }

  double from_counts() const {
    double wins = 0.0;
    Index k = 0;
    for (Index task = 0; task < end_.size(); ++task) {
      double before = 0.0;
      for (; k < end_[task]; ++k) {
        wins += of_a_[k] * (before + 0.5 * of_b_[k]);
        before += of_b_[k];
      }
    }
    return wins / static_cast<double>(place_a_.size() * place_b_.rows());
  }

  Matrix<Index> place_a_, place_b_;  ///< runs x tasks: where a score stands among the distinct scores
  Vector<Index> end_;                ///< of each task's distinct scores
  Vector<double> of_a_, of_b_;       ///< how often each was drawn
};

inline void require_same_tasks(const Scores& a, const Scores& b) {
  require(a.tasks() == b.tasks(), "statistics::probability_of_improvement", "both need the same tasks",
          fmt::format("{} and {}", a.tasks(), b.tasks()));
}

}  // namespace detail

/// The probability that a run of `a` scores higher than one of `b` on a task taken at random: mean over tasks of
/// U / (runs of a x runs of b), U being Mann and Whitney's, with ties as a half (Agarwal et al. 2021, section 4.3).
///
/// Near 0.5 neither is better; it says how surely `a` wins, not by how much. Throws Error where tasks differ.
inline double probability_of_improvement(const Scores& a, const Scores& b) {
  detail::require_same_tasks(a, b);
  return detail::Improvement(a, b).value();
}

/// The same with its interval: the runs of both are resampled independently within each task. Throws Error as
/// bootstrap() does, too.
inline Estimate probability_of_improvement(const Scores& a, const Scores& b, Rng& rng,
                                           const BootstrapOptions& options = {}) {
  constexpr auto where = "statistics::probability_of_improvement";
  options.validate();
  detail::require_same_tasks(a, b);
  detail::require_runs(a, where);
  detail::require_runs(b, where);
  detail::Improvement improvement(a, b);
  auto values = detail::draw_many(options.resamples, where, [&] { return improvement(rng); });
  return detail::percentile_estimate(improvement.value(), values, options.confidence, where);
}

}  // namespace mellow::statistics

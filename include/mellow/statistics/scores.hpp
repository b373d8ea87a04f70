// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <concepts>
#include <span>
#include <utility>
#include <vector>

#include <mellow/core/error.hpp>
#include <mellow/core/types.hpp>

namespace mellow::statistics {

class ResampledScores;

/// The scores of one algorithm, runs x tasks: one number for each run of each task, all finite.
///
/// Statistics over several tasks want comparable scores: normalise them first, so that 0 is random play, say, and 1 is
/// a reference. A matrix or a plain list converts to Scores where one is wanted; a list is the runs of one task.
class Scores {
 public:
  /// From a matrix, runs x tasks. Throws Error for one that is empty or holds a number that is not finite.
  Scores(Matrix<double> values) : values_(std::move(values)) { check(); }

  /// From any matrix of doubles: an expression, a map, a block.
  template <class Derived>
    requires std::same_as<typename Derived::Scalar, double>
  Scores(const Eigen::MatrixBase<Derived>& values) : Scores(Matrix<double>(values)) {}

  /// @{
  /// From the scores of the runs of one task.
  Scores(std::span<const double> values)
      : Scores(Matrix<double>(Eigen::Map<const Matrix<double>>(values.data(), static_cast<Index>(values.size()),
                                                               values.empty() ? 0 : 1))) {}
  Scores(const std::vector<double>& values) : Scores(std::span<const double>(values)) {}
  /// @}

  Index runs() const { return values_.rows(); }                                  ///< runs of each task, > 0
  Index tasks() const { return values_.cols(); }                                 ///< > 0
  Index size() const { return values_.size(); }                                  ///< runs x tasks
  const Matrix<double>& values() const { return values_; }                       ///< runs x tasks
  double operator()(Index run, Index task) const { return values_(run, task); }  ///< one score

  /// Mean over the runs of each task.
  Vector<double> task_means() const { return values_.colwise().mean().transpose(); }

 private:
  friend class ResampledScores;

  void check() const {
    constexpr auto where = "statistics::Scores";
    if (values_.size() == 0)
      throw Error(where, "a table needs a run and a task", fmt::format("{} x {}", runs(), tasks()));
    for (Index task = 0; task < tasks(); ++task)
      for (Index run = 0; run < runs(); ++run)
        if (!std::isfinite(values_(run, task)))
          throw Error(where, fmt::format("the score of run {} of task {} must be finite", run, task),
                      values_(run, task));
  }

  Matrix<double> values_;
};

}  // namespace mellow::statistics

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>

#include <mellow/core/metric.hpp>

namespace mellow::training {

/// Why a run ended.
enum class RunEnd { Budget, ReturnReached, Stopped };

/// Where a run is: what its callbacks see. A figure that does not exist yet is NaN.
struct RunStatus {
  /// What a figure is that does not exist yet.
  static constexpr double none = std::numeric_limits<double>::quiet_NaN();

  std::int64_t step = 0;            ///< environment steps done
  std::int64_t episode = 0;         ///< episodes ended
  double episode_return = none;     ///< undiscounted, of the last episode that ended
  std::int64_t episode_length = 0;  ///< steps of that episode
  double mean_return = none;        ///< over the last 100 episodes
  double evaluation_return = none;  ///< mean of the last evaluation
  double best_return = none;        ///< best evaluation so far
  bool improved = false;            ///< whether the last evaluation is the best so far (ties count)
  std::span<const Metric> metrics;  ///< of the agent's last update
  std::optional<RunEnd> end{};      ///< why the run is over, once it is

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("step", self.step);
    visit("episode", self.episode);
    visit("episode_return", self.episode_return);
    visit("episode_length", self.episode_length);
    visit("mean_return", self.mean_return);
    visit("evaluation_return", self.evaluation_return);
    visit("best_return", self.best_return);
    visit("improved", self.improved);
  }
};

}  // namespace mellow::training

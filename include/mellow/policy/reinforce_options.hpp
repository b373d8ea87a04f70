// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <limits>

#include <mellow/core/error.hpp>
#include <mellow/core/metric.hpp>
#include <mellow/core/types.hpp>

namespace mellow::policy {

/// What is taken from a return before it weighs a step.
enum class Baseline {
  None,       ///< nothing
  MeanReturn  ///< the mean over all steps of the update
};

/// The numbers of REINFORCE; its parts carry their own.
struct ReinforceOptions {
  double discount = 0.99;                    ///< of the return, in [0, 1]
  Index episodes = 10;                       ///< an update, > 0
  Baseline baseline = Baseline::MeanReturn;  ///< taken from the returns
  bool normalize_returns = true;             ///< divides by the returns' standard deviation over the update's steps
  double max_gradient_norm = std::numeric_limits<double>::infinity();  ///< longer gradients are scaled down to it, > 0
  std::uint64_t seed = 0;                                              ///< of the initial parameters

  /// Throws Error for a number out of range.
  void validate() const {
    constexpr auto where = "policy::Reinforce";
    require(discount >= 0 && discount <= 1, where, "discount must lie in [0, 1]", discount);
    require(episodes > 0, where, "episodes must be positive", episodes);
    require(max_gradient_norm > 0, where, "max_gradient_norm must be positive", max_gradient_norm);
  }
};

/// What an update found.
struct ReinforceLearned {
  double loss = std::numeric_limits<double>::quiet_NaN();           ///< -1/B sum A_t log pi(a_t | s_t), B episodes
  double mean_return = std::numeric_limits<double>::quiet_NaN();    ///< mean over episodes of the discounted return
  double entropy = std::numeric_limits<double>::quiet_NaN();        ///< mean of -log pi(a_t | s_t): of the policy
  double gradient_norm = std::numeric_limits<double>::quiet_NaN();  ///< before clipping

  /// The same by name.
  std::array<Metric, 4> metrics() const {
    return {{{"loss", loss}, {"mean_return", mean_return}, {"entropy", entropy}, {"gradient_norm", gradient_norm}}};
  }
};

}  // namespace mellow::policy

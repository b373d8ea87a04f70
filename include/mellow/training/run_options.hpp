// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>

#include <mellow/core/error.hpp>
#include <mellow/core/types.hpp>

namespace mellow::training {

/// The numbers of a run.
struct RunOptions {
  Index steps = 50'000;            ///< budget in environment steps; 0: none
  Index episodes = 0;              ///< budget in episodes; 0: none
  Index evaluate_every = 1'000;    ///< steps between evaluations of the greedy policy (one more at the end); 0: never
  Index evaluation_episodes = 20;  ///< episodes an evaluation
  double stop_at_return = std::numeric_limits<double>::infinity();  ///< ends the run when an evaluation reaches it
  std::uint64_t seed = 0;                                           ///< of everything drawn during the run

  /// Throws Error for a number out of range.
  void validate() const {
    constexpr auto where = "training::train";
    require(steps >= 0, where, "steps must not be negative", steps);
    require(episodes >= 0, where, "episodes must not be negative", episodes);
    require(steps > 0 || episodes > 0, where, "a run needs a budget: steps or episodes must be positive", steps);
    require(evaluate_every >= 0, where, "evaluate_every must not be negative", evaluate_every);
    require(evaluation_episodes > 0, where, "evaluation_episodes must be positive", evaluation_episodes);
  }
};

}  // namespace mellow::training

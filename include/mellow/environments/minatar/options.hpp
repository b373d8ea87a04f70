// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/core/error.hpp>

namespace mellow::environments::minatar {

/// What a player presses. Its number is the action among all six; a button that a game has no use for does nothing.
enum class Button { None, Left, Up, Right, Down, Fire };

/// What the five games have in common. The defaults are the package's, and those of published results.
struct Options {
  double sticky_action_probability = 0.1;  ///< that a step repeats the action before in place of the given one; [0, 1]
  bool difficulty_ramping = true;  ///< whether Asterix, Seaquest and Space Invaders get faster as an episode goes on
  bool minimal_actions = false;    ///< only the buttons that the game has a use for, renumbered: Gymnasium's -v1

  /// Throws Error where a number leaves its range.
  void validate() const {
    require(sticky_action_probability >= 0.0 && sticky_action_probability <= 1.0, "minatar",
            "sticky_action_probability must lie in [0, 1]", sticky_action_probability);
  }
};

}  // namespace mellow::environments::minatar

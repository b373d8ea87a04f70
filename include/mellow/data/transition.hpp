// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/core/environment.hpp>
#include <mellow/core/types.hpp>

namespace mellow {

/// One step of experience, seen in place: what was observed, done, earned, and observed next.
///
/// `terminated`: nothing lies beyond `next_observation`. `truncated`: the episode was cut there, but its value counts.
/// A view: it must not outlive what it sees. `ObservationView` is an Index for environments with discrete observations.
template <class Action = Index, class ObservationView = ConstVectorRef<float>>
struct Transition {
  ObservationView observation;       ///< before the action
  const Action& action;              ///< what was done
  double reward;                     ///< what it earned
  ObservationView next_observation;  ///< after the action
  bool terminated = false;           ///< the task ended
  bool truncated = false;            ///< the episode was cut short
  ActionMask next_allowed{};         ///< which actions the environment allows next; empty: all
};

}  // namespace mellow

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/core/types.hpp>

namespace mellow {

/// One step of experience, seen in place: what was observed, done, earned, and observed next.
///
/// `terminated`: nothing lies beyond `next_observation`. `truncated`: the episode was cut there, but its value counts.
template <class Action = Index>
struct Transition {
  ConstVectorRef<float> observation;
  const Action& action;
  double reward;
  ConstVectorRef<float> next_observation;
  bool terminated = false;
  bool truncated = false;
};

}  // namespace mellow

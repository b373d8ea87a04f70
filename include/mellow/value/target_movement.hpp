// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/core/parts.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/core/running_mean.hpp>
#include <mellow/core/types.hpp>

namespace mellow::value {

/// Measures how far the target moves, |theta_{t+1} - theta_t| from one change to the next, and changes nothing: the
/// quantity that a pull towards the target makes smaller (Asadi et al. 2022, figure of four games). To be read as
/// `agent.state<value::TargetMovement>()`.
struct TargetMovement {
  using role = roles::Hook;

  /// What it finds out.
  template <class Scalar>
  struct State {
    RunningMean distance;   ///< Euclidean, over all changes
    double last = 0.0;      ///< the distance at the last change
    Vector<Scalar> target;  ///< as the last change left it

    template <class Self, class Visit>
    static void visit_state(Self& self, Visit&& visit) {
      visit("distance", self.distance);
      visit("last", self.last);
      visit("target", self.target);
    }
  };

  /// Remembers where the target begins.
  template <class Scalar, class Learner>
  void before_step(State<Scalar>& state, Learner& learner, Rng&) const {
    if (state.target.size() != learner.target.size()) state.target = learner.target;
  }

  /// Measures the change.
  template <class Scalar, class Learner>
  void after_target_change(State<Scalar>& state, Learner& learner, Rng&) const {
    state.last = (learner.target - state.target).norm();
    state.distance.add(state.last);
    state.target = learner.target;
  }
};

}  // namespace mellow::value

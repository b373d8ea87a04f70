// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/core/error.hpp>
#include <mellow/core/parts.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/core/types.hpp>
#include <mellow/nn/parts.hpp>

namespace mellow::value {

/// Makes the optimiser forget earlier gradients, at each change of the target if nothing else is said (Asadi, Fakoor &
/// Sabach 2023, algorithm 1): a new target is a new loss, on which the moments of the former one are misleading.
/// Parameters, replay and the learning rate's schedule are left alone.
///
///     value::Dqn agent(network, {}, value::ResetOptimizer{});                     // at each change of the target
///     value::Dqn agent(network, {}, value::ResetOptimizer{.every = 200});         // by updates
///     value::Dqn agent(network, {}, value::ResetOptimizer{.moments = {.first = false}});  // the second moment alone
///
/// With `Polyak` the target changes at every update, and each step would be a first step: give `every`.
struct ResetOptimizer {
  using role = roles::Hook;

  nn::Moments moments = {};  ///< what is forgotten
  Index every = 0;           ///< updates between resets, >= 0; 0: at each change of the target
  bool at_random = false;    ///< in place of that after each update with probability 1 / every: as many on average

  /// What it changes during a run.
  template <class Scalar>
  struct State {
    Index resets = 0;  ///< so far

    template <class Self, class Visit>
    static void visit_state(Self& self, Visit&& visit) {
      visit("resets", self.resets);
    }
  };

  /// Throws Error for numbers out of range.
  void validate() const {
    require(every >= 0, "value::ResetOptimizer", "every must not be negative", every);
    require(!at_random || every > 0, "value::ResetOptimizer", "resets at random need a positive `every`", every);
    require(moments.first || moments.second || moments.counters, "value::ResetOptimizer",
            "moments name nothing to be forgotten", "none");
  }

  /// Says in words what the optimiser lacks.
  template <class Learner>
  static consteval void check() {
    static_assert(nn::ForgetfulState<decltype(Learner::optimizer_state)>,
                  "mellow: ResetOptimizer needs an optimiser whose State has forget(nn::Moments)");
  }

  /// Resets by updates or at random, where that is asked for.
  template <class Scalar, class Learner>
  void after_step(State<Scalar>& state, Learner& learner, Rng& rng) const {
    if (every == 0) return;
    if (at_random ? rng.below(every) == 0 : learner.counters.updates % every == 0) reset(state, learner);
  }

  /// Resets at a change of the target, where nothing else is asked for.
  template <class Scalar, class Learner>
  void after_target_change(State<Scalar>& state, Learner& learner, Rng&) const {
    if (every == 0) reset(state, learner);
  }

 private:
  template <class Scalar, class Learner>
  void reset(State<Scalar>& state, Learner& learner) const {
    if constexpr (nn::ForgetfulState<decltype(learner.optimizer_state)>) learner.optimizer_state.forget(moments);
    ++state.resets;
  }
};

}  // namespace mellow::value

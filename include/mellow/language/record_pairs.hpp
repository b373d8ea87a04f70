// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include <mellow/core/error.hpp>
#include <mellow/language/preference_training_options.hpp>
#include <mellow/preference/pair_history.hpp>

namespace mellow::language {

/// A callback of `training::fit` that keeps what a training on pairs does to their probability: at the given steps, and
/// before the first, the log-probabilities of all pairs under the model and the reference. `preference::diagnose` reads
/// its history.
///
///     language::RecordPairs record(learner, {31, 62, 93, 124});
///     training::fit(learner, {.steps = 124}, record);
///     const auto found = preference::diagnose(record.history(), rng);
///
/// A second one with `RecordedPairs::HeldOut` keeps the same of the held-out pairs.
/// Its state is visited, so that a run that is taken up goes on with the history it had.
template <class Learner>
class RecordPairs {
 public:
  /// Records `learner`, which must outlive it, as it is. Throws Error for steps that are not positive and ascending.
  RecordPairs(Learner& learner, std::vector<Index> steps, RecordedPairs which = RecordedPairs::Training)
      : learner_(&learner), which_(which), steps_(std::move(steps)) {
    for (std::size_t k = 0; k < steps_.size(); ++k)
      require(steps_[k] > (k == 0 ? 0 : steps_[k - 1]), "language::RecordPairs", "steps must be positive and ascending",
              steps_[k]);
    learner_->record(0, before_, which_);
    after_.pairs = before_.pairs;
    after_.chosen_tokens = before_.chosen_tokens;
    after_.rejected_tokens = before_.rejected_tokens;
  }

  /// Records where the step is one of those.
  template <class Status>
  void on_step(const Status& status) {
    if (!std::ranges::binary_search(steps_, status.step)) return;
    if (after_.steps.empty()) after_ = before_;
    learner_->record(status.step, after_, which_);
  }

  const preference::PairHistory& history() const { return after_.steps.empty() ? before_ : after_; }  ///< so far

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("steps", self.after_.steps);
    visit("chosen", self.after_.chosen);
    visit("rejected", self.after_.rejected);
    visit("reference_chosen", self.after_.reference_chosen);
    visit("reference_rejected", self.after_.reference_rejected);
    visit("clipped", self.after_.clipped);
  }

 private:
  Learner* learner_;
  RecordedPairs which_;
  std::vector<Index> steps_;
  preference::PairHistory before_;  // the first step alone
  preference::PairHistory after_;   // all, once another was recorded; a checkpoint fills what is empty
};

}  // namespace mellow::language

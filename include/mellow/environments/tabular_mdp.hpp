// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <span>
#include <utility>
#include <vector>

#include <mellow/environments/tabular_model.hpp>

namespace mellow::environments {

/// A model that stores the outcomes of each state and action one after another: memory and planning time grow with the
/// outcomes there are, not with states squared. Prefer it unless most states lead to most others.
class TabularMdp {
 public:
  /// Asks `outcomes(state, action)` for a std::vector<Outcome> once for each state and action. `start` holds a
  /// probability for each state; empty: episodes start in state 0.
  ///
  /// Throws Error, naming state and action, unless probabilities are not negative and sum to 1 (to 1e-9), next states
  /// exist and rewards are finite.
  template <std::invocable<Index, Index> F>
  TabularMdp(Index states, Index actions, F&& outcomes, Vector<double> start = {})
      : states_(states), actions_(actions), start_(std::move(start)) {
    detail::require_size("TabularMdp", states, actions);
    if (start_.size() == 0) start_ = Vector<double>::Unit(states, 0);
    detail::require_start("TabularMdp", start_, states);
    first_.reserve(static_cast<std::size_t>(states * actions + 1));
    for (Index s = 0; s < states; ++s)
      for (Index a = 0; a < actions; ++a) {
        first_.push_back(outcomes_.size());
        const std::vector<Outcome> given = outcomes(s, a);
        validate(s, a, given);
        outcomes_.insert(outcomes_.end(), given.begin(), given.end());
      }
    first_.push_back(outcomes_.size());
  }

  Index states() const { return states_; }                ///< how many
  Index actions() const { return actions_; }              ///< how many
  const Vector<double>& start() const { return start_; }  ///< probability of each state to begin in: states

  /// What may follow an action, in the order given.
  std::span<const Outcome> outcomes(Index state, Index action) const {
    const auto row = static_cast<std::size_t>(state * actions_ + action);
    return std::span(outcomes_).subspan(first_[row], first_[row + 1] - first_[row]);
  }

 private:
  void validate(Index state, Index action, const std::vector<Outcome>& given) const;

  Index states_, actions_;
  Vector<double> start_;
  std::vector<std::size_t> first_;  // of each state and action, in outcomes_
  std::vector<Outcome> outcomes_;
};

inline void TabularMdp::validate(Index state, Index action, const std::vector<Outcome>& given) const {
  const auto fault = [&](const char* problem, auto value) {
    throw Error("TabularMdp", fmt::format("state {}, action {}: {}", state, action, problem), value);
  };
  double total = 0.0;
  for (const Outcome& outcome : given) {
    if (!(outcome.probability >= 0.0)) fault("a probability must not be negative", outcome.probability);
    if (outcome.next < 0 || outcome.next >= states_) fault("the next state does not exist", outcome.next);
    if (!std::isfinite(outcome.reward)) fault("the reward must be finite", outcome.reward);
    total += outcome.probability;
  }
  if (!(std::abs(total - 1.0) <= detail::probability_tolerance)) fault("probabilities must sum to 1", total);
}

}  // namespace mellow::environments

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <ranges>
#include <utility>
#include <vector>

#include <mellow/environments/tabular_model.hpp>

namespace mellow::environments {

/// A model as matrices, for linear algebra and for small models in which most states lead to most others.
///
/// `transitions(a)` is states x states, row s the probabilities of the next state; what a row lacks to 1 ends the
/// episode. `rewards()` is actions x states: the expected reward of each action.
class DenseMdp {
 public:
  /// states x states, a row a state.
  using TransitionMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

  /// One transition matrix an action. `start` as for `TabularMdp`.
  ///
  /// Throws Error, naming state and action, unless probabilities are not negative and sum to at most 1 and rewards are
  /// finite.
  DenseMdp(std::vector<TransitionMatrix> transitions, Matrix<double> rewards, Vector<double> start = {})
      : transitions_(std::move(transitions)), rewards_(std::move(rewards)), start_(std::move(start)) {
    detail::require_size("DenseMdp", states(), actions());
    if (start_.size() == 0) start_ = Vector<double>::Unit(states(), 0);
    detail::require_start("DenseMdp", start_, states());
    require(static_cast<Index>(transitions_.size()) == actions(), "DenseMdp",
            fmt::format("it needs a transition matrix for each of {} actions", actions()), transitions_.size());
    for (Index a = 0; a < actions(); ++a) validate(a);
  }

  /// The matrices of another model.
  template <TabularModel M>
  explicit DenseMdp(const M& model)
      : transitions_(static_cast<std::size_t>(model.actions()), TransitionMatrix::Zero(model.states(), model.states())),
        rewards_(Matrix<double>::Zero(model.actions(), model.states())),
        start_(model.start()) {
    for (Index s = 0; s < states(); ++s)
      for (Index a = 0; a < actions(); ++a)
        for (const Outcome& outcome : model.outcomes(s, a)) {
          rewards_(a, s) += outcome.probability * outcome.reward;
          if (!outcome.terminated) transitions_[static_cast<std::size_t>(a)](s, outcome.next) += outcome.probability;
        }
  }

  Index states() const { return rewards_.cols(); }        ///< how many
  Index actions() const { return rewards_.rows(); }       ///< how many
  const Vector<double>& start() const { return start_; }  ///< probability of each state to begin in: states

  /// Row s: the probabilities of the state after s and this action.
  const TransitionMatrix& transitions(Index action) const { return transitions_[static_cast<std::size_t>(action)]; }
  const Matrix<double>& rewards() const { return rewards_; }  ///< actions x states: expected reward

  /// One outcome a state, of which some may have probability 0, and one for the end of the episode.
  auto outcomes(Index state, Index action) const {
    const auto* row = &transitions(action).coeffRef(state, 0);
    const double reward = rewards_(action, state);
    const Index n = states();
    return std::views::iota(Index{0}, n + 1) | std::views::transform([=](Index next) {
             if (next < n) return Outcome{row[next], next, reward, false};
             double ends = 1.0;
             for (Index s = 0; s < n; ++s) ends -= row[s];
             return Outcome{std::max(0.0, ends), state, reward, true};
           });
  }

 private:
  void validate(Index action) const;

  std::vector<TransitionMatrix> transitions_;
  Matrix<double> rewards_;
  Vector<double> start_;
};

inline void DenseMdp::validate(Index action) const {
  const TransitionMatrix& p = transitions(action);
  if (p.rows() != states() || p.cols() != states())
    throw Error("DenseMdp", fmt::format("action {}: the transition matrix must be {} x {}", action, states(), states()),
                fmt::format("{} x {}", p.rows(), p.cols()));
  for (Index s = 0; s < states(); ++s) {
    const auto fault = [&](const char* problem, double value) {
      throw Error("DenseMdp", fmt::format("state {}, action {}: {}", s, action, problem), value);
    };
    if (!(p.row(s).minCoeff() >= 0.0)) fault("a probability must not be negative", p.row(s).minCoeff());
    if (!(p.row(s).sum() <= 1.0 + detail::probability_tolerance))
      fault("probabilities must sum to at most 1", p.row(s).sum());
    if (!std::isfinite(rewards_(action, s))) fault("the reward must be finite", rewards_(action, s));
  }
}

}  // namespace mellow::environments

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>

#include <mellow/core/error.hpp>
#include <mellow/core/types.hpp>
#include <mellow/environments/tabular_model.hpp>
#include <mellow/operators/max.hpp>

namespace mellow::models {

using environments::TabularModel;

/// The numbers of a planner.
struct PlanOptions {
  double discount = 0.99;          ///< of the next state's value, in [0, 1]
  double tolerance = 1e-6;         ///< a plan has converged when its values change by no more, >= 0
  Index max_iterations = 100'000;  ///< > 0

  /// Throws Error for a number out of range.
  void validate() const {
    constexpr auto where = "models::PlanOptions";
    require(discount >= 0 && discount <= 1, where, "discount must lie in [0, 1]", discount);
    require(tolerance >= 0, where, "tolerance must not be negative", tolerance);
    require(max_iterations > 0, where, "max_iterations must be positive", max_iterations);
  }
};

/// What a planner found.
struct Plan {
  Matrix<double> q;        ///< actions x states: value of each action
  Index iterations = 0;    ///< sweeps over all states; of prioritized sweeping, states backed up
  double residual = 0.0;   ///< the last sweep's largest change of a value
  bool converged = false;  ///< whether the residual fell below the tolerance
};

/// What planners back up values by: `op(q) -> value`, for the values q of a state's actions (operators::Max, Mellowmax,
/// one of your own).
template <class Op>
concept BackupOperator = requires(const Op op, const Matrix<double> q) {
  { op(q.col(0)) } -> std::convertible_to<double>;
};

/// The best action of each state, the first of equals.
inline Vector<Index> greedy_policy(const ConstMatrixRef<double>& q) {
  Vector<Index> policy(q.cols());
  for (Index s = 0; s < q.cols(); ++s) policy[s] = operators::argmax(q.col(s));
  return policy;
}

/// A policy that takes one action a state, as probabilities: actions x states.
inline Matrix<double> as_probabilities(const Vector<Index>& policy, Index actions) {
  Matrix<double> pi = Matrix<double>::Zero(actions, policy.size());
  for (Index s = 0; s < policy.size(); ++s) {
    if (policy[s] < 0 || policy[s] >= actions)
      throw Error("models::as_probabilities", fmt::format("state {}: the action does not exist", s), policy[s]);
    pi(policy[s], s) = 1.0;
  }
  return pi;
}

/// The value of each state under an operator: op(q.col(s)).
template <BackupOperator Op>
Vector<double> state_values(const Matrix<double>& q, const Op& op) {
  Vector<double> v(q.cols());
  for (Index s = 0; s < q.cols(); ++s) v[s] = op(q.col(s));
  return v;
}

/// The value of each action, actions x states, where the next states' values are v.
template <TabularModel M>
Matrix<double> action_values(const M& model, const ConstVectorRef<double>& v, double discount) {
  Matrix<double> q(model.actions(), model.states());
  for (Index s = 0; s < model.states(); ++s)
    for (Index a = 0; a < model.actions(); ++a) q(a, s) = lookahead(model, s, a, discount, v);
  return q;
}

}  // namespace mellow::models

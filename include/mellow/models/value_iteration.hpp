// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <utility>

#include <mellow/core/parts.hpp>
#include <mellow/models/plan.hpp>

namespace mellow::models {

/// Generalised value iteration (Littman & Szepesvari 1996; Asadi & Littman 2017, algorithm 2): sweeps
///
///     Q(s, a) <- sum_s' P(s'|s, a) (R(s, a, s') + discount op(Q(s', .)))
///
/// in place, state by state and action by action, until no value changes by `tolerance`. Starts from `q` (actions x
/// states), or from 0 where that is empty. The fixed point is unique where op is a non-expansion and discount < 1 (max,
/// mean, mellowmax; not Boltzmann). Throws Error for options out of range or a q of another shape.
template <TabularModel M, BackupOperator Op>
Plan generalized_value_iteration(const M& model, const Op& op, const PlanOptions& options = {}, Matrix<double> q = {}) {
  options.validate();
  validate_part(op);
  if (q.size() == 0) q = Matrix<double>::Zero(model.actions(), model.states());
  if (q.rows() != model.actions() || q.cols() != model.states())
    throw Error("models::generalized_value_iteration",
                fmt::format("q must be actions x states, {} x {}", model.actions(), model.states()),
                fmt::format("{} x {}", q.rows(), q.cols()));
  Plan plan{.q = std::move(q)};
  Vector<double> v = state_values(plan.q, op);
  while (!plan.converged && plan.iterations < options.max_iterations) {
    plan.residual = 0.0;
    for (Index s = 0; s < model.states(); ++s)
      for (Index a = 0; a < model.actions(); ++a) {
        const double old = plan.q(a, s);
        plan.q(a, s) = lookahead(model, s, a, options.discount, v);
        v[s] = op(plan.q.col(s));
        plan.residual = std::max(plan.residual, std::abs(plan.q(a, s) - old));
      }
    ++plan.iterations;
    plan.converged = plan.residual <= options.tolerance;
  }
  return plan;
}

/// Value iteration (Bellman 1957): the above with the maximum. The values are within tolerance x discount / (1 -
/// discount) of the best.
template <TabularModel M>
Plan value_iteration(const M& model, const PlanOptions& options = {}) {
  return generalized_value_iteration(model, operators::Max{}, options);
}

}  // namespace mellow::models

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/models/policy_evaluation.hpp>

namespace mellow::models {

/// Policy iteration (Howard 1960): evaluates a policy exactly and makes it greedy, until no other action is better by
/// more than `tolerance`. Few iterations, each with a linear system; starts from the first action everywhere.
///
/// The result's q are the values of the last policy's actions, its residual the largest gain that is left. Throws Error
/// for options out of range, or where a policy on the way need not end and discount is 1.
template <TabularModel M>
Plan policy_iteration(const M& model, const PlanOptions& options = {}) {
  options.validate();
  Plan plan;
  Vector<Index> policy = Vector<Index>::Zero(model.states());
  while (!plan.converged && plan.iterations < options.max_iterations) {
    const Vector<double> v =
        exact_policy_evaluation(model, as_probabilities(policy, model.actions()), options.discount);
    plan.q = action_values(model, v, options.discount);
    plan.residual = 0.0;
    for (Index s = 0; s < model.states(); ++s) {
      const Index best = operators::argmax(plan.q.col(s));
      const double gain = plan.q(best, s) - plan.q(policy[s], s);
      plan.residual = std::max(plan.residual, gain);
      if (gain > options.tolerance) policy[s] = best;  // equals stay, so that it ends
    }
    ++plan.iterations;
    plan.converged = plan.residual <= options.tolerance;
  }
  return plan;
}

}  // namespace mellow::models

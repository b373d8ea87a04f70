// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/LU>

#include <algorithm>
#include <cmath>

#include <mellow/models/plan.hpp>

namespace mellow::models {

namespace detail {
template <TabularModel M>
void require_policy(const M& model, const ConstMatrixRef<double>& policy) {
  if (policy.rows() != model.actions() || policy.cols() != model.states())
    throw Error("models::policy_evaluation",
                fmt::format("the policy must be actions x states, {} x {}", model.actions(), model.states()),
                fmt::format("{} x {}", policy.rows(), policy.cols()));
  for (Index s = 0; s < policy.cols(); ++s)
    if (!(policy.col(s).minCoeff() >= 0 && std::abs(policy.col(s).sum() - 1) <= 1e-9))
      throw Error("models::policy_evaluation",
                  fmt::format("state {}: probabilities must not be negative and sum to 1", s), policy.col(s).sum());
}
}  // namespace detail

/// What iterative policy evaluation found.
struct Evaluation {
  Vector<double> v;        ///< states: value of each
  Index iterations = 0;    ///< sweeps over all states
  double residual = 0.0;   ///< the last sweep's largest change of a value
  bool converged = false;  ///< whether the residual fell below the tolerance
};

/// Values of a policy (actions x states, columns sum to 1) by sweeps in place,
///
///     v(s) <- sum_a pi(a|s) sum_s' P(s'|s, a) (R(s, a, s') + discount v(s'))
///
/// until none changes by `tolerance`. Prefer it to the exact form for many states. Throws Error for options out of
/// range or what is not a policy.
template <TabularModel M>
Evaluation policy_evaluation(const M& model, const ConstMatrixRef<double>& policy, const PlanOptions& options = {}) {
  options.validate();
  detail::require_policy(model, policy);
  Evaluation result{.v = Vector<double>::Zero(model.states())};
  while (!result.converged && result.iterations < options.max_iterations) {
    result.residual = 0.0;
    for (Index s = 0; s < model.states(); ++s) {
      double value = 0.0;
      for (Index a = 0; a < model.actions(); ++a)
        if (policy(a, s) > 0) value += policy(a, s) * lookahead(model, s, a, options.discount, result.v);
      result.residual = std::max(result.residual, std::abs(value - result.v[s]));
      result.v[s] = value;
    }
    ++result.iterations;
    result.converged = result.residual <= options.tolerance;
  }
  return result;
}

/// Values of a policy from the linear system (I - discount P_pi) v = r_pi, by LU; time grows with states cubed.
///
/// Throws Error for what is not a policy, or where the system is singular: discount 1 and a policy under which an
/// episode need not end.
template <TabularModel M>
Vector<double> exact_policy_evaluation(const M& model, const ConstMatrixRef<double>& policy, double discount) {
  PlanOptions{.discount = discount}.validate();
  detail::require_policy(model, policy);
  const Index n = model.states();
  Matrix<double> system = Matrix<double>::Identity(n, n);
  Vector<double> rewards = Vector<double>::Zero(n);
  for (Index s = 0; s < n; ++s)
    for (Index a = 0; a < model.actions(); ++a) {
      if (policy(a, s) == 0) continue;
      for (const environments::Outcome& outcome : model.outcomes(s, a)) {
        const double probability = policy(a, s) * outcome.probability;
        rewards[s] += probability * outcome.reward;
        if (!outcome.terminated) system(s, outcome.next) -= discount * probability;
      }
    }
  const Eigen::PartialPivLU<Matrix<double>> factors(system);
  require(factors.rcond() > 1e-14, "models::exact_policy_evaluation",
          "under this policy an episode need not end: use a discount below 1", discount);
  return factors.solve(rewards);
}

}  // namespace mellow::models

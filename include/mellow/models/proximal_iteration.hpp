// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include <mellow/core/error.hpp>
#include <mellow/models/bregman.hpp>
#include <mellow/models/plan.hpp>
#include <mellow/models/policy_evaluation.hpp>

namespace mellow::models {

/// The numbers of a proximal operator.
struct ProximalOptions {
  double c = 1.0;          ///< how far values may go from where they are, > 0; infinity: as the backup says
  Index applications = 1;  ///< n, times that the Bellman operator is applied before, > 0

  /// Throws Error for a number out of range.
  void validate() const {
    require(c > 0, "models::ProximalOptions", "c must be positive", c);
    require(applications > 0, "models::ProximalOptions", "applications must be positive", applications);
  }
};

/// (T^pi)^n v: the Bellman operator of a policy (actions x states), applied n times to all states at once.
template <TabularModel M>
Vector<double> policy_backup(const M& model, const ConstMatrixRef<double>& policy, Vector<double> v, double discount,
                             Index n = 1) {
  for (Index i = 0; i < n; ++i)
    v = action_values(model, v, discount).cwiseProduct(policy).colwise().sum().transpose().eval();
  return v;
}

/// (T*)^n v: the Bellman optimality operator, applied n times to all states at once.
template <TabularModel M>
Vector<double> optimality_backup(const M& model, Vector<double> v, double discount, Index n = 1) {
  for (Index i = 0; i < n; ++i) v = state_values(action_values(model, v, discount), operators::Max{});
  return v;
}

namespace detail {
/// v <- the proximal values of backup(v), until no value changes by the tolerance.
template <TabularModel M, BregmanGenerator F, class Backup>
Evaluation proximal_iteration(const M& model, const ProximalOptions& proximal, const PlanOptions& options,
                              Vector<double> v, const F& f, const Backup& backup) {
  proximal.validate();
  options.validate();
  if (v.size() == 0) v = Vector<double>::Zero(model.states());
  if (v.size() != model.states())
    throw Error("models::proximal_iteration", fmt::format("v needs a value for each of {} states", model.states()),
                v.size());
  Evaluation result{.v = std::move(v)};
  while (!result.converged && result.iterations < options.max_iterations) {
    Vector<double> next = proximal_values(f, backup(result.v), result.v, proximal.c);
    result.residual = (next - result.v).cwiseAbs().maxCoeff();
    result.v.swap(next);
    ++result.iterations;
    result.converged = result.residual <= options.tolerance;
  }
  return result;
}
}  // namespace detail

/// Values of a policy (actions x states) by its proximal Bellman operator (Asadi et al. 2022),
///
///     v <- argmin_x |x - (T^pi)^n v|^2 + D_f(x, v) / c
///
/// from `v`, or 0 where that is empty, until no value changes by `tolerance`. A contraction towards the policy's values:
/// for the squared distance by (1 - beta) discount^n + beta with beta = 1 / (1 + c). So it is slower than without; where
/// backups are noisy, it averages the noise away. Throws Error for options out of range, what is not a policy, or values outside of f's domain.
template <TabularModel M, BregmanGenerator F = SquaredDistance>
Evaluation proximal_policy_evaluation(const M& model, const ConstMatrixRef<double>& policy,
                                      const ProximalOptions& proximal, const PlanOptions& options = {},
                                      Vector<double> v = {}, const F& f = {}) {
  detail::require_policy(model, policy);
  return detail::proximal_iteration(model, proximal, options, std::move(v), f, [&](const Vector<double>& from) {
    return policy_backup(model, policy, from, options.discount, proximal.applications);
  });
}

/// Proximal value iteration: the same with (T*)^n, towards the best values.
template <TabularModel M, BregmanGenerator F = SquaredDistance>
Evaluation proximal_value_iteration(const M& model, const ProximalOptions& proximal, const PlanOptions& options = {},
                                    Vector<double> v = {}, const F& f = {}) {
  return detail::proximal_iteration(model, proximal, options, std::move(v), f, [&](const Vector<double>& from) {
    return optimality_backup(model, from, options.discount, proximal.applications);
  });
}

/// Proximal modified policy iteration: makes the policy greedy, then applies its operator (T^pi)^n once. With n = 1 it is
/// proximal value iteration.
template <TabularModel M, BregmanGenerator F = SquaredDistance>
Evaluation proximal_policy_iteration(const M& model, const ProximalOptions& proximal, const PlanOptions& options = {},
                                     Vector<double> v = {}, const F& f = {}) {
  return detail::proximal_iteration(model, proximal, options, std::move(v), f, [&](const Vector<double>& from) {
    const Vector<Index> greedy = greedy_policy(action_values(model, from, options.discount));
    return policy_backup(model, as_probabilities(greedy, model.actions()), from, options.discount,
                         proximal.applications);
  });
}

}  // namespace mellow::models

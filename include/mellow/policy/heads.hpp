// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>

#include <mellow/core/parts.hpp>
#include <mellow/core/types.hpp>
#include <mellow/operators/boltzmann.hpp>
#include <mellow/operators/mellowmax_policy.hpp>

/// What the outputs x of a policy's network mean: the probabilities of discrete actions.
namespace mellow::policy {

/// pi(a | s) = exp(beta x(a)) / sum_b exp(beta x(b)): the head of most policy-gradient methods.
struct SoftmaxHead {
  using role = roles::Head;

  double beta = 1.0;  ///< inverse temperature; finite, not 0

  /// Throws Error for a number out of range.
  void validate() const {
    require(std::isfinite(beta) && beta != 0.0, "policy::SoftmaxHead", "beta must be finite and not 0", beta);
  }

  /// Writes pi, one probability an action.
  template <class Derived>
  void probabilities(const Eigen::DenseBase<Derived>& x, VectorRef<typename Derived::Scalar> pi) const {
    operators::Boltzmann{beta}.probabilities(x, pi);
  }

  /// Writes d log pi(action) / d x = beta (1[i = action] - pi_i) and returns log pi(action).
  template <class Derived>
  double log_probability_gradient(const Eigen::DenseBase<Derived>& x, Index action,
                                  VectorRef<typename Derived::Scalar> out) const {
    return operators::Boltzmann{beta}.log_probability_gradient(x, action, out);
  }
};

/// The maximum-entropy distribution whose mean output is mm_omega(x) (Asadi & Littman 2017, sections 5 and 7.3): a
/// softmax whose inverse temperature depends on the outputs, see operators::MellowmaxPolicy. The farther these lie
/// apart, the lower it is, so that the policy keeps trying every action.
struct MellowmaxHead {
  using role = roles::Head;

  double omega = 5.0;  ///< sharpness of the mellowmax; finite, not 0
  /// Whether the gradient goes through the inverse temperature; the paper does not say.
  operators::TemperatureGradient temperature_gradient = operators::TemperatureGradient::Implicit;

  /// Throws Error for a number out of range.
  void validate() const { operators::MellowmaxPolicy{omega}.validate(); }

  /// Writes pi, one probability an action.
  template <class Derived>
  void probabilities(const Eigen::DenseBase<Derived>& x, VectorRef<typename Derived::Scalar> pi) const {
    operators::MellowmaxPolicy{omega}.probabilities(x, pi);
  }

  /// Writes d log pi(action) / d x, with or without what goes through the inverse temperature, and returns
  /// log pi(action).
  template <class Derived>
  double log_probability_gradient(const Eigen::DenseBase<Derived>& x, Index action,
                                  VectorRef<typename Derived::Scalar> out) const {
    return operators::MellowmaxPolicy{omega}.log_probability_gradient(x, action, temperature_gradient, out);
  }
};

/// What policy gradients ask of `roles::Head`: `probabilities(x, pi)` and
/// `log_probability_gradient(x, action, out) -> log pi(action)`, for the outputs x of the allowed actions.
template <class P, class Scalar>
concept PolicyHead = requires(const P part, const Vector<Scalar> x, Vector<Scalar> out) {
  part.probabilities(x, out);
  { part.log_probability_gradient(x, Index{}, out) } -> std::convertible_to<double>;
};

}  // namespace mellow::policy

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/core/error.hpp>
#include <mellow/core/parts.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/core/schedule.hpp>
#include <mellow/operators/max.hpp>

namespace mellow::operators {

/// With probability epsilon a uniformly random action, else the greedy one.
///
/// Works for whatever actions the choice offers (`greedy()`, `random(rng)`): the values are not even computed for a
/// random action.
struct EpsilonGreedy {
  using role = roles::Exploration;

  Schedule epsilon = linear(1.0, 0.05, 10'000);  ///< in [0, 1], by environment steps

  /// Throws Error for a number out of range.
  void validate() const {
    require(epsilon.minimum() >= 0.0, "EpsilonGreedy", "epsilon must lie in [0, 1]", epsilon.minimum());
    require(epsilon.maximum() <= 1.0, "EpsilonGreedy", "epsilon must lie in [0, 1]", epsilon.maximum());
  }

  /// Takes a random or the greedy action of a choice.
  template <class Choice>
  auto choose(Choice&& choice, Index step, Rng& rng) const {
    return rng.uniform() < epsilon(step) ? choice.random(rng) : choice.greedy();
  }

  /// Writes the probability of each action at values q after `step` steps.
  template <class Derived>
  void probabilities(const Eigen::DenseBase<Derived>& q, Index step, VectorRef<typename Derived::Scalar> pi) const {
    using Scalar = typename Derived::Scalar;
    pi.setConstant(static_cast<Scalar>(epsilon(step) / static_cast<double>(q.size())));
    pi[argmax(q)] += static_cast<Scalar>(1.0 - epsilon(step));
  }
};

}  // namespace mellow::operators

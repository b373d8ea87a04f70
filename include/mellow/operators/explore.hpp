// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/core/parts.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/core/types.hpp>

namespace mellow::operators {

/// A policy over discrete actions: `probabilities(q, pi)` writes the probability of each action from their values.
template <class P>
concept Policy = requires(const P policy, const Vector<double> q, Vector<double> pi) { policy.probabilities(q, pi); };

/// Explores by drawing each action from a policy: `explore(Boltzmann{.beta = 2})`.
template <Policy P>
struct Explore {
  using role = roles::Exploration;

  P policy;  ///< what actions are drawn from

  /// Throws Error where the policy's numbers are out of range.
  void validate() const { validate_part(policy); }

  /// What is reused from choice to choice.
  template <class Scalar>
  struct State {
    Vector<Scalar> probabilities;  ///< of the last choice

    template <class Self, class Visit>
    static void visit_state(Self&, Visit&&) {}  // rewritten by every choice
  };

  /// Draws one of the choice's actions.
  template <class Scalar, class Choice>
  Index choose(State<Scalar>& state, Choice&& choice, Index, Rng& rng) const {
    const auto q = choice.values();
    state.probabilities.resize(q.size());
    policy.probabilities(q, state.probabilities);
    return choice.action(rng.categorical(state.probabilities));
  }

  /// Writes the probability of each action at values q.
  template <class Derived>
  void probabilities(const Eigen::DenseBase<Derived>& q, Index, VectorRef<typename Derived::Scalar> pi) const {
    policy.probabilities(q.derived(), pi);
  }
};

/// Makes a policy an exploration part.
template <Policy P>
Explore<P> explore(const P& policy) {
  return {policy};
}

}  // namespace mellow::operators

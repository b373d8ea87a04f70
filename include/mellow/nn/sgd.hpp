// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/core/parts.hpp>
#include <mellow/nn/moments.hpp>
#include <mellow/nn/optimizer_loop.hpp>
#include <mellow/nn/parameter_layout.hpp>
#include <mellow/nn/weight_decay.hpp>

namespace mellow::nn {

/// Stochastic gradient descent, with PyTorch's forms of momentum (Polyak 1964, Nesterov 1983) and weight decay:
///
///     d = g + weight_decay theta                         (decaying parameters, see DecayMask)
///     m = momentum m + (1 - dampening) d                 (the first step: m = d)
///     theta -= learning_rate (nesterov ? d + momentum m : m)
///
/// As it stands theta -= learning_rate g. Choose it where the step must be proportional to the gradient, as theory
/// often asks; Adam needs less tuning.
struct Sgd {
  using role = roles::Optimizer;

  /// What the momentum does to the step.
  enum class Momentum { Classical, Nesterov };

  Schedule learning_rate = 1e-2;        ///< >= 0, by optimiser steps
  double momentum = 0.0;                ///< share of the former m that is kept, in [0, 1)
  double dampening = 0.0;               ///< share of the gradient that m leaves out, in [0, 1]
  double weight_decay = 0.0;            ///< of the loss weight_decay |theta|^2 / 2, >= 0
  Momentum form = Momentum::Classical;  ///< Nesterov needs a momentum and no dampening

  /// What it changes during a run.
  template <class Scalar>
  struct State {
    Vector<Scalar> m;   ///< momentum, one entry a parameter; empty where there is none
    Index steps = 0;    ///< taken so far: the learning rate's clock
    Index m_steps = 0;  ///< gradients gathered in m
    DecayMask decay;    ///< what decays

    /// Begins anew.
    void reset(const ParameterLayout& layout) {
      steps = 0;
      decay = DecayMask(layout);
      forget({});
    }
    /// Forgets the momentum where it is named; without one nothing changes. The schedule of the learning rate goes on.
    void forget(const Moments& which) {
      if (which.first) m.setZero();
      if (which.first || which.counters) m_steps = 0;
    }
    const Vector<Scalar>& first_moment() const { return m; }  ///< the momentum; empty where there is none

    template <class Self, class Visit>
    static void visit_state(Self& self, Visit&& visit) {
      visit("m", self.m);
      visit("steps", self.steps);
      visit("m_steps", self.m_steps);
    }
  };

  /// Throws Error for numbers out of range.
  void validate() const {
    detail::require_learning_rate("nn::Sgd", learning_rate);
    detail::require_decay("nn::Sgd", "momentum", momentum);
    require(dampening >= 0 && dampening <= 1, "nn::Sgd", "dampening must lie in [0, 1]", dampening);
    detail::require_not_negative("nn::Sgd", "weight_decay", weight_decay);
    if (form != Momentum::Nesterov) return;
    require(momentum > 0, "nn::Sgd", "Nesterov's form needs a momentum", momentum);
    require(dampening == 0, "nn::Sgd", "Nesterov's form has no dampening", dampening);
  }

  /// Moves theta by one step.
  template <class Scalar>
  void step(State<Scalar>& state, VectorRef<Scalar> theta, ConstVectorRef<Scalar> gradient) const {
    const auto rate = static_cast<Scalar>(learning_rate(state.steps++)), decay = static_cast<Scalar>(weight_decay);
    const double fresh = state.m_steps == 0 ? 1.0 : 1.0 - dampening;
    if (momentum > 0) {
      detail::fit(state.m, theta.size());
      ++state.m_steps;
    }
    detail::for_blocks(theta.size(), [&](Index begin, Index n) {
      detail::Block<Scalar> d = gradient.segment(begin, n);
      if (weight_decay > 0)
        state.decay.for_each_within(begin, n, [&](Index at, Index count) {
          d.segment(at - begin, count) += decay * theta.segment(at, count).array();
        });
      if (momentum > 0) {
        detail::accumulate(state.m.data() + begin, d.data(), n, momentum, fresh);
        const auto m = state.m.segment(begin, n).array();
        if (form == Momentum::Nesterov) d += static_cast<Scalar>(momentum) * m;
        else d = m;
      }
      theta.segment(begin, n).array() -= rate * d;
    });
  }
};

}  // namespace mellow::nn

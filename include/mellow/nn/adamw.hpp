// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/nn/adam.hpp>
#include <mellow/nn/weight_decay.hpp>

namespace mellow::nn {

/// Adam with decoupled weight decay (Loshchilov & Hutter 2019), as PyTorch has it:
///
///     theta *= 1 - learning_rate weight_decay            (decaying parameters, see DecayMask)
///     then a step of Adam
///
/// Choose it where large weights are to be held down, as in transformers and in offline learning.
struct AdamW {
  using role = roles::Optimizer;

  Schedule learning_rate = 1e-3;  ///< >= 0, by optimiser steps
  double beta1 = 0.9;             ///< decay of the first moment, in [0, 1)
  double beta2 = 0.999;           ///< decay of the second moment, in [0, 1)
  double epsilon = 1e-8;          ///< > 0
  double weight_decay = 1e-2;     ///< >= 0

  /// What it changes during a run.
  template <class Scalar>
  struct State {
    Adam::State<Scalar> moments;  ///< those of Adam, with its clocks
    DecayMask decay;              ///< what decays

    /// Begins anew.
    void reset(const ParameterLayout& layout) {
      moments.reset(layout);
      decay = DecayMask(layout);
    }
    void forget(const Moments& which) { moments.forget(which); }                   ///< as Adam's
    const Vector<Scalar>& first_moment() const { return moments.first_moment(); }  ///< as Adam's

    template <class Self, class Visit>
    static void visit_state(Self& self, Visit&& visit) {
      Adam::State<Scalar>::visit_state(self.moments, visit);
    }
  };

  /// Throws Error for numbers out of range.
  void validate() const {
    adam().validate("nn::AdamW");
    detail::require_not_negative("nn::AdamW", "weight_decay", weight_decay);
  }

  /// Moves theta by one step.
  template <class Scalar>
  void step(State<Scalar>& state, VectorRef<Scalar> theta, ConstVectorRef<Scalar> gradient) const {
    const auto kept = static_cast<Scalar>(1.0 - learning_rate(state.moments.steps) * weight_decay);
    adam().step_after<Scalar>(state.moments, theta, gradient, [&](Index begin, Index n) {
      state.decay.for_each_within(begin, n, [&](Index at, Index count) { theta.segment(at, count) *= kept; });
    });
  }

 private:
  Adam adam() const { return {learning_rate, beta1, beta2, epsilon}; }
};

}  // namespace mellow::nn

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <mellow/core/parts.hpp>
#include <mellow/nn/optimizer_loop.hpp>
#include <mellow/nn/parameter_layout.hpp>

namespace mellow::nn {

/// Adam (Kingma & Ba 2015, algorithm 1), with PyTorch's place for epsilon:
///
///     m = beta1 m + (1 - beta1) g                        m_hat = m / (1 - beta1^t)
///     v = beta2 v + (1 - beta2) g^2                      v_hat = v / (1 - beta2^t)
///     theta -= learning_rate m_hat / (sqrt(v_hat) + epsilon)
///
/// The first choice for networks. With weight decay: AdamW.
struct Adam {
  using role = roles::Optimizer;

  Schedule learning_rate = 1e-3;  ///< >= 0, by optimiser steps
  double beta1 = 0.9;             ///< decay of the first moment, in [0, 1)
  double beta2 = 0.999;           ///< decay of the second moment, in [0, 1)
  double epsilon = 1e-8;          ///< > 0

  /// What it changes during a run.
  template <class Scalar>
  struct State {
    Vector<Scalar> m;   ///< first moment, one entry a parameter
    Vector<Scalar> v;   ///< second moment
    Index steps = 0;    ///< taken so far: the learning rate's clock
    Index m_steps = 0;  ///< gradients averaged into m: its bias correction's clock
    Index v_steps = 0;  ///< gradients averaged into v

    /// Begins anew.
    void reset(const ParameterLayout& layout) {
      steps = 0;
      m.resize(layout.size);
      v.resize(layout.size);
      forget_first_moment();
      forget_second_moment();
    }
    /// Forgets the first moment together with its bias correction; the other moment and the schedule of the learning
    /// rate go on.
    void forget_first_moment() {
      m.setZero();
      m_steps = 0;
    }
    /// Forgets the second moment in the same way.
    void forget_second_moment() {
      v.setZero();
      v_steps = 0;
    }

    template <class Self, class Visit>
    static void visit_state(Self& self, Visit&& visit) {
      visit("m", self.m);
      visit("v", self.v);
      visit("steps", self.steps);
      visit("m_steps", self.m_steps);
      visit("v_steps", self.v_steps);
    }
  };

  /// Throws Error for numbers out of range.
  void validate() const { validate("nn::Adam"); }

  /// Moves theta by one step.
  template <class Scalar>
  void step(State<Scalar>& state, VectorRef<Scalar> theta, ConstVectorRef<Scalar> gradient) const {
    step_after(state, theta, gradient, [](Index, Index) {});
  }

 private:
  friend struct AdamW;

  void validate(std::string_view where) const {
    detail::require_learning_rate(where, learning_rate);
    detail::require_decay(where, "beta1", beta1);
    detail::require_decay(where, "beta2", beta2);
    detail::require_positive(where, "epsilon", epsilon);
  }

  /// A step before which `change(begin, n)` changes each block of theta.
  template <class Scalar, class Change>
  void step_after(State<Scalar>& state, VectorRef<Scalar> theta, ConstVectorRef<Scalar> gradient,
                  const Change& change) const {
    const double rate = learning_rate(state.steps++);
    const double m_correction = 1.0 - std::pow(beta1, static_cast<double>(++state.m_steps));
    const double v_correction = 1.0 - std::pow(beta2, static_cast<double>(++state.v_steps));
    const auto size = static_cast<Scalar>(rate / m_correction), eps = static_cast<Scalar>(epsilon);
    const auto root_scale = static_cast<Scalar>(1.0 / std::sqrt(v_correction));
    detail::for_blocks(theta.size(), [&](Index begin, Index n) {
      const Scalar* const g = gradient.data() + begin;
      detail::accumulate(state.m.data() + begin, g, n, beta1, 1.0 - beta1);
      detail::accumulate_squares(state.v.data() + begin, g, n, beta2, 1.0 - beta2);
      change(begin, n);
      const auto m = state.m.segment(begin, n).array(), v = state.v.segment(begin, n).array();
      theta.segment(begin, n).array() -= size * (m / (v.sqrt() * root_scale + eps));
    });
  }
};

}  // namespace mellow::nn

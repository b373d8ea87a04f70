// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/core/parts.hpp>
#include <mellow/nn/moments.hpp>
#include <mellow/nn/optimizer_loop.hpp>
#include <mellow/nn/parameter_layout.hpp>

namespace mellow::nn {

/// Adagrad (Duchi et al. 2011):
///
///     s = s + g^2
///     theta -= learning_rate g / (sqrt(s) + epsilon)
///
/// Its steps shrink as 1/sqrt(t) by themselves: for convex problems and sparse features. Networks want Adam.
struct Adagrad {
  using role = roles::Optimizer;

  Schedule learning_rate = 1e-2;  ///< >= 0, by optimiser steps
  double epsilon = 1e-10;         ///< > 0

  /// What it changes during a run.
  template <class Scalar>
  struct State {
    Vector<Scalar> sum_of_squares;  ///< s, one entry a parameter; may be set to another beginning than 0
    Index steps = 0;                ///< taken so far: the learning rate's clock

    /// Begins anew.
    void reset(const ParameterLayout& layout) {
      steps = 0;
      sum_of_squares.resize(layout.size);
      forget({});
    }
    /// Forgets the squares where the second moment is named; there is neither a first one nor a counter. The schedule
    /// of the learning rate goes on.
    void forget(const Moments& which) {
      if (which.second) sum_of_squares.setZero();
    }

    template <class Self, class Visit>
    static void visit_state(Self& self, Visit&& visit) {
      visit("sum_of_squares", self.sum_of_squares);
      visit("steps", self.steps);
    }
  };

  /// Throws Error for numbers out of range.
  void validate() const {
    detail::require_learning_rate("nn::Adagrad", learning_rate);
    detail::require_positive("nn::Adagrad", "epsilon", epsilon);
  }

  /// Moves theta by one step.
  template <class Scalar>
  void step(State<Scalar>& state, VectorRef<Scalar> theta, ConstVectorRef<Scalar> gradient) const {
    const auto rate = static_cast<Scalar>(learning_rate(state.steps++)), eps = detail::as_divisor<Scalar>(epsilon);
    detail::for_blocks(theta.size(), [&](Index begin, Index n) {
      const auto g = gradient.segment(begin, n).array();
      detail::accumulate_squares(state.sum_of_squares.data() + begin, g.data(), n, 1.0, 1.0);
      theta.segment(begin, n).array() -=
          rate * (g / (detail::roots<Scalar>(state.sum_of_squares.segment(begin, n).array()) + eps));
    });
  }
};

}  // namespace mellow::nn

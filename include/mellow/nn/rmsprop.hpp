// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/core/parts.hpp>
#include <mellow/nn/optimizer_loop.hpp>
#include <mellow/nn/parameter_layout.hpp>

namespace mellow::nn {

/// RMSProp (Tieleman & Hinton 2012; centred: Graves 2013):
///
///     s = decay s + (1 - decay) g^2                      c = decay c + (1 - decay) g  (centred; else c = 0)
///     d = g / (sqrt(s - c^2) + epsilon)                  or g / sqrt(s - c^2 + epsilon), see Epsilon
///     m = momentum m + d
///     theta -= learning_rate m
///
/// The optimiser of the first deep Q-networks (`nature()`); elsewhere Adam is the successor.
struct RMSProp {
  using role = roles::Optimizer;

  /// What the square is taken about: zero, or the gradient's mean.
  enum class Square { Plain, Centred };
  /// Where epsilon is added: to the root, as in PyTorch, or under it, as in TensorFlow.
  enum class Epsilon { OutsideRoot, InsideRoot };

  Schedule learning_rate = 1e-2;                 ///< >= 0, by optimiser steps
  double decay = 0.99;                           ///< of the means (PyTorch's alpha), in [0, 1)
  double epsilon = 1e-8;                         ///< > 0
  double momentum = 0.0;                         ///< share of the former m that is kept, in [0, 1)
  Square square = Square::Plain;                 ///< see Square
  Epsilon epsilon_place = Epsilon::OutsideRoot;  ///< see Epsilon

  /// That of Mnih et al. 2015, extended data table 1: centred, 0.01 under the root.
  static RMSProp nature() {
    return {.learning_rate = 0.00025,
            .decay = 0.95,
            .epsilon = 0.01,
            .square = Square::Centred,
            .epsilon_place = Epsilon::InsideRoot};
  }

  /// What it changes during a run.
  template <class Scalar>
  struct State {
    Vector<Scalar> mean_square;    ///< s, one entry a parameter; TensorFlow 1 begins from ones (`.setOnes()`)
    Vector<Scalar> mean_gradient;  ///< c; empty where not centred
    Vector<Scalar> m;              ///< momentum; empty where there is none
    Index steps = 0;               ///< taken so far: the learning rate's clock

    /// Begins anew.
    void reset(const ParameterLayout& layout) {
      steps = 0;
      mean_square.resize(layout.size);
      forget_first_moment();
      forget_second_moment();
    }
    /// Forgets the momentum.
    void forget_first_moment() { m.setZero(); }
    /// Forgets the means by which steps are scaled.
    void forget_second_moment() {
      mean_square.setZero();
      mean_gradient.setZero();
    }

    template <class Self, class Visit>
    static void visit_state(Self& self, Visit&& visit) {
      visit("mean_square", self.mean_square);
      visit("mean_gradient", self.mean_gradient);
      visit("m", self.m);
      visit("steps", self.steps);
    }
  };

  /// Throws Error for numbers out of range.
  void validate() const {
    detail::require_learning_rate("nn::RMSProp", learning_rate);
    detail::require_decay("nn::RMSProp", "decay", decay);
    detail::require_positive("nn::RMSProp", "epsilon", epsilon);
    detail::require_decay("nn::RMSProp", "momentum", momentum);
  }

  /// Moves theta by one step.
  template <class Scalar>
  void step(State<Scalar>& state, VectorRef<Scalar> theta, ConstVectorRef<Scalar> gradient) const {
    const auto rate = static_cast<Scalar>(learning_rate(state.steps++)), eps = detail::as_divisor<Scalar>(epsilon);
    const bool centred = square == Square::Centred;
    if (centred) detail::fit(state.mean_gradient, theta.size());
    if (momentum > 0) detail::fit(state.m, theta.size());
    detail::for_blocks(theta.size(), [&](Index begin, Index n) {
      const auto g = gradient.segment(begin, n).array();
      detail::accumulate_squares(state.mean_square.data() + begin, g.data(), n, decay, 1.0 - decay);
      detail::Block<Scalar> d = state.mean_square.segment(begin, n);
      if (centred) {
        detail::accumulate(state.mean_gradient.data() + begin, g.data(), n, decay, 1.0 - decay);
        d = (d - state.mean_gradient.segment(begin, n).array().square()).max(Scalar(0));
      }
      if (epsilon_place == Epsilon::InsideRoot) d = g / detail::root(d + eps);
      else d = g / (detail::root(d) + eps);
      if (momentum > 0) {
        detail::accumulate(state.m.data() + begin, d.data(), n, momentum, 1.0);
        d = state.m.segment(begin, n);
      }
      theta.segment(begin, n).array() -= rate * d;
    });
  }
};

}  // namespace mellow::nn

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <mellow/core/parts.hpp>
#include <mellow/nn/moments.hpp>
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
/// As s begins at 0, the first step has size learning_rate / sqrt(1 - decay). `debias` makes it learning_rate, as Adam
/// does; centred it is learning_rate |g| / epsilon then (its root inside the root), since one gradient has no spread.
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
  bool debias = false;                           ///< divides s and c by 1 - decay^t, after t gradients

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
    Index mean_steps = 0;          ///< gradients averaged into s and c: their bias correction's clock

    /// Begins anew.
    void reset(const ParameterLayout& layout) {
      steps = 0;
      mean_square.resize(layout.size);
      forget({});
    }
    /// Forgets the momentum (the first moment) and the means by which steps are scaled (the second), as named; the
    /// schedule of the learning rate goes on.
    void forget(const Moments& which) {
      if (which.first) m.setZero();
      if (which.second) {
        mean_square.setZero();
        mean_gradient.setZero();
      }
      if (which.second || which.counters) mean_steps = 0;
    }
    const Vector<Scalar>& first_moment() const { return m; }  ///< the momentum; empty where there is none

    template <class Self, class Visit>
    static void visit_state(Self& self, Visit&& visit) {
      visit("mean_square", self.mean_square);
      visit("mean_gradient", self.mean_gradient);
      visit("m", self.m);
      visit("steps", self.steps);
      visit("mean_steps", self.mean_steps);
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
    const auto unbias = static_cast<Scalar>(1.0 / (1.0 - std::pow(decay, static_cast<double>(++state.mean_steps))));
    if (centred) detail::fit(state.mean_gradient, theta.size());
    if (momentum > 0) detail::fit(state.m, theta.size());
    detail::for_blocks(theta.size(), [&](Index begin, Index n) {
      const auto g = gradient.segment(begin, n).array();
      detail::accumulate_squares(state.mean_square.data() + begin, g.data(), n, decay, 1.0 - decay);
      detail::Block<Scalar> d = state.mean_square.segment(begin, n);
      if (debias) d *= unbias;
      if (centred) {
        detail::accumulate(state.mean_gradient.data() + begin, g.data(), n, decay, 1.0 - decay);
        const auto c = state.mean_gradient.segment(begin, n).array();
        if (debias) d = (d - (unbias * c).square()).max(Scalar(0));
        else d = (d - c.square()).max(Scalar(0));
      }
      if (epsilon_place == Epsilon::InsideRoot) d = g / detail::roots<Scalar>(d + eps);
      else d = g / (detail::roots(d) + eps);
      if (momentum > 0) {
        detail::accumulate(state.m.data() + begin, d.data(), n, momentum, 1.0);
        d = state.m.segment(begin, n);
      }
      theta.segment(begin, n).array() -= rate * d;
    });
  }
};

}  // namespace mellow::nn

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <mellow/nn/adam.hpp>

namespace mellow::nn {

/// Rectified Adam (Liu et al. 2020, algorithm 2), with PyTorch's place for epsilon. m and v are Adam's, and
///
///     rho_max = 2 / (1 - beta2) - 1,     rho = rho_max - 2 t beta2^t / (1 - beta2^t)
///     theta -= learning_rate m_hat r sqrt(1 - beta2^t) / (sqrt(v) + epsilon)     where rho > threshold
///     theta -= learning_rate m_hat                                               before: v is of too few gradients
///     r^2 = (rho - 4) (rho - 2) rho_max / ((rho_max - 4) (rho_max - 2) rho)
///
/// Choose it where Adam's first steps, whose second moment is noise, do harm and a warm-up of the learning rate is not
/// wanted.
struct RAdam {
  using role = roles::Optimizer;

  Schedule learning_rate = 1e-3;  ///< >= 0, by optimiser steps
  double beta1 = 0.9;             ///< decay of the first moment, in [0, 1)
  double beta2 = 0.999;           ///< decay of the second moment, in [0, 1)
  double epsilon = 1e-8;          ///< > 0
  double threshold = 5.0;         ///< of rho, >= 4: PyTorch's; the paper's is 4

  /// What it changes during a run: Adam's moments and clocks.
  template <class Scalar>
  using State = Adam::State<Scalar>;

  /// Throws Error for numbers out of range.
  void validate() const {
    detail::require_learning_rate("nn::RAdam", learning_rate);
    detail::require_decay("nn::RAdam", "beta1", beta1);
    detail::require_decay("nn::RAdam", "beta2", beta2);
    detail::require_positive("nn::RAdam", "epsilon", epsilon);
    require(threshold >= 4, "nn::RAdam", "threshold must be at least 4", threshold);
  }

  /// Moves theta by one step.
  template <class Scalar>
  void step(State<Scalar>& state, VectorRef<Scalar> theta, ConstVectorRef<Scalar> gradient) const {
    const double rate = learning_rate(state.steps++), t = static_cast<double>(++state.v_steps);
    const double m_correction = 1.0 - std::pow(beta1, static_cast<double>(++state.m_steps));
    const double v_correction = 1.0 - std::pow(beta2, t);
    const double rho_max = 2.0 / (1.0 - beta2) - 1.0;
    const double rho = rho_max - 2.0 * t * (1.0 - v_correction) / v_correction;
    const bool rectify = rho > threshold;
    const double r =
        rectify
            ? std::sqrt((rho - 4.0) * (rho - 2.0) * rho_max * v_correction / ((rho_max - 4.0) * (rho_max - 2.0) * rho))
            : 1.0;
    const auto size = static_cast<Scalar>(rate / m_correction * r), eps = detail::as_divisor<Scalar>(epsilon);
    detail::for_blocks(theta.size(), [&](Index begin, Index n) {
      const Scalar* const g = gradient.data() + begin;
      detail::accumulate(state.m.data() + begin, g, n, beta1, 1.0 - beta1);
      detail::accumulate_squares(state.v.data() + begin, g, n, beta2, 1.0 - beta2);
      const auto m = state.m.segment(begin, n).array(), v = state.v.segment(begin, n).array();
      auto to = theta.segment(begin, n).array();
      if (rectify) to -= size * (m / (detail::roots<Scalar>(v) + eps));
      else to -= size * m;
    });
  }
};

}  // namespace mellow::nn

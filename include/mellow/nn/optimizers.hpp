// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include <mellow/core/error.hpp>
#include <mellow/core/parts.hpp>
#include <mellow/core/schedule.hpp>
#include <mellow/core/types.hpp>

namespace mellow::nn {

/// Scales `gradient` down so that its Euclidean norm does not exceed `maximum`; returns the norm it had.
template <class Scalar>
Scalar clip_norm(VectorRef<Scalar> gradient, Scalar maximum) {
  const Scalar norm = gradient.norm();
  if (norm > maximum) gradient *= maximum / norm;
  return norm;
}

namespace detail {
inline void require_learning_rate(std::string_view optimizer, const Schedule& rate) {
  require(std::isfinite(rate.minimum()) && rate.minimum() >= 0.0, optimizer,
          "learning_rate must be finite and not negative", rate.minimum());
  require(std::isfinite(rate.maximum()), optimizer, "learning_rate must be finite and not negative", rate.maximum());
}
}  // namespace detail

/// Stochastic gradient descent: theta -= learning_rate * gradient.
struct Sgd {
  using role = roles::Optimizer;

  Schedule learning_rate = 1e-2;  ///< >= 0, by optimiser steps

  template <class Scalar>
  struct State {
    Index steps = 0;  ///< taken so far

    void reset(Index) { steps = 0; }

    template <class Self, class Visit>
    static void visit_state(Self& self, Visit&& visit) {
      visit("steps", self.steps);
    }
  };

  void validate() const { detail::require_learning_rate("nn::Sgd", learning_rate); }

  template <class Scalar>
  void step(State<Scalar>& state, VectorRef<Scalar> theta, ConstVectorRef<Scalar> gradient) const {
    theta -= static_cast<Scalar>(learning_rate(state.steps++)) * gradient;
  }
};

/// Adam (Kingma & Ba 2015, algorithm 1), with PyTorch's place for epsilon: theta -= rate * m_hat / (sqrt(v_hat) +
/// epsilon).
struct Adam {
  using role = roles::Optimizer;

  Schedule learning_rate = 1e-3;  ///< >= 0, by optimiser steps
  double beta1 = 0.9;             ///< decay of the first moment, in [0, 1)
  double beta2 = 0.999;           ///< decay of the second moment, in [0, 1)
  double epsilon = 1e-8;          ///< > 0

  template <class Scalar>
  struct State {
    Vector<Scalar> m;   ///< first moment, one entry a parameter
    Vector<Scalar> v;   ///< second moment
    Index steps = 0;    ///< taken so far: the learning rate's clock
    Index m_steps = 0;  ///< gradients averaged into m: its bias correction's clock
    Index v_steps = 0;  ///< gradients averaged into v

    void reset(Index parameters) {
      steps = 0;
      m.resize(parameters);
      v.resize(parameters);
      forget_first_moment();
      forget_second_moment();
    }
    /// Forgets a moment together with its bias correction; the other moment and the schedule of the learning rate go
    /// on.
    void forget_first_moment() {
      m.setZero();
      m_steps = 0;
    }
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

  void validate() const {
    detail::require_learning_rate("nn::Adam", learning_rate);
    require(beta1 >= 0 && beta1 < 1, "nn::Adam", "beta1 must lie in [0, 1)", beta1);
    require(beta2 >= 0 && beta2 < 1, "nn::Adam", "beta2 must lie in [0, 1)", beta2);
    require(std::isfinite(epsilon) && epsilon > 0, "nn::Adam", "epsilon must be positive and finite", epsilon);
  }

  template <class Scalar>
  void step(State<Scalar>& state, VectorRef<Scalar> theta, ConstVectorRef<Scalar> gradient) const {
    const double rate = learning_rate(state.steps++);
    const double m_correction = 1.0 - std::pow(beta1, static_cast<double>(++state.m_steps));
    const double v_correction = 1.0 - std::pow(beta2, static_cast<double>(++state.v_steps));
    const auto b1 = static_cast<Scalar>(beta1), b2 = static_cast<Scalar>(beta2), eps = static_cast<Scalar>(epsilon);
    const auto size = static_cast<Scalar>(rate / m_correction);
    const auto root_scale = static_cast<Scalar>(1.0 / std::sqrt(v_correction));
    // Adding and subtracting `floor` rounds a moment to a multiple of the smallest normal number, so that one that
    // decays (a dead unit's) does not become denormal: such numbers are 10 times slower.
    constexpr Scalar floor = std::numeric_limits<Scalar>::min() / std::numeric_limits<Scalar>::epsilon();
    constexpr Index block =
        1024;  // three vectorised expressions over a block that stays in cache: one pass over memory
    for (Index begin = 0; begin < theta.size(); begin += block) {
      const Index n = std::min(block, theta.size() - begin);
      const auto g = gradient.segment(begin, n).array();
      auto m = state.m.segment(begin, n).array();
      auto v = state.v.segment(begin, n).array();
      m = (b1 * m + (Scalar(1) - b1) * g + floor) - floor;
      v = (b2 * v + (Scalar(1) - b2) * g.square() + floor) - floor;
      theta.segment(begin, n).array() -= size * (m / (v.sqrt() * root_scale + eps));
    }
  }
};

}  // namespace mellow::nn

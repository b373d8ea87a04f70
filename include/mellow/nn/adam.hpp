// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <initializer_list>
#include <limits>

#include <mellow/core/parts.hpp>
#include <mellow/nn/moments.hpp>
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
      forget({});
    }
    /// Forgets what is named, each moment with its own counter; the schedule of the learning rate goes on.
    void forget(const Moments& which) {
      if (which.first) m.setZero();
      if (which.second) v.setZero();
      if (which.first || which.counters) m_steps = 0;
      if (which.second || which.counters) v_steps = 0;
    }
    const Vector<Scalar>& first_moment() const { return m; }  ///< the mean of gradients, biased towards 0

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
    const Numbers<Scalar> numbers{.keep_m = static_cast<Scalar>(beta1),
                                  .add_m = static_cast<Scalar>(1.0 - beta1),
                                  .keep_v = static_cast<Scalar>(beta2),
                                  .add_v = static_cast<Scalar>(1.0 - beta2),
                                  .root_scale = static_cast<Scalar>(1.0 / std::sqrt(v_correction)),
                                  .epsilon = detail::as_divisor<Scalar>(epsilon),
                                  .size = static_cast<Scalar>(rate / m_correction)};
    using Packet = typename Eigen::internal::packet_traits<Scalar>::type;
    detail::for_blocks(theta.size(), [&](Index begin, Index n) {
      change(begin, n);
      const Index end = begin + n;
      const auto move_by = [&]<class P>(Index i, P) {
        return move<P>(i, end, theta.data(), gradient.data(), state.m.data(), state.v.data(), numbers);
      };
      move_by(move_by(begin, Packet{}), Scalar{});
    });
  }

  /// What a step multiplies and adds.
  template <class Scalar>
  struct Numbers {
    Scalar keep_m, add_m, keep_v, add_v, root_scale, epsilon, size;
  };

  /// Moves theta from i on, a packet of Eigen's at a time, while a whole one is left before `end`; returns where it
  /// stopped. One loop over all arrays: while division and root take their time, what comes later is fetched.
  template <class Packet, class Scalar>
  static Index move(Index i, Index end, Scalar* theta, const Scalar* gradient, Scalar* m, Scalar* v,
                    const Numbers<Scalar>& x) {
    using namespace Eigen::internal;
    constexpr Index lanes = unpacket_traits<Packet>::size, ahead = 1024;
    const Packet keep_m = pset1<Packet>(x.keep_m), add_m = pset1<Packet>(x.add_m), keep_v = pset1<Packet>(x.keep_v),
                 add_v = pset1<Packet>(x.add_v), root_scale = pset1<Packet>(x.root_scale),
                 epsilon = pset1<Packet>(x.epsilon), size = pset1<Packet>(x.size),
                 guard = pset1<Packet>(detail::guard<Scalar>),
                 infinite = pset1<Packet>(std::numeric_limits<Scalar>::infinity());
    for (; i + lanes <= end; i += lanes) {
      for (const Scalar* array : std::initializer_list<const Scalar*>{theta, gradient, m, v})
        __builtin_prefetch(array + i + ahead);
      const Packet g = ploadu<Packet>(gradient + i);
      const Packet m_sum = padd(pmul(keep_m, ploadu<Packet>(m + i)), pmul(add_m, g));
      const Packet v_sum = padd(pmul(keep_v, ploadu<Packet>(v + i)), pmul(add_v, pmul(g, g)));
      const Packet new_m = psub(padd(m_sum, guard), guard), new_v = psub(padd(v_sum, guard), guard);
      const Packet root = pselect(pcmp_eq(new_v, infinite), infinite, psqrt(new_v));  // of infinity psqrt makes NaN
      const Packet direction = pdiv(new_m, padd(pmul(root, root_scale), epsilon));
      pstoreu(m + i, new_m);
      pstoreu(v + i, new_v);
      pstoreu(theta + i, psub(ploadu<Packet>(theta + i), pmul(size, direction)));
    }
    return i;
  }
};

}  // namespace mellow::nn

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/nn/activation.hpp>

namespace mellow::nn {

/// f(x) = x for x > 0, else slope x (Maas et al. 2013). Choose it over ReLU where units die: it lets a gradient through
/// below 0.
struct LeakyReLU {
  static constexpr bool keeps_input = true;  ///< see Activation; the value does not tell where the slope is 0 or less

  double slope = 0.01;  ///< below zero

  /// The expression f(x).
  template <class X>
  auto value(const X& x) const {
    using Scalar = typename X::Scalar;
    return (x > Scalar(0)).select(x, static_cast<Scalar>(slope) * x);
  }
  /// delta *= x > 0 ? 1 : slope.
  template <class X, class Delta>
  void multiply_by_derivative(const X& x, Delta& delta) const {
    using Scalar = typename X::Scalar;
    delta = (x > Scalar(0)).select(delta, static_cast<Scalar>(slope) * delta);
  }
};

}  // namespace mellow::nn

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/core/types.hpp>

namespace mellow::nn {

enum class Activation { Identity, ReLU, Tanh };

/// Applies the activation in place.
template <class Scalar>
void activate(Activation activation, MatrixRef<Scalar> x) {
  switch (activation) {
    case Activation::Identity:
      break;
    case Activation::ReLU:
      x = x.cwiseMax(Scalar(0));
      break;
    case Activation::Tanh:
      x = x.array().tanh();
      break;
  }
}

/// delta *= f'(x), element by element, from the activated values y = f(x): ReLU [y > 0], Tanh 1 - y^2.
template <class Scalar>
void multiply_by_derivative(Activation activation, ConstMatrixRef<Scalar> y, MatrixRef<Scalar> delta) {
  switch (activation) {
    case Activation::Identity:
      break;
    case Activation::ReLU:
      delta = (y.array() > Scalar(0)).select(delta, Scalar(0));
      break;
    case Activation::Tanh:
      delta.array() *= Scalar(1) - y.array().square();
      break;
  }
}

}  // namespace mellow::nn

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/nn/activation.hpp>

/// The logistic function sigma(x) = 1 / (1 + exp(-x)) and what is made of it.
namespace mellow::nn {

/// f(x) = sigma(x), between 0 and 1; f' = f (1 - f).
struct Sigmoid {
  static constexpr bool keeps_input = false;  ///< see Activation

  /// The expression f(x).
  template <class X>
  auto value(const X& x) const {
    using Scalar = typename X::Scalar;
    return ((-x).exp() + Scalar(1)).inverse();
  }
  /// delta *= y (1 - y).
  template <class Y, class Delta>
  void multiply_by_derivative(const Y& y, Delta& delta) const {
    delta *= y * (typename Y::Scalar(1) - y);
  }
};

/// f(x) = log(1 + exp(x)), a smooth ReLU that is always positive; x itself for x > 20, as in PyTorch. f' = sigma(x).
struct Softplus {
  static constexpr bool keeps_input = false;  ///< see Activation

  /// The expression f(x).
  template <class X>
  auto value(const X& x) const {
    return (x > typename X::Scalar(20)).select(x, x.exp().log1p());
  }
  /// delta *= y > 20 ? 1 : 1 - exp(-y).
  template <class Y, class Delta>
  void multiply_by_derivative(const Y& y, Delta& delta) const {
    using Scalar = typename Y::Scalar;
    constexpr auto at_20 = static_cast<Scalar>(20.000000002061154);  // f(20)
    delta = (y > at_20).select(delta, -(-y).expm1() * delta);
  }
};

/// f(x) = x sigma(x) (Elfwing et al. 2018; also called swish); f' = sigma(x) (1 + x (1 - sigma(x))). At -infinity NaN,
/// as in PyTorch.
struct SiLU {
  static constexpr bool keeps_input = true;  ///< see Activation

  /// The expression f(x).
  template <class X>
  auto value(const X& x) const {
    return x / ((-x).exp() + typename X::Scalar(1));
  }
  /// delta *= f'(x).
  template <class X, class Delta>
  void multiply_by_derivative(const X& x, Delta& delta) const {
    using Scalar = typename X::Scalar;
    detail::for_pieces(x, delta, [](const auto& x_piece, auto& delta_piece) {
      const detail::Piece<Scalar> sigma = Sigmoid{}.value(x_piece);
      delta_piece *= sigma * (x_piece * (Scalar(1) - sigma) + Scalar(1));
    });
  }
  /// y = f(x) and derivative = f'(x) for the exp of one. Either may be x itself.
  template <class X, class Y, class D>
  void evaluate(const X& x, Y& y, D& derivative) const {
    using Scalar = typename X::Scalar;
    constexpr Index length = detail::Piece<Scalar>::MaxRowsAtCompileTime;
    for (Index begin = 0; begin < x.size(); begin += length) {
      const Index n = std::min(length, x.size() - begin);
      const detail::Piece<Scalar> from = x.segment(begin, n), sigma = Sigmoid{}.value(from);
      y.segment(begin, n) = from * sigma;
      derivative.segment(begin, n) = sigma * (from * (Scalar(1) - sigma) + Scalar(1));
    }
  }
};

}  // namespace mellow::nn

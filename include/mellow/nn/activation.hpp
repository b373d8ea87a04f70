// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <concepts>

#include <mellow/core/types.hpp>

namespace mellow::nn {

/// A function f applied to every number of a one-dimensional Eigen array:
///
///     value(x)                           the expression f(x)
///     multiply_by_derivative(y, delta)   delta *= f'(x), from y = f(x); from x itself if `keeps_input` is true
///
/// `keeps_input` is for functions whose derivative does not follow from their value; a network then keeps x as well.
template <class F>
concept Activation = std::copyable<F> && std::default_initializable<F> &&
                     requires(const F f, const Eigen::ArrayXf x, Eigen::ArrayXf delta) {
                       delta = f.value(x);
                       f.multiply_by_derivative(x, delta);
                       { F::keeps_input } -> std::convertible_to<bool>;
                     };

namespace detail {

/// Numbers of a piece, on the stack.
template <class Scalar>
using Piece = Eigen::Array<Scalar, Eigen::Dynamic, 1, Eigen::ColMajor, 256, 1>;

/// Calls body(x, delta) for one piece of two vectors after the other: for a derivative that uses a costly value twice.
template <class X, class Delta, class Body>
void for_pieces(const X& x, Delta& delta, const Body& body) {
  constexpr Index length = Piece<typename X::Scalar>::MaxRowsAtCompileTime;
  for (Index begin = 0; begin < x.size(); begin += length) {
    const Index n = std::min(length, x.size() - begin);
    auto piece = delta.segment(begin, n);
    body(x.segment(begin, n), piece);
  }
}

}  // namespace detail

/// f(x) = x.
struct Identity {
  static constexpr bool keeps_input = false;  ///< see Activation

  /// The expression f(x).
  template <class X>
  const X& value(const X& x) const {
    return x;
  }
  /// delta *= 1.
  template <class Y, class Delta>
  void multiply_by_derivative(const Y&, Delta&) const {}
};

/// f(x) = max(x, 0); f'(x) = [x > 0], as in PyTorch.
struct ReLU {
  static constexpr bool keeps_input = false;  ///< see Activation

  /// The expression f(x).
  template <class X>
  auto value(const X& x) const {
    return x.cwiseMax(typename X::Scalar(0));
  }
  /// delta *= [y > 0].
  template <class Y, class Delta>
  void multiply_by_derivative(const Y& y, Delta& delta) const {
    delta = (y > typename Y::Scalar(0)).select(delta, typename Y::Scalar(0));
  }
};

/// f(x) = tanh(x); f'(x) = 1 - f(x)^2.
struct Tanh {
  static constexpr bool keeps_input = false;  ///< see Activation

  /// The expression f(x).
  template <class X>
  auto value(const X& x) const {
    return x.tanh();
  }
  /// delta *= 1 - y^2.
  template <class Y, class Delta>
  void multiply_by_derivative(const Y& y, Delta& delta) const {
    delta *= typename Y::Scalar(1) - y.square();
  }
};

}  // namespace mellow::nn

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>

#include <mellow/core/buffer.hpp>
#include <mellow/core/network.hpp>
#include <mellow/core/types.hpp>
#include <mellow/nn/activation.hpp>

namespace mellow::nn {

/// A network that can stand above others: its backward pass also writes d loss / d input, where a `MatrixRef*` is
/// given.
template <class N>
concept NetworkLayer =
    Network<N> &&
    requires(const N network, const Vector<typename N::Scalar> theta, typename N::Tape tape,
             const Matrix<typename N::Scalar> d_output, Vector<typename N::Scalar> gradient,
             MatrixRef<typename N::Scalar>* d_input) { network.backward(theta, tape, d_output, gradient, d_input); };

/// What `Sequential` is made of.
template <class L>
concept Layer = Activation<L> || NetworkLayer<L>;

namespace detail {

/// Position of the first layer that is a network, or how many layers there are.
template <class... Layers>
consteval std::size_t first_network() {
  std::size_t position = 0;
  static_cast<void>(((NetworkLayer<Layers> || (++position, false)) || ...));
  return position;
}

/// The number type of the networks among the layers.
template <class... Layers>
struct ScalarOfLayers {
  using type = float;
};
template <class First, class... Rest>
struct ScalarOfLayers<First, Rest...> : ScalarOfLayers<Rest...> {};
template <NetworkLayer First, class... Rest>
struct ScalarOfLayers<First, Rest...> {
  using type = typename First::Scalar;
};

/// Whether a layer is of another number type.
template <class L, class Scalar>
inline constexpr bool foreign_scalar = false;
template <NetworkLayer L, class Scalar>
inline constexpr bool foreign_scalar<L, Scalar> = !std::same_as<typename L::Scalar, Scalar>;

/// What a layer keeps for its backward pass: an activation its values.
template <class L, class Scalar>
struct LayerTape {
  Buffer<Scalar> values;
};
template <NetworkLayer L, class Scalar>
struct LayerTape<L, Scalar> {
  typename L::Tape tape;
  Buffer<Scalar> copy;  // of an output that does not lie in memory column by column
};

}  // namespace detail

}  // namespace mellow::nn

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <string>
#include <vector>

#include <mellow/core/rng.hpp>
#include <mellow/core/types.hpp>

namespace mellow {

/// A named piece of a network's flat parameter vector, laid out as PyTorch lays out the tensor of that name
/// (row-major).
struct Segment {
  /// A layer's weights and what it adds to their sums; what a normalisation multiplies by, and what it adds; by how much
  /// weights and biases are noisy.
  enum class Kind { Weight, Bias, Scale, Shift, Deviation };

  std::string name;          ///< as in a PyTorch state_dict: "0.weight"
  std::vector<Index> shape;  ///< out x in for a dense weight, out for a bias
  Index offset = 0;          ///< of its first number in the parameter vector
  Index fan_in = 1;          ///< inputs that one unit sums over (a bias: those of its layer)
  Kind kind = Kind::Weight;  ///< what its numbers do
  double initial = 0;        ///< of a deviation: what it begins with, whatever the initialiser

  /// How many numbers it has.
  Index size() const {
    Index product = 1;
    for (const Index extent : shape) product *= extent;
    return product;
  }
  /// Of a weight: units that one input feeds.
  Index fan_out() const { return shape.size() < 2 ? size() : size() / shape[1]; }
};

/// What has a flat vector of parameters: a network, a language model, a user's own.
template <class M>
concept Parametric = requires(const M model) {
  typename M::Scalar;
  { model.parameters() } -> std::convertible_to<Index>;
  { model.segments() } -> std::convertible_to<std::vector<Segment>>;
};

/// A differentiable function of a flat parameter vector `theta`; the object itself holds shapes only.
///
///     Scalar                                     of parameters and values
///     Tape                                       keeps what `backward` needs; reused, it does not allocate again
///     inputs(), outputs(), parameters()          widths, and the length of theta
///     segments()                                 std::vector<Segment>: the pieces of theta, in order and without holes
///     forward(theta, input, tape)                inputs x batch -> outputs x batch, a view that lives in the tape
///     backward(theta, tape, d_output, gradient)  adds d loss / d theta into `gradient`; `d_output` is outputs x batch
///
/// A matrix given as `input` is not copied: it must stay as it is between `forward` and `backward`.
template <class N>
concept Network =
    std::copyable<N> && std::default_initializable<typename N::Tape> &&
    requires(const N network, const Vector<typename N::Scalar> theta, const Matrix<typename N::Scalar> batch,
             typename N::Tape tape, Vector<typename N::Scalar> gradient) {
      { network.inputs() } -> std::convertible_to<Index>;
      { network.outputs() } -> std::convertible_to<Index>;
      { network.parameters() } -> std::convertible_to<Index>;
      { network.segments() } -> std::convertible_to<std::vector<Segment>>;
      { network.forward(theta, batch, tape) } -> std::convertible_to<ConstMatrixRef<typename N::Scalar>>;
      network.backward(theta, tape, batch, gradient);
    };

/// A network some of whose parameters are noisy. The noise lives in the tape: `draw_noise(tape, rng)` draws that of the
/// passes that follow, `silence(tape)` takes it away.
template <class N>
concept NoisyNetwork = Network<N> && requires(const N network, typename N::Tape tape, Rng rng) {
  network.draw_noise(tape, rng);
  network.silence(tape);
};

/// Draws the noise of the passes that follow, where the network has any; else nothing is drawn.
template <Network N>
void draw_noise(const N& network, typename N::Tape& tape, Rng& rng) {
  if constexpr (NoisyNetwork<N>) network.draw_noise(tape, rng);
}

/// Takes the noise away from the passes that follow, where the network has any.
template <Network N>
void silence(const N& network, typename N::Tape& tape) {
  if constexpr (NoisyNetwork<N>) network.silence(tape);
}

}  // namespace mellow

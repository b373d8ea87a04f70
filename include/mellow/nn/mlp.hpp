// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include <mellow/core/buffer.hpp>
#include <mellow/core/error.hpp>
#include <mellow/core/network.hpp>
#include <mellow/core/types.hpp>
#include <mellow/nn/activation.hpp>
#include <mellow/nn/dense.hpp>

namespace mellow::nn {

/// A multi-layer perceptron of any widths: x_{l+1} = f(W_l x_l + b_l) with f = `Hidden`, and `Last` on the last
/// layer.
///
///     nn::Mlp network({4, 64, 64, 2});                     // ReLU
///     nn::Mlp network({4, 64, 64, 2}, nn::Tanh{});
///
/// The parameter vector holds weight (out x in, row-major) and bias of each layer in turn, named as in a PyTorch
/// `Sequential(Linear, activation, Linear, ...)`: "0.weight", "0.bias", "2.weight", ...
template <class Scalar_ = float, Activation Hidden = ReLU, Activation Last = Identity>
class Mlp {
 public:
  using Scalar = Scalar_;                           ///< of parameters and values
  using Output = Eigen::Map<const Matrix<Scalar>>;  ///< what `forward` gives: a view

  /// What a backward pass needs: the input (seen, not copied) and the activated values of every layer.
  class Tape {
    friend class Mlp;
    const Scalar* input_ = nullptr;
    Index batch_ = 0;
    std::vector<Buffer<Scalar>> values_, sums_;  // f(W x + b) of each layer; W x + b where f keeps its input
    Buffer<Scalar> deltas_[2];
    Buffer<Scalar> input_copy_, d_output_copy_;  // of those that do not lie in memory column by column
  };

  /// `widths`: inputs, hidden widths, outputs. Throws Error for fewer than two widths or one that is not between 1 and
  /// 2^28.
  explicit Mlp(std::vector<Index> widths, Hidden hidden = {}, Last last = {});
  /// The same, so that `Mlp{{4, 64, 2}}` is understood.
  explicit Mlp(std::initializer_list<Index> widths, Hidden hidden = {}, Last last = {})
      : Mlp(std::vector<Index>(widths), hidden, last) {}

  Index inputs() const { return widths_.front(); }              ///< width of the input
  Index outputs() const { return widths_.back(); }              ///< width of the output
  Index parameters() const { return parameters_; }              ///< length of theta
  const std::vector<Index>& widths() const { return widths_; }  ///< inputs, hidden widths, outputs

  /// The named pieces of theta.
  std::vector<Segment> segments() const;

  /// inputs x batch -> outputs x batch. The view lives in the tape until its next forward pass. A matrix, or a block of
  /// one, is not copied and must stay as it is until the backward pass; any other expression is.
  template <class Input>
  Output forward(const ConstVectorRef<Scalar>& theta, Input&& input, Tape& tape) const {
    assert(input.rows() == inputs());
    tape.input_ = contiguous(std::forward<Input>(input), tape.input_copy_);
    tape.batch_ = input.cols();
    return forward(theta, tape);
  }

  /// Adds d loss / d theta into `gradient`; with `d_input` (inputs x batch) given, writes d loss / d input there.
  void backward(const ConstVectorRef<Scalar>& theta, Tape& tape, const ConstMatrixRef<Scalar>& d_output,
                VectorRef<Scalar> gradient, MatrixRef<Scalar>* d_input = nullptr) const;

 private:
  Output forward(const ConstVectorRef<Scalar>& theta, Tape& tape) const;

  static constexpr bool keeps_sums = Hidden::keeps_input || Last::keeps_input;
  using Array = Eigen::Map<Eigen::Array<Scalar, Eigen::Dynamic, 1>>;

  Index layers() const { return static_cast<Index>(widths_.size()) - 1; }
  detail::Linear layer(Index l) const {
    const auto at = static_cast<std::size_t>(l);
    return {widths_[at], widths_[at + 1]};
  }

  /// Calls `body` with the activation of layer l.
  template <class Body>
  void with_activation(Index l, const Body& body) const {
    if (l + 1 == layers()) body(last_);
    else body(hidden_);
  }

  std::vector<Index> widths_;
  [[no_unique_address]] Hidden hidden_;
  [[no_unique_address]] Last last_;
  Index parameters_ = 0;
};

template <class Scalar, Activation Hidden, Activation Last>
Mlp<Scalar, Hidden, Last>::Mlp(std::vector<Index> widths, Hidden hidden, Last last)
    : widths_(std::move(widths)), hidden_(hidden), last_(last) {
  require(widths_.size() >= 2, "nn::Mlp", "needs at least the widths of input and output", widths_.size());
  for (const Index width : widths_)
    require(width > 0 && width <= (Index{1} << 28), "nn::Mlp", "every width must lie between 1 and 2^28", width);
  for (Index l = 0; l < layers(); ++l) parameters_ += layer(l).parameters();
}

template <class Scalar, Activation Hidden, Activation Last>
std::vector<Segment> Mlp<Scalar, Hidden, Last>::segments() const {
  std::vector<Segment> segments;
  Index offset = 0;
  for (Index l = 0; l < layers(); ++l) offset = layer(l).append_segments(std::to_string(2 * l) + ".", offset, segments);
  return segments;
}

template <class Scalar, Activation Hidden, Activation Last>
auto Mlp<Scalar, Hidden, Last>::forward(const ConstVectorRef<Scalar>& theta, Tape& tape) const -> Output {
  assert(theta.size() == parameters_);
  const Index batch = tape.batch_;
  tape.values_.resize(static_cast<std::size_t>(layers()));
  if constexpr (keeps_sums) tape.sums_.resize(tape.values_.size());
  const Scalar* at = theta.data();
  const Scalar* below = tape.input_;
  for (Index l = 0; l < layers(); ++l) {
    const auto linear = layer(l);
    Scalar* const y = tape.values_[static_cast<std::size_t>(l)].reshape(linear.out, batch).data();
    with_activation(l, [&]<class F>(const F& f) {
      Scalar* sum = y;
      if constexpr (F::keeps_input) sum = tape.sums_[static_cast<std::size_t>(l)].reshape(linear.out, batch).data();
      linear.set(at, below, batch, sum);
      if constexpr (!std::same_as<F, Identity>) Array(y, linear.out * batch) = f.value(Array(sum, linear.out * batch));
    });
    at += linear.parameters();
    below = y;
  }
  return {below, outputs(), batch};
}

template <class Scalar, Activation Hidden, Activation Last>
void Mlp<Scalar, Hidden, Last>::backward(const ConstVectorRef<Scalar>& theta, Tape& tape,
                                         const ConstMatrixRef<Scalar>& d_output, VectorRef<Scalar> gradient,
                                         MatrixRef<Scalar>* d_input) const {
  const Index batch = tape.batch_;
  assert(tape.input_ != nullptr && d_output.rows() == outputs() && d_output.cols() == batch &&
         gradient.size() == parameters_);
  const Scalar* delta = contiguous(d_output, tape.d_output_copy_);
  Index offset = parameters_;
  for (Index l = layers() - 1; l >= 0; --l) {
    const auto linear = layer(l);
    const Index size = linear.out * batch;
    offset -= linear.parameters();
    with_activation(l, [&]<class F>(const F& f) {  // delta becomes d loss / d (W x + b)
      if constexpr (!std::same_as<F, Identity>) {
        Array sums(tape.deltas_[l % 2].reshape(linear.out, batch).data(), size);
        if (sums.data() != delta) sums = Eigen::Map<const Eigen::Array<Scalar, Eigen::Dynamic, 1>>(delta, size);
        auto& kept = F::keeps_input ? tape.sums_ : tape.values_;
        f.multiply_by_derivative(Array(kept[static_cast<std::size_t>(l)].reshape(linear.out, batch).data(), size),
                                 sums);
        delta = sums.data();
      }
    });
    const Scalar* below =
        l == 0 ? tape.input_ : tape.values_[static_cast<std::size_t>(l - 1)].reshape(linear.in, batch).data();
    linear.add_gradient(below, delta, batch, gradient.data() + offset);
    if (l > 0) {
      Scalar* d_below = tape.deltas_[(l - 1) % 2].reshape(linear.in, batch).data();
      linear.input_gradient(theta.data() + offset, delta, batch, d_below, linear.in);
      delta = d_below;
    } else if (d_input != nullptr) {
      linear.input_gradient(theta.data() + offset, delta, batch, d_input->data(), d_input->outerStride());
    }
  }
}

}  // namespace mellow::nn

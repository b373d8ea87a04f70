// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include <mellow/core/buffer.hpp>
#include <mellow/core/error.hpp>
#include <mellow/core/gemm.hpp>
#include <mellow/core/network.hpp>
#include <mellow/core/types.hpp>
#include <mellow/nn/activation.hpp>

namespace mellow::nn {

/// A multi-layer perceptron of any widths: x_{l+1} = f(W_l x_l + b_l), with the output activation (identity by default)
/// on the last layer.
///
/// The parameter vector holds weight (out x in, row-major) and bias of each layer in turn, named as in a PyTorch
/// `Sequential(Linear, activation, Linear, ...)`: "0.weight", "0.bias", "2.weight", ...
template <class Scalar_ = float>
class Mlp {
 public:
  using Scalar = Scalar_;
  using Output = Eigen::Map<const Matrix<Scalar>>;

  /// What a backward pass needs: the input (seen, not copied) and the activated values of every layer.
  class Tape {
    friend class Mlp;
    const Scalar* input_ = nullptr;
    Index batch_ = 0;
    std::vector<Buffer<Scalar>> layers_;
    Buffer<Scalar> deltas_[2];
  };

  /// `widths`: inputs, hidden widths, outputs. Throws Error for fewer than two widths or one that is not positive.
  explicit Mlp(std::vector<Index> widths, Activation hidden = Activation::ReLU,
               Activation output = Activation::Identity)
      : widths_(std::move(widths)), hidden_(hidden), output_(output) {
    require(widths_.size() >= 2, "nn::Mlp", "needs at least the widths of input and output", widths_.size());
    for (const Index width : widths_) require(width > 0, "nn::Mlp", "every width must be positive", width);
    for (Index l = 0; l < layers(); ++l) parameters_ += width(l + 1) * (width(l) + 1);
  }
  explicit Mlp(std::initializer_list<Index> widths, Activation hidden = Activation::ReLU,
               Activation output = Activation::Identity)
      : Mlp(std::vector<Index>(widths), hidden, output) {}

  Index inputs() const { return widths_.front(); }
  Index outputs() const { return widths_.back(); }
  Index parameters() const { return parameters_; }
  const std::vector<Index>& widths() const { return widths_; }

  std::vector<Segment> segments() const;

  /// inputs x batch -> outputs x batch. The view lives in the tape until its next forward pass.
  Output forward(const ConstVectorRef<Scalar>& theta, const ConstMatrixRef<Scalar>& input, Tape& tape) const;

  /// Adds d loss / d theta into `gradient`; with `d_input` (inputs x batch) given, writes d loss / d input there.
  void backward(const ConstVectorRef<Scalar>& theta, Tape& tape, const ConstMatrixRef<Scalar>& d_output,
                VectorRef<Scalar> gradient, MatrixRef<Scalar>* d_input = nullptr) const;

 private:
  using RowMajor = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

  Index layers() const { return static_cast<Index>(widths_.size()) - 1; }
  Index width(Index l) const { return widths_[static_cast<std::size_t>(l)]; }
  Activation activation(Index layer) const { return layer + 1 == layers() ? output_ : hidden_; }

  std::vector<Index> widths_;
  Activation hidden_, output_;
  Index parameters_ = 0;
};

template <class Scalar>
std::vector<Segment> Mlp<Scalar>::segments() const {
  std::vector<Segment> segments;
  Index offset = 0;
  for (Index l = 0; l < layers(); ++l) {
    const Index in = width(l), out = width(l + 1);
    segments.push_back({fmt::format("{}.weight", 2 * l), {out, in}, offset, in, Segment::Kind::Weight});
    segments.push_back({fmt::format("{}.bias", 2 * l), {out}, offset + out * in, in, Segment::Kind::Bias});
    offset += out * (in + 1);
  }
  return segments;
}

template <class Scalar>
auto Mlp<Scalar>::forward(const ConstVectorRef<Scalar>& theta, const ConstMatrixRef<Scalar>& input, Tape& tape) const
    -> Output {
  assert(theta.size() == parameters_ && input.rows() == inputs());
  const Index batch = input.cols();
  tape.input_ = input.data();
  tape.batch_ = batch;
  tape.layers_.resize(static_cast<std::size_t>(layers()));
  const Scalar* at = theta.data();
  const Scalar* below = tape.input_;
  for (Index l = 0; l < layers(); ++l) {
    const Index in = width(l), out = width(l + 1);
    const Eigen::Map<const RowMajor> weight(at, out, in);
    const Eigen::Map<const Vector<Scalar>> bias(at + out * in, out);
    const Eigen::Map<const Matrix<Scalar>> x(below, in, batch);
    auto y = tape.layers_[static_cast<std::size_t>(l)].reshape(out, batch);
    y.colwise() = bias;
    add_product(y, weight, x);
    activate<Scalar>(activation(l), y);
    at += out * (in + 1);
    below = y.data();
  }
  return {below, outputs(), batch};
}

template <class Scalar>
void Mlp<Scalar>::backward(const ConstVectorRef<Scalar>& theta, Tape& tape, const ConstMatrixRef<Scalar>& d_output,
                           VectorRef<Scalar> gradient, MatrixRef<Scalar>* d_input) const {
  const Index batch = tape.batch_;
  assert(tape.input_ != nullptr && d_output.rows() == outputs() && d_output.cols() == batch &&
         gradient.size() == parameters_);
  const Scalar* delta_data = d_output.data();
  Index offset = parameters_;
  for (Index l = layers() - 1; l >= 0; --l) {
    const Index in = width(l), out = width(l + 1);
    offset -= out * (in + 1);
    if (activation(l) != Activation::Identity) {  // delta becomes d loss / d (W x + b)
      auto delta = tape.deltas_[l % 2].reshape(out, batch);
      if (delta.data() != delta_data) delta = Eigen::Map<const Matrix<Scalar>>(delta_data, out, batch);
      multiply_by_derivative<Scalar>(activation(l), tape.layers_[static_cast<std::size_t>(l)].reshape(out, batch),
                                     delta);
      delta_data = delta.data();
    }
    const Eigen::Map<const Matrix<Scalar>> delta(delta_data, out, batch);
    const Scalar* below =
        l == 0 ? tape.input_ : tape.layers_[static_cast<std::size_t>(l - 1)].reshape(in, batch).data();
    const Eigen::Map<const Matrix<Scalar>> x(below, in, batch);
    Eigen::Map<RowMajor> d_weight(gradient.data() + offset, out, in);
    Eigen::Map<Vector<Scalar>> d_bias(gradient.data() + offset + out * in, out);
    add_product(d_weight.transpose(), x, delta.transpose());
    for (Index i = 0; i < batch; ++i) d_bias += delta.col(i);
    const Eigen::Map<const RowMajor> weight(theta.data() + offset, out, in);
    if (l > 0) {
      auto d_below = tape.deltas_[(l - 1) % 2].reshape(in, batch);
      d_below.setZero();
      add_product(d_below, weight.transpose(), delta);
      delta_data = d_below.data();
    } else if (d_input != nullptr) {
      d_input->setZero();
      add_product(*d_input, weight.transpose(), delta);
    }
  }
}

}  // namespace mellow::nn

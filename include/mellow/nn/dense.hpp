// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cassert>
#include <string>
#include <utility>
#include <vector>

#include <mellow/core/buffer.hpp>
#include <mellow/core/error.hpp>
#include <mellow/core/gemm.hpp>
#include <mellow/core/network.hpp>
#include <mellow/core/types.hpp>

namespace mellow::nn {

namespace detail {

/// The shape of a dense layer y = W x + b, whose parameters are W (out x in, row-major), then b (out), and its passes
/// over arrays where they lie: x is in x batch, y and d_y are out x batch.
struct DenseShape {
  Index in, out;

  Index parameters() const { return out * (in + 1); }

  /// y = W x + b.
  template <class Scalar>
  void forward(const Scalar* parameters, const Scalar* x, Index batch, Scalar* y) const {
    for (Index i = 0; i < batch; ++i) std::copy_n(parameters + out * in, out, y + i * out);
    Eigen::Map<Matrix<Scalar>> to(y, out, batch);
    add_product(to, weight(parameters), Eigen::Map<const Matrix<Scalar>>(x, in, batch));
  }

  /// Adds d_y x' and the sum of d_y over the batch to the gradients of W and b.
  template <class Scalar>
  void add_gradient(const Scalar* x, const Scalar* d_y, Index batch, Scalar* gradient) const {
    const Eigen::Map<const Matrix<Scalar>> delta(d_y, out, batch);
    Eigen::Map<Matrix<Scalar>> d_weight_transposed(gradient, in, out);
    add_product(d_weight_transposed, Eigen::Map<const Matrix<Scalar>>(x, in, batch), delta.transpose());
    Eigen::Map<Vector<Scalar>> d_bias(gradient + out * in, out);
    for (Index i = 0; i < batch; ++i) d_bias += delta.col(i);
  }

  /// d_x = W' d_y; the columns of d_x lie `stride` apart.
  template <class Scalar>
  void input_gradient(const Scalar* parameters, const Scalar* d_y, Index batch, Scalar* d_x, Index stride) const {
    Eigen::Map<Matrix<Scalar>, 0, Eigen::OuterStride<>> to(d_x, in, batch, Eigen::OuterStride<>(stride));
    for (Index i = 0; i < batch; ++i) std::fill_n(d_x + i * stride, in, Scalar(0));
    add_product(to, weight(parameters).transpose(), Eigen::Map<const Matrix<Scalar>>(d_y, out, batch));
  }

  /// Appends the segments `prefix`weight and `prefix`bias, which begin at `offset`; returns where they end.
  Index append_segments(const std::string& prefix, Index offset, std::vector<Segment>& segments) const {
    segments.push_back({prefix + "weight", {out, in}, offset, in, Segment::Kind::Weight});
    segments.push_back({prefix + "bias", {out}, offset + out * in, in, Segment::Kind::Bias});
    return offset + parameters();
  }

 private:
  template <class Scalar>
  auto weight(const Scalar* parameters) const {
    return Eigen::Map<const Matrix<Scalar>>(parameters, in, out).transpose();
  }
};

}  // namespace detail

/// A dense layer y = W x + b with parameters "weight" (out x in, row-major), "bias": for `Sequential`, or alone as a
/// linear function.
template <class Scalar_ = float>
class Dense {
 public:
  using Scalar = Scalar_;                           ///< of parameters and values
  using Output = Eigen::Map<const Matrix<Scalar>>;  ///< what `forward` gives: a view

  /// What a backward pass needs: the input (seen, not copied).
  class Tape {
    friend class Dense;
    const Scalar* input_ = nullptr;
    Index batch_ = 0;
    Buffer<Scalar> value_, input_copy_, d_output_copy_;  // copies of what does not lie in memory column by column
  };

  /// Throws Error for a width that is not positive.
  Dense(Index inputs, Index outputs) : shape_{inputs, outputs} {
    require(inputs > 0, "nn::Dense", "the width of the input must be positive", inputs);
    require(outputs > 0, "nn::Dense", "the width of the output must be positive", outputs);
  }

  Index inputs() const { return shape_.in; }                ///< width of the input
  Index outputs() const { return shape_.out; }              ///< width of the output
  Index parameters() const { return shape_.parameters(); }  ///< length of theta

  /// The named pieces of theta.
  std::vector<Segment> segments() const {
    std::vector<Segment> segments;
    shape_.append_segments("", 0, segments);
    return segments;
  }

  /// inputs x batch -> outputs x batch. The view lives in the tape until its next forward pass. A matrix, or a block of
  /// one, is not copied and must stay as it is until the backward pass; any other expression is.
  template <class Input>
  Output forward(const ConstVectorRef<Scalar>& theta, Input&& input, Tape& tape) const {
    assert(theta.size() == parameters() && input.rows() == inputs());
    tape.input_ = contiguous(std::forward<Input>(input), tape.input_copy_);
    tape.batch_ = input.cols();
    auto value = tape.value_.reshape(shape_.out, tape.batch_);
    shape_.forward(theta.data(), tape.input_, tape.batch_, value.data());
    return {value.data(), shape_.out, tape.batch_};
  }

  /// Adds d loss / d theta into `gradient`; with `d_input` (inputs x batch) given, writes d loss / d input there.
  void backward(const ConstVectorRef<Scalar>& theta, Tape& tape, const ConstMatrixRef<Scalar>& d_output,
                VectorRef<Scalar> gradient, MatrixRef<Scalar>* d_input = nullptr) const {
    assert(tape.input_ != nullptr && d_output.rows() == outputs() && d_output.cols() == tape.batch_ &&
           gradient.size() == parameters());
    const Scalar* delta = contiguous(d_output, tape.d_output_copy_);
    shape_.add_gradient(tape.input_, delta, tape.batch_, gradient.data());
    if (d_input != nullptr)
      shape_.input_gradient(theta.data(), delta, tape.batch_, d_input->data(), d_input->outerStride());
  }

 private:
  detail::DenseShape shape_;
};

}  // namespace mellow::nn

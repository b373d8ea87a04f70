// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cassert>
#include <string>
#include <utility>
#include <vector>

#include <mellow/core/buffer.hpp>
#include <mellow/core/error.hpp>
#include <mellow/core/network.hpp>
#include <mellow/core/types.hpp>
#include <mellow/nn/linear.hpp>

namespace mellow::nn {

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
  Dense(Index inputs, Index outputs) : linear_{inputs, outputs} {
    require(inputs > 0, "nn::Dense", "the width of the input must be positive", inputs);
    require(outputs > 0, "nn::Dense", "the width of the output must be positive", outputs);
  }

  Index inputs() const { return linear_.in; }                ///< width of the input
  Index outputs() const { return linear_.out; }              ///< width of the output
  Index parameters() const { return linear_.parameters(); }  ///< length of theta

  /// The named pieces of theta.
  std::vector<Segment> segments() const {
    std::vector<Segment> segments;
    linear_.append_segments("", 0, segments);
    return segments;
  }

  /// inputs x batch -> outputs x batch. The view lives in the tape until its next forward pass. A matrix, or a block of
  /// one, is not copied and must stay as it is until the backward pass; any other expression is.
  template <class Input>
  Output forward(const ConstVectorRef<Scalar>& theta, Input&& input, Tape& tape) const {
    assert(theta.size() == parameters() && input.rows() == inputs());
    tape.input_ = contiguous(std::forward<Input>(input), tape.input_copy_);
    tape.batch_ = input.cols();
    auto value = tape.value_.reshape(linear_.out, tape.batch_);
    linear_.set(theta.data(), tape.input_, tape.batch_, value.data());
    return {value.data(), linear_.out, tape.batch_};
  }

  /// Adds d loss / d theta into `gradient`; with `d_input` (inputs x batch) given, writes d loss / d input there.
  void backward(const ConstVectorRef<Scalar>& theta, Tape& tape, const ConstMatrixRef<Scalar>& d_output,
                VectorRef<Scalar> gradient, MatrixRef<Scalar>* d_input = nullptr) const {
    assert(tape.input_ != nullptr && d_output.rows() == outputs() && d_output.cols() == tape.batch_ &&
           gradient.size() == parameters());
    const Scalar* delta = contiguous(d_output, tape.d_output_copy_);
    linear_.add_gradient(tape.input_, delta, tape.batch_, gradient.data());
    if (d_input != nullptr)
      linear_.input_gradient(theta.data(), delta, tape.batch_, d_input->data(), d_input->outerStride());
  }

 private:
  detail::Linear linear_;
};

}  // namespace mellow::nn

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>
#include <cmath>
#include <utility>
#include <vector>

#include <mellow/core/buffer.hpp>
#include <mellow/core/error.hpp>
#include <mellow/core/network.hpp>
#include <mellow/core/types.hpp>

namespace mellow::nn {

/// Layer normalisation (Ba et al. 2016), a layer of `Sequential` with parameters "weight" (the scale) and "bias" (the
/// shift), which begin as 1 and 0 whatever the initialiser and do not decay. For each sample, over its n numbers:
///
///     z = (x - mean(x)) / sqrt(variance(x) + epsilon),     y = scale z + shift
///     d x = (d z - mean(d z) - z mean(z d z)) / sqrt(variance(x) + epsilon)     with d z = scale d y
///
/// Choose it to keep values and their gradients of one size where targets move, as in deep Q-learning without a target
/// network.
template <class Scalar_ = float>
class LayerNorm {
 public:
  using Scalar = Scalar_;                           ///< of parameters and values
  using Output = Eigen::Map<const Matrix<Scalar>>;  ///< what `forward` gives: a view

  /// What a backward pass needs: z and 1 / sqrt(variance + epsilon).
  class Tape {
    friend class LayerNorm;
    Index batch_ = 0;
    Buffer<Scalar> normalized_, inverse_deviation_, value_;
  };

  /// Of `width` numbers a sample; `epsilon` keeps the root from 0. Throws Error where one of them is not positive.
  explicit LayerNorm(Index width, double epsilon = 1e-5) : width_(width), epsilon_(epsilon) {
    require(width > 0, "nn::LayerNorm", "width must be positive", width);
    require(std::isfinite(epsilon) && epsilon > 0, "nn::LayerNorm", "epsilon must be positive and finite", epsilon);
  }

  Index inputs() const { return width_; }          ///< numbers a sample
  Index outputs() const { return width_; }         ///< the same
  Index parameters() const { return 2 * width_; }  ///< length of theta

  /// The named pieces of theta.
  std::vector<Segment> segments() const {
    return {{"weight", {width_}, 0, width_, Segment::Kind::Scale},
            {"bias", {width_}, width_, width_, Segment::Kind::Shift}};
  }

  /// width x batch -> width x batch. The view lives in the tape until its next forward pass.
  Output forward(const ConstVectorRef<Scalar>& theta, const ConstMatrixRef<Scalar>& input, Tape& tape) const {
    assert(theta.size() == parameters() && input.rows() == width_);
    const Index batch = tape.batch_ = input.cols();
    auto z = tape.normalized_.reshape(width_, batch), y = tape.value_.reshape(width_, batch);
    auto scales = tape.inverse_deviation_.reshape(1, batch);
    for (Index i = 0; i < batch; ++i) {
      z.col(i).array() = input.col(i).array() - input.col(i).mean();
      const Scalar variance = z.col(i).squaredNorm() / static_cast<Scalar>(width_);
      scales(i) = Scalar(1) / std::sqrt(variance + static_cast<Scalar>(epsilon_));
      z.col(i) *= scales(i);
      y.col(i) = z.col(i).cwiseProduct(theta.head(width_)) + theta.tail(width_);
    }
    return {y.data(), width_, batch};
  }

  /// Adds d loss / d theta into `gradient`; with `d_input` (width x batch) given, writes d loss / d input there.
  void backward(const ConstVectorRef<Scalar>& theta, Tape& tape, const ConstMatrixRef<Scalar>& d_output,
                VectorRef<Scalar> gradient, MatrixRef<Scalar>* d_input = nullptr) const {
    const Index batch = tape.batch_;
    assert(d_output.rows() == width_ && d_output.cols() == batch && gradient.size() == parameters());
    const auto z = tape.normalized_.reshape(width_, batch);
    const auto scales = tape.inverse_deviation_.reshape(1, batch);
    for (Index i = 0; i < batch; ++i) {
      const auto d_y = d_output.col(i).array();
      const auto z_i = z.col(i).array();
      gradient.head(width_).array() += d_y * z_i;
      gradient.tail(width_).array() += d_y;
      if (d_input == nullptr) continue;
      auto d_x = d_input->col(i).array();
      d_x = d_y * theta.head(width_).array();
      const Scalar mean = d_x.mean(), along = (d_x * z_i).mean();
      d_x = scales(i) * (d_x - mean - along * z_i);
    }
  }

 private:
  Index width_;
  double epsilon_;
};

}  // namespace mellow::nn

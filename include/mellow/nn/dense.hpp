// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <mellow/core/gemm.hpp>
#include <mellow/core/network.hpp>
#include <mellow/core/types.hpp>

namespace mellow::nn::detail {

/// The shape of a dense layer y = W x + b, whose parameters are W (out x in, row-major), then b (out), and its passes
/// over arrays where they lie: x is in x batch, y and d_y are out x batch.
struct DenseShape {
  Index in, out;

  Index parameters() const { return out * (in + 1); }

  /// y = W x + b.
  template <class Scalar>
  void forward(const Scalar* parameters, const Scalar* x, Index batch, Scalar* y) const {
    const Eigen::Map<const Vector<Scalar>> bias(parameters + out * in, out);
    Eigen::Map<Matrix<Scalar>> to(y, out, batch);
    to.colwise() = bias;
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
    to.setZero();
    add_product(to, weight(parameters).transpose(), Eigen::Map<const Matrix<Scalar>>(d_y, out, batch));
  }

  /// Appends the segments `name`.weight and `name`.bias, which begin at `offset`; returns where they end.
  Index append_segments(const std::string& name, Index offset, std::vector<Segment>& segments) const {
    segments.push_back({name + ".weight", {out, in}, offset, in, Segment::Kind::Weight});
    segments.push_back({name + ".bias", {out}, offset + out * in, in, Segment::Kind::Bias});
    return offset + parameters();
  }

 private:
  template <class Scalar>
  auto weight(const Scalar* parameters) const {
    return Eigen::Map<const Matrix<Scalar>>(parameters, in, out).transpose();
  }
};

}  // namespace mellow::nn::detail

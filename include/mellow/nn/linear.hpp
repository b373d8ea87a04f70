// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <mellow/core/gemm.hpp>
#include <mellow/core/network.hpp>
#include <mellow/core/types.hpp>

namespace mellow::nn::detail {

/// A linear function y = W x (+ b) and its passes over arrays where they lie, as layers use it. Parameters: W (out x in,
/// row-major), then b (out) if it has one. x is in x n, y out x n.
struct Linear {
  Index in, out;
  bool has_bias = true;

  Index parameters() const { return out * (has_bias ? in + 1 : in); }

  /// Appends the segments `prefix`weight and `prefix`bias, which begin at `offset`; returns where they end.
  Index append_segments(const std::string& prefix, Index offset, std::vector<Segment>& segments) const {
    segments.push_back({prefix + "weight", {out, in}, offset, in, Segment::Kind::Weight});
    if (has_bias) segments.push_back({prefix + "bias", {out}, offset + out * in, in, Segment::Kind::Bias});
    return offset + parameters();
  }

  /// y = W x + b.
  template <class Scalar>
  void set(const Scalar* parameters, const Scalar* x, Index n, Scalar* y) const {
    product(parameters, x, n, y, true);
  }

  /// y += W x + b.
  template <class Scalar>
  void add(const Scalar* parameters, const Scalar* x, Index n, Scalar* y) const {
    product(parameters, x, n, y, false);
  }

  /// Adds d_y x' and the sum of d_y over its columns to the gradients of W and b.
  template <class Scalar>
  void add_gradient(const Scalar* x, const Scalar* d_y, Index n, Scalar* gradient) const {
    mellow::detail::Gemm<Scalar>::add(in, out, n, {x, 1, in}, {d_y, out, 1}, {gradient, 1, in});
    if (!has_bias) return;
    Eigen::Map<Vector<Scalar>> d_bias(gradient + out * in, out);
    for (Index i = 0; i < n; ++i) d_bias += Eigen::Map<const Vector<Scalar>>(d_y + i * out, out);
  }

  /// d_x = W' d_y; the columns of d_x lie `stride` apart.
  template <class Scalar>
  void input_gradient(const Scalar* parameters, const Scalar* d_y, Index n, Scalar* d_x, Index stride) const {
    mellow::detail::Gemm<Scalar>::set(in, n, out, {parameters, 1, in}, {d_y, 1, out}, {d_x, 1, stride});
  }

 private:
  template <class Scalar>
  void product(const Scalar* parameters, const Scalar* x, Index n, Scalar* y, bool overwrite) const {
    mellow::detail::Gemm<Scalar>::add(out, n, in, {parameters, in, 1}, {x, 1, in},
                                      {y, 1, out, overwrite, has_bias ? parameters + out * in : nullptr});
  }
};

}  // namespace mellow::nn::detail

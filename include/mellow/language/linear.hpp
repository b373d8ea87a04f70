// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cassert>

#include <mellow/core/gemm.hpp>
#include <mellow/core/types.hpp>

namespace mellow::language::detail {

/// A linear function y = W x (+ b) over arrays where they lie, as the parts of a transformer use it: its sums go on top
/// of what is there. Parameters: W (out x in, row-major), then b (out) if it has one. x is in x n, y out x n.
struct Linear {
  Index in, out;
  bool has_bias;

  Index parameters() const { return out * (has_bias ? in + 1 : in); }

  /// y = W x + b.
  template <class Scalar>
  void set(const Scalar* parameters, const Scalar* x, Index n, Scalar* y) const {
    if (has_bias)
      for (Index i = 0; i < n; ++i) std::copy_n(parameters + out * in, out, y + i * out);
    product(parameters, x, n, y, !has_bias);
  }

  /// y += W x + b.
  template <class Scalar>
  void add(const Scalar* parameters, const Scalar* x, Index n, Scalar* y) const {
    if (has_bias) {
      const Eigen::Map<const Vector<Scalar>> bias(parameters + out * in, out);
      for (Index i = 0; i < n; ++i) Eigen::Map<Vector<Scalar>>(y + i * out, out) += bias;
    }
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

  /// d_x = W' d_y.
  template <class Scalar>
  void input_gradient(const Scalar* parameters, const Scalar* d_y, Index n, Scalar* d_x) const {
    mellow::detail::Gemm<Scalar>::set(in, n, out, {parameters, 1, in}, {d_y, 1, out}, {d_x, 1, in});
  }

 private:
  template <class Scalar>
  void product(const Scalar* parameters, const Scalar* x, Index n, Scalar* y, bool overwrite) const {
    mellow::detail::Gemm<Scalar>::add(out, n, in, {parameters, in, 1}, {x, 1, in}, {y, 1, out, overwrite});
  }
};

}  // namespace mellow::language::detail

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/QR>

#include <algorithm>
#include <cmath>
#include <numbers>

#include <mellow/core/error.hpp>
#include <mellow/core/network.hpp>
#include <mellow/core/parts.hpp>
#include <mellow/core/rng.hpp>

namespace mellow::nn {

/// Saxe et al. 2014: a weight with orthonormal rows or columns (whichever are fewer) times `gain`; biases 0.
struct Orthogonal {
  using role = roles::Initializer;

  double gain = std::numbers::sqrt2;  ///< > 0; sqrt(2) suits ReLU layers

  /// Throws Error for a gain out of range.
  void validate() const {
    require(std::isfinite(gain) && gain > 0, "nn::Orthogonal", "gain must be positive and finite", gain);
  }

  /// Draws a segment's numbers.
  template <class Scalar>
  void fill(const Segment& segment, VectorRef<Scalar> values, Rng& rng) const {
    if (segment.kind == Segment::Kind::Bias) {
      values.setZero();
      return;
    }
    const Index rows = segment.shape[0], columns = segment.size() / rows, longer = std::max(rows, columns),
                shorter = std::min(rows, columns);
    Matrix<double> normals(longer, shorter);
    for (Index j = 0; j < shorter; ++j)
      for (Index i = 0; i < longer; ++i) normals(i, j) = rng.normal();
    const Eigen::HouseholderQR<Matrix<double>> qr(normals);
    Matrix<double> q = qr.householderQ() * Matrix<double>::Identity(longer, shorter);
    for (Index j = 0; j < shorter; ++j)  // the sign of R's diagonal makes Q uniform over the orthogonal matrices
      if (qr.matrixQR()(j, j) < 0) q.col(j) = -q.col(j);
    using RowMajor = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    Eigen::Map<RowMajor> weight(values.data(), rows, columns);
    if (rows >= columns) weight = (gain * q).template cast<Scalar>();
    else weight = (gain * q.transpose()).template cast<Scalar>();
  }
};

}  // namespace mellow::nn

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/QR>

#include <cmath>
#include <numbers>

#include <mellow/core/error.hpp>
#include <mellow/core/network.hpp>
#include <mellow/core/parts.hpp>
#include <mellow/core/rng.hpp>

namespace mellow::nn {

/// PyTorch's default for a dense layer: weight and bias uniform in +-1/sqrt(fan_in).
struct PyTorchDefault {
  using role = roles::Initializer;

  template <class Scalar>
  void fill(const Segment& segment, VectorRef<Scalar> values, Rng& rng) const {
    const double bound = 1.0 / std::sqrt(static_cast<double>(segment.fan_in));
    for (Scalar& x : values) x = static_cast<Scalar>(rng.uniform(-bound, bound));
  }
};

/// He et al. 2015: weights normal with deviation sqrt(2/fan_in), which keeps the variance through ReLU layers; biases
/// 0.
struct He {
  using role = roles::Initializer;

  template <class Scalar>
  void fill(const Segment& segment, VectorRef<Scalar> values, Rng& rng) const {
    const double deviation =
        segment.kind == Segment::Kind::Bias ? 0.0 : std::sqrt(2.0 / static_cast<double>(segment.fan_in));
    for (Scalar& x : values) x = deviation == 0.0 ? Scalar(0) : static_cast<Scalar>(rng.normal(0.0, deviation));
  }
};

/// Saxe et al. 2014: a weight with orthonormal rows or columns (whichever are fewer) times `gain`; biases 0.
struct Orthogonal {
  using role = roles::Initializer;

  double gain = std::numbers::sqrt2;  ///< > 0; sqrt(2) suits ReLU layers

  void validate() const {
    require(std::isfinite(gain) && gain > 0, "nn::Orthogonal", "gain must be positive and finite", gain);
  }

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

/// Starts from parameters that exist already: a trained network, a file. Wrap them with `pretrained(theta)`.
template <class Scalar>
struct Pretrained {
  using role = roles::Initializer;
  Vector<Scalar> theta;
};
template <class Derived>
Pretrained<typename Derived::Scalar> pretrained(const Eigen::MatrixBase<Derived>& theta) {
  return {theta};
}

/// A network's initial parameters, segment by segment. Throws Error where pretrained parameters do not fit the network.
template <Network Net, class Initializer = PyTorchDefault>
Vector<typename Net::Scalar> initialize(const Net& network, Rng& rng, const Initializer& initializer = {}) {
  validate_part(initializer);
  if constexpr (requires { initializer.theta; }) {
    if (initializer.theta.size() != network.parameters())
      throw Error(
          "nn::initialize",
          fmt::format("the network has {} parameters; the pretrained vector does not fit", network.parameters()),
          initializer.theta.size());
    return initializer.theta;
  } else {
    Vector<typename Net::Scalar> theta(network.parameters());
    for (const Segment& segment : network.segments())
      initializer.template fill<typename Net::Scalar>(segment, theta.segment(segment.offset, segment.size()), rng);
    return theta;
  }
}

}  // namespace mellow::nn

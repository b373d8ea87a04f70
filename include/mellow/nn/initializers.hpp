// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <mellow/core/error.hpp>
#include <mellow/core/memory.hpp>
#include <mellow/core/network.hpp>
#include <mellow/core/parts.hpp>
#include <mellow/core/rng.hpp>

namespace mellow::nn {

/// PyTorch's default for a dense layer: weight and bias uniform in +-1/sqrt(fan_in).
struct PyTorchDefault {
  using role = roles::Initializer;

  /// Draws a segment's numbers.
  template <class Scalar>
  void fill(const Segment& segment, VectorRef<Scalar> values, Rng& rng) const {
    const double bound = 1.0 / std::sqrt(static_cast<double>(segment.fan_in));
    for (Scalar& x : values) x = static_cast<Scalar>(rng.uniform(-bound, bound));
  }
};

/// Starts from parameters that exist already: a trained network, a file. Wrap them with `pretrained(theta)`.
template <class Scalar>
struct Pretrained {
  using role = roles::Initializer;
  Vector<Scalar> theta;  ///< the network's parameters, all of them
};
/// Names these parameters as the initial ones.
template <class Derived>
Pretrained<typename Derived::Scalar> pretrained(const Eigen::MatrixBase<Derived>& theta) {
  return {theta};
}

/// A network's initial parameters, segment by segment. The initialiser fills weights and biases; whatever it is, a
/// normalisation begins with scale 1 and shift 0, and deviations of noise as their layer says. Throws Error where pretrained parameters do not fit the network.
template <Parametric Net, class Initializer = PyTorchDefault>
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
    using Theta = Vector<typename Net::Scalar>;
    Theta theta = within_memory("nn::initialize", "this many parameters do not fit into memory", network.parameters(),
                                [&] { return Theta(network.parameters()); });
    for (const Segment& segment : network.segments()) {
      auto values = theta.segment(segment.offset, segment.size());
      if (segment.kind == Segment::Kind::Scale) values.setOnes();
      else if (segment.kind == Segment::Kind::Shift) values.setZero();
      else if (segment.kind == Segment::Kind::Deviation)
        values.setConstant(static_cast<typename Net::Scalar>(segment.initial));
      else initializer.template fill<typename Net::Scalar>(segment, values, rng);
    }
    return theta;
  }
}

}  // namespace mellow::nn

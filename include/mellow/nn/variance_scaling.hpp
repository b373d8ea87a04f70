// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <numbers>

#include <mellow/core/error.hpp>
#include <mellow/core/network.hpp>
#include <mellow/core/parts.hpp>
#include <mellow/core/rng.hpp>

/// Initialisers that choose the variance of a weight by how many units it connects, so that signals neither fade nor
/// grow from layer to layer; biases 0.
namespace mellow::nn {

/// How weights of a given standard deviation are drawn.
enum class Distribution {
  Normal,           ///< of mean 0
  Uniform,          ///< within +- sqrt(3) deviations
  TruncatedNormal,  ///< a normal cut off at two of its deviations, and wide enough to have the given one, as in JAX
};

namespace detail {

/// Weights of mean 0 and the given deviation; zeros for biases.
template <class Scalar>
void fill_scaled(const Segment& segment, VectorRef<Scalar> values, double deviation, Distribution distribution,
                 Rng& rng) {
  if (segment.kind == Segment::Kind::Bias) {
    values.setZero();
    return;
  }
  constexpr double deviation_of_truncated = 0.87962566103423978;  // of a standard normal cut off at +-2
  for (Scalar& x : values) {
    double draw = 0.0;
    switch (distribution) {
      case Distribution::Normal:
        draw = rng.normal();
        break;
      case Distribution::Uniform:
        draw = rng.uniform(-std::numbers::sqrt3, std::numbers::sqrt3);
        break;
      case Distribution::TruncatedNormal:
        do draw = rng.normal();
        while (std::abs(draw) > 2.0);
        draw /= deviation_of_truncated;
        break;
    }
    x = static_cast<Scalar>(deviation * draw);
  }
}

}  // namespace detail

/// Weights of one deviation whatever their shape, as transformers begin (Radford et al. 2018).
struct Normal {
  using role = roles::Initializer;

  double deviation = 0.02;  ///< > 0

  /// Throws Error for numbers out of range.
  void validate() const {
    require(std::isfinite(deviation) && deviation > 0, "nn::Normal", "deviation must be positive and finite",
            deviation);
  }

  /// Draws a segment's first values.
  template <class Scalar>
  void fill(const Segment& segment, VectorRef<Scalar> values, Rng& rng) const {
    detail::fill_scaled<Scalar>(segment, values, deviation, Distribution::Normal, rng);
  }
};

/// Glorot & Bengio 2010: deviation gain sqrt(2 / (fan_in + fan_out)), between what the forward and what the backward
/// pass asks; for tanh and sigmoid. As it stands PyTorch's xavier_uniform_.
struct Glorot {
  using role = roles::Initializer;

  double gain = 1.0;                                  ///< > 0; 5/3 is PyTorch's advice for tanh
  Distribution distribution = Distribution::Uniform;  ///< see Distribution

  /// Throws Error for numbers out of range.
  void validate() const {
    require(std::isfinite(gain) && gain > 0, "nn::Glorot", "gain must be positive and finite", gain);
  }

  /// Draws a segment's first values.
  template <class Scalar>
  void fill(const Segment& segment, VectorRef<Scalar> values, Rng& rng) const {
    const auto fans = static_cast<double>(segment.fan_in + segment.fan_out());
    detail::fill_scaled<Scalar>(segment, values, gain * std::sqrt(2.0 / fans), distribution, rng);
  }
};

/// He et al. 2015: deviation sqrt(2 / ((1 + slope^2) fan)), which keeps the variance through layers of (leaky) ReLU. As
/// it stands PyTorch's kaiming_normal_.
struct He {
  using role = roles::Initializer;

  /// Which variance is kept: that of the signal (by inputs) or that of the gradient (by outputs).
  enum class Fan { In, Out };

  Fan fan = Fan::In;                                 ///< see Fan
  double slope = 0.0;                                ///< of the activation below zero, finite
  Distribution distribution = Distribution::Normal;  ///< see Distribution

  /// Throws Error for numbers out of range.
  void validate() const { require(std::isfinite(slope), "nn::He", "slope must be finite", slope); }

  /// Draws a segment's first values.
  template <class Scalar>
  void fill(const Segment& segment, VectorRef<Scalar> values, Rng& rng) const {
    const auto units = static_cast<double>(fan == Fan::In ? segment.fan_in : segment.fan_out());
    detail::fill_scaled<Scalar>(segment, values, std::sqrt(2.0 / ((1.0 + slope * slope) * units)), distribution, rng);
  }
};

/// LeCun et al. 1998: deviation sqrt(1 / fan_in), which keeps the variance through linear layers. As it stands the
/// default of JAX's Flax (`lecun_normal`, which truncates).
struct LeCun {
  using role = roles::Initializer;

  Distribution distribution = Distribution::TruncatedNormal;  ///< see Distribution

  /// Draws a segment's first values.
  template <class Scalar>
  void fill(const Segment& segment, VectorRef<Scalar> values, Rng& rng) const {
    detail::fill_scaled<Scalar>(segment, values, std::sqrt(1.0 / static_cast<double>(segment.fan_in)), distribution,
                                rng);
  }
};

}  // namespace mellow::nn

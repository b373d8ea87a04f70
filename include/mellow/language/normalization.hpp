// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include <mellow/core/buffer.hpp>
#include <mellow/core/network.hpp>
#include <mellow/core/types.hpp>

namespace mellow::language {

/// What a normalisation keeps for its backward pass, of some columns.
template <class Scalar>
struct NormTape {
  Buffer<Scalar> normalized;  ///< width x columns
  Buffer<Scalar> inverse;     ///< 1 x columns: one over the root
  Buffer<Scalar> value;       ///< width x columns, the result

  /// Makes room.
  void resize(Index width, Index columns) {
    normalized.reshape(width, columns);
    inverse.reshape(1, columns);
    value.reshape(width, columns);
  }
};

namespace detail {

/// Normalisation of columns x of `width` numbers, with scale g and, where `centred`, shift b:
///
///     z = (x - c) / sqrt(mean((x - c)^2) + epsilon),     y = g z + b,     c = mean(x) where centred, else 0
///     d x = (d z - [centred] mean(d z) - z mean(z d z)) / sqrt(..)     with d z = g d y
template <bool centred>
struct Normalization {
  Index width;
  double epsilon;

  static constexpr Index numbers = centred ? 2 : 1;  // of parameters a feature
  Index parameters() const { return numbers * width; }

  /// Appends the segments of scale and shift, which begin at `offset`; returns where they end.
  Index append_segments(const std::string& name, Index offset, std::vector<Segment>& segments) const {
    segments.push_back({name + ".weight", {width}, offset, width, Segment::Kind::Scale});
    if constexpr (centred) segments.push_back({name + ".bias", {width}, offset + width, width, Segment::Kind::Shift});
    return offset + parameters();
  }

  /// Gives y, width x n, which lives in the tape as its columns `begin` and later.
  template <class Scalar>
  const Scalar* forward(const Scalar* parameters, const Scalar* x, Index begin, Index n, NormTape<Scalar>& tape) const {
    using Column = Eigen::Map<Eigen::Array<Scalar, Eigen::Dynamic, 1>>;
    using ConstColumn = Eigen::Map<const Eigen::Array<Scalar, Eigen::Dynamic, 1>>;
    Scalar* const normalized = tape.normalized.data() + begin * width;
    Scalar* const inverse = tape.inverse.data() + begin;
    Scalar* const value = tape.value.data() + begin * width;
    const auto count = static_cast<Scalar>(width);
    const ConstColumn scale(parameters, width), shift(parameters + (centred ? width : 0), width);
    for (Index i = 0; i < n; ++i) {
      const ConstColumn from(x + i * width, width);
      Column z(normalized + i * width, width), y(value + i * width, width);
      if constexpr (centred) z = from - from.sum() / count;
      else z = from;
      inverse[i] = Scalar(1) / std::sqrt(z.square().sum() / count + static_cast<Scalar>(epsilon));
      z *= inverse[i];
      if constexpr (centred) y = z * scale + shift;
      else y = z * scale;
    }
    return value;
  }

  /// Adds d x to `d_x` and the gradients of the parameters to `gradient`.
  template <class Scalar>
  void backward(const Scalar* parameters, const Scalar* d_value, Index begin, Index n, NormTape<Scalar>& tape,
                Scalar* gradient, Scalar* d_x) const {
    using Column = Eigen::Map<Eigen::Array<Scalar, Eigen::Dynamic, 1>>;
    using ConstColumn = Eigen::Map<const Eigen::Array<Scalar, Eigen::Dynamic, 1>>;
    const Scalar* const normalized = tape.normalized.data() + begin * width;
    const Scalar* const inverse = tape.inverse.data() + begin;
    const auto count = static_cast<Scalar>(width);
    const ConstColumn scale(parameters, width);
    Column d_scale(gradient, width);
    for (Index i = 0; i < n; ++i) {
      const ConstColumn z(normalized + i * width, width), d_y(d_value + i * width, width);
      Column to(d_x + i * width, width);
      d_scale += d_y * z;
      const Scalar along = (d_y * scale * z).sum() / count;
      if constexpr (centred) {
        Column(gradient + width, width) += d_y;
        const Scalar mean = (d_y * scale).sum() / count;
        to += inverse[i] * (d_y * scale - mean - along * z);
      } else {
        to += inverse[i] * (d_y * scale - along * z);
      }
    }
  }
};

}  // namespace detail

/// Layer normalisation (Ba et al. 2016): the mean is taken off, then the deviation divided out.
using LayerNorm = detail::Normalization<true>;
/// Root-mean-square normalisation (Zhang & Sennrich 2019): no mean is taken off, nothing is added.
using RmsNorm = detail::Normalization<false>;

}  // namespace mellow::language

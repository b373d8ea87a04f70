// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include <mellow/core/network.hpp>
#include <mellow/core/types.hpp>
#include <mellow/language/transformer_options.hpp>

/// How a transformer knows where a token stands. Each of these offers
///
///     parameters(), append_segments(name, offset, segments)
///     embed(parameters, position, column)          what a token's embedding gets on top
///     embed_backward(position, d_column, gradient)
///     turns                                        whether queries and keys change; where they do also
///     turn(column, heads, position), turn_back     what a query or key becomes, and a derivative by it
namespace mellow::language {

/// One learned vector a position, added to the embedding of its token (Radford et al. 2018).
template <class Scalar>
class LearnedPositions {
 public:
  static constexpr bool turns = false;  ///< whether queries and keys change

  /// Of a model of these sizes.
  explicit LearnedPositions(const TransformerOptions& options) : width_(options.width), context_(options.context) {}

  Index parameters() const { return width_ * context_; }  ///< context x width, row-major

  /// Appends the segment that begins at `offset`; returns where it ends.
  Index append_segments(const std::string& name, Index offset, std::vector<Segment>& segments) const {
    segments.push_back({name, {context_, width_}, offset, 1, Segment::Kind::Weight});
    return offset + parameters();
  }

  /// column += row `position`.
  void embed(const Scalar* parameters, Index position, Scalar* column) const {
    Eigen::Map<Vector<Scalar>>(column, width_) +=
        Eigen::Map<const Vector<Scalar>>(parameters + position * width_, width_);
  }
  /// Adds the derivative to that row's.
  void embed_backward(Index position, const Scalar* d_column, Scalar* gradient) const {
    Eigen::Map<Vector<Scalar>>(gradient + position * width_, width_) +=
        Eigen::Map<const Vector<Scalar>>(d_column, width_);
  }

 private:
  Index width_, context_;
};

/// Rotary positions (Su et al. 2021): at position t, the numbers i and i + w / 2 of each head of width w are turned by
/// the angle t base^(-2 i / w), in queries and keys, whose products then depend on distances alone.
template <class Scalar>
class RotaryPositions {
 public:
  static constexpr bool turns = true;  ///< whether queries and keys change

  /// Throws Error where the width of a head is odd.
  explicit RotaryPositions(const TransformerOptions& options) : half_(options.width / options.heads / 2) {
    require(options.width / options.heads % 2 == 0, "language::RotaryPositions", "the width of a head must be even",
            options.width / options.heads);
    cos_.resize(half_, options.context);
    sin_.resize(half_, options.context);
    for (Index t = 0; t < options.context; ++t)
      for (Index i = 0; i < half_; ++i) {
        const double frequency = std::pow(options.rotary_base, -static_cast<double>(i) / static_cast<double>(half_));
        cos_(i, t) = static_cast<Scalar>(std::cos(static_cast<double>(t) * frequency));
        sin_(i, t) = static_cast<Scalar>(std::sin(static_cast<double>(t) * frequency));
      }
  }

  Index parameters() const { return 0; }  ///< none
  /// Appends nothing.
  Index append_segments(const std::string&, Index offset, std::vector<Segment>&) const { return offset; }
  void embed(const Scalar*, Index, Scalar*) const {}           ///< changes nothing
  void embed_backward(Index, const Scalar*, Scalar*) const {}  ///< adds nothing

  /// Turns `heads` heads of a query or key at `position`.
  void turn(Scalar* column, Index heads, Index position) const { turn(column, heads, position, Scalar(1)); }
  /// The inverse, which takes a derivative by what was turned to one by what it was turned from.
  void turn_back(Scalar* column, Index heads, Index position) const { turn(column, heads, position, Scalar(-1)); }

 private:
  void turn(Scalar* column, Index heads, Index position, Scalar direction) const {
    const Scalar* const c = cos_.data() + position * half_;
    const Scalar* const s = sin_.data() + position * half_;
    for (Index h = 0; h < heads; ++h) {
      Scalar* const x = column + h * 2 * half_;
      Scalar* const y = x + half_;
      for (Index i = 0; i < half_; ++i) {
        const Scalar a = x[i], b = y[i], turned = direction * s[i];
        x[i] = a * c[i] - b * turned;
        y[i] = b * c[i] + a * turned;
      }
    }
  }

  Index half_;
  Matrix<Scalar> cos_, sin_;  // w / 2 x context
};

}  // namespace mellow::language

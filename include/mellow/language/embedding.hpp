// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <vector>

#include <mellow/core/network.hpp>
#include <mellow/core/types.hpp>
#include <mellow/language/reading.hpp>
#include <mellow/language/transformer_options.hpp>

namespace mellow::language::detail {

/// The columns that a transformer's blocks begin with: the vector of a token and what its position adds.
template <class Scalar, class Shape>
class Embedding {
 public:
  using Positions = typename Shape::template Positions<Scalar>;

  explicit Embedding(const TransformerOptions& options)
      : vocabulary_(options.vocabulary), width_(options.width), positions_(options) {}

  const Positions& positions() const { return positions_; }
  Index parameters() const { return positions_at() + positions_.parameters(); }

  void append_segments(std::vector<Segment>& segments) const {
    segments.push_back({Shape::embedding, {vocabulary_, width_}, 0, 1, Segment::Kind::Weight});
    positions_.append_segments(Shape::positions, positions_at(), segments);
  }

  void forward(const Scalar* theta, Token token, Index position, Scalar* column) const {
    std::copy_n(theta + token * width_, width_, column);
    positions_.embed(theta + positions_at(), position, column);
  }
  /// Of every column of a reading.
  void forward(const Scalar* theta, const Reading& reading, Scalar* columns) const {
    reading.for_columns(
        [&](Index i, Token token, Index position) { forward(theta, token, position, columns + i * width_); });
  }

  /// Adds the derivatives by every column to those by the vectors that it is made of.
  void backward(const Reading& reading, const Scalar* d_columns, Scalar* gradient) const {
    reading.for_columns([&](Index i, Token token, Index position) {
      const Scalar* const d_column = d_columns + i * width_;
      Eigen::Map<Vector<Scalar>>(gradient + token * width_, width_) +=
          Eigen::Map<const Vector<Scalar>>(d_column, width_);
      positions_.embed_backward(position, d_column, gradient + positions_at());
    });
  }

 private:
  Index positions_at() const { return vocabulary_ * width_; }

  Index vocabulary_, width_;
  Positions positions_;
};

}  // namespace mellow::language::detail

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <concepts>
#include <string>

#include <mellow/core/types.hpp>

namespace mellow::nn {

/// How a column of a batch is an image: the channels of a pixel side by side, then the pixels of a row, then the rows,
///
///     index = channel + channels * (x + width * y)
///
/// as the observations of image-like environments lie. PyTorch's images have their channels outermost.
struct ImageShape {
  Index height = 0;    ///< rows of pixels, > 0
  Index width = 0;     ///< pixels of a row, > 0
  Index channels = 0;  ///< numbers of a pixel, > 0

  Index pixels() const { return height * width; }     ///< of one channel
  Index size() const { return pixels() * channels; }  ///< numbers of an image: a column's length
  /// "10 x 10 x 4": height, width, channels.
  std::string text() const { return fmt::format("{} x {} x {}", height, width, channels); }

  friend bool operator==(const ImageShape&, const ImageShape&) = default;  ///< the same extents
};

/// Height and width, of a kernel or a stride; from one number both.
struct Extent {
  Index height = 1;  ///< > 0
  Index width = 1;   ///< > 0

  /// The same both ways.
  constexpr Extent(Index both) : height(both), width(both) {}  // NOLINT(google-explicit-constructor): `.kernel = 3`
  /// Each on its own: down, then across.
  constexpr Extent(Index down, Index across) : height(down), width(across) {}
};

/// A layer that reads its input as an image.
template <class L>
concept TakesImage = requires(const L layer) {
  { layer.input_image() } -> std::convertible_to<ImageShape>;
};

/// A layer whose output is an image.
template <class L>
concept GivesImage = requires(const L layer) {
  { layer.output_image() } -> std::convertible_to<ImageShape>;
};

}  // namespace mellow::nn

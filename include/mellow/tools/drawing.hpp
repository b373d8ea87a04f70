// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace mellow::tools {

/// A shape in a drawing, in the drawing's coordinates.
struct Shape {
  /// What the points are: those of a line, the corners of an area, or the middles of discs.
  enum class Kind { Line, Area, Disc };
  Kind kind = Kind::Line;  ///< of the shape
  /// @{
  /// The points, as many x as y.
  std::vector<double> x{}, y{};
  /// @}
  std::uint32_t color = 0x333333;  ///< 0xRRGGBB
  double size = 1;                 ///< of a line: its width in points; of discs: their radius
};

/// A picture of shapes, the later on top.
struct Drawing {
  std::string caption{};        ///< a line of text above it; empty: none
  std::vector<Shape> shapes{};  ///< what is drawn
};

/// The part of the plane that drawings show; a unit is as long in x as in y.
struct Canvas {
  /// @{
  /// From and to.
  std::pair<double, double> x{0, 1}, y{0, 1};
  /// @}
};

/// A drawing in braille characters, eight dots each: `columns` characters wide and as high as the canvas then is, rows
/// ended by line ends, without the caption. With `colored`, a character has the colour of what was drawn into it last,
/// by ANSI escapes. Throws Error for a canvas of no size, no columns, or a shape with unlike many x and y.
std::string in_characters(const Canvas& canvas, const Drawing& drawing, std::size_t columns, bool colored);

/// Writes drawings as an animated GIF with gnuplot, atomically. Throws Error for no drawing, what `in_characters`
/// throws for, `seconds` a drawing that are not in [0.01, 60], or where gnuplot or writing fails.
void save_animation(const std::filesystem::path& path, const Canvas& canvas, const std::vector<Drawing>& drawings,
                    double seconds);

/// Writes drawings as one PNG, side by side in rows of at most `columns`, with gnuplot, atomically. Throws Error as
/// `save_animation` does.
void save_strip(const std::filesystem::path& path, const Canvas& canvas, const std::vector<Drawing>& drawings,
                std::size_t columns);

}  // namespace mellow::tools

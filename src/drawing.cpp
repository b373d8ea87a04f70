// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/drawing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "gnuplot.hpp"
#include "mellow/core/error.hpp"
#include "mellow/tools/atomic_file.hpp"

namespace mellow::tools {
namespace {

constexpr auto where = "tools::Drawing";

double width_of(const Canvas& canvas) { return canvas.x.second - canvas.x.first; }
double height_of(const Canvas& canvas) { return canvas.y.second - canvas.y.first; }

void check(const Canvas& canvas, const Drawing& drawing) {
  if (const double area = width_of(canvas) * height_of(canvas);
      !(std::isfinite(area) && width_of(canvas) > 0 && height_of(canvas) > 0))
    throw Error(where, "a canvas must have a width and a height that are positive", area);
  for (const Shape& shape : drawing.shapes)
    if (shape.x.size() != shape.y.size())
      throw Error(where, fmt::format("a shape has {} x, but {} y", shape.x.size(), shape.y.size()));
}

/// A field of dots, eight of which make a braille character.
class Dots {
 public:
  Dots(const Canvas& canvas, std::size_t columns)
      : canvas_(canvas),
        columns_(static_cast<int>(columns)),
        scale_(2.0 * static_cast<double>(columns) / width_of(canvas)),
        rows_(std::max(1, static_cast<int>(std::lround(height_of(canvas) * scale_ / 4)))),
        patterns_(columns * static_cast<std::size_t>(rows_)),
        colors_(patterns_.size()) {}

  void draw(const Shape& shape) {
    for (std::size_t i = 0; i < shape.x.size(); ++i)
      if (!std::isfinite(shape.x[i]) || !std::isfinite(shape.y[i])) return;
    if (shape.kind == Shape::Kind::Area) fill(shape);
    for (std::size_t i = 0; i < shape.x.size(); ++i) {
      if (shape.kind == Shape::Kind::Disc) disc(column(shape.x[i]), row(shape.y[i]), shape.size * scale_, shape.color);
      else if (shape.kind == Shape::Kind::Line && i > 0)
        line(column(shape.x[i - 1]), row(shape.y[i - 1]), column(shape.x[i]), row(shape.y[i]), shape.color);
    }
  }

  std::string text(bool colored) const {
    std::string result;
    for (int r = 0; r < rows_; ++r) {
      std::uint32_t color = none;
      int last = columns_ - 1;
      while (last >= 0 && patterns_[at(last, r)] == 0) --last;  // no spaces at the end
      for (int c = 0; c <= last; ++c) {
        const unsigned pattern = patterns_[at(c, r)];
        if (colored && pattern != 0 && colors_[at(c, r)] != color) {
          color = colors_[at(c, r)];
          result += fmt::format("\x1b[38;2;{};{};{}m", color >> 16 & 0xFF, color >> 8 & 0xFF, color & 0xFF);
        }
        if (pattern == 0) result += ' ';
        else  // U+2800 and the pattern, in UTF-8
          result += {static_cast<char>(0xE2), static_cast<char>(0xA0 + (pattern >> 6)),
                     static_cast<char>(0x80 + (pattern & 0x3F))};
      }
      if (color != none) result += "\x1b[0m";
      result += '\n';
    }
    return result;
  }

 private:
  static constexpr std::uint32_t none = 0xFFFFFFFF;

  std::size_t at(int c, int r) const {
    return static_cast<std::size_t>(r) * static_cast<std::size_t>(columns_) + static_cast<std::size_t>(c);
  }
  double column(double x) const { return (x - canvas_.x.first) * scale_; }
  double row(double y) const { return (canvas_.y.second - y) * scale_; }

  void dot(double x, double y, std::uint32_t color) {
    if (!(x >= 0 && x < 2.0 * columns_ && y >= 0 && y < 4.0 * rows_)) return;
    static constexpr unsigned char bits[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    const int c = static_cast<int>(x), r = static_cast<int>(y);
    const auto place = at(c / 2, r / 4);
    patterns_[place] = static_cast<unsigned char>(patterns_[place] | bits[r % 4][c % 2]);
    colors_[place] = color;
  }

  void line(double x0, double y0, double x1, double y1, std::uint32_t color) {
    const double longest = std::max(std::abs(x1 - x0), std::abs(y1 - y0));
    const int steps = static_cast<int>(std::clamp(std::ceil(longest), 1.0, 10'000.0));
    for (int i = 0; i <= steps; ++i) {
      const double share = static_cast<double>(i) / steps;
      dot(x0 + share * (x1 - x0), y0 + share * (y1 - y0), color);
    }
  }

  void disc(double x, double y, double radius, std::uint32_t color) {
    dot(x, y, color);  // however small
    const int bottom = std::max(0, static_cast<int>(y - radius)),
              top = std::min(4 * rows_ - 1, static_cast<int>(y + radius));
    for (int r = bottom; r <= top; ++r)
      for (int c = std::max(0, static_cast<int>(x - radius));
           c <= std::min(2 * columns_ - 1, static_cast<int>(x + radius)); ++c)
        if (std::hypot(c + 0.5 - x, r + 0.5 - y) <= radius) dot(c, r, color);
  }

  /// What is within the corners: between each odd and the next even crossing of a row's middle.
  void fill(const Shape& shape) {
    for (int r = 0; r < 4 * rows_; ++r) {
      const double y = r + 0.5;
      std::vector<double> crossings;
      for (std::size_t i = 0; i < shape.x.size(); ++i) {
        const std::size_t j = (i + 1) % shape.x.size();
        const double y0 = row(shape.y[i]), y1 = row(shape.y[j]);
        if ((y0 <= y) == (y1 <= y)) continue;
        const double x0 = column(shape.x[i]), x1 = column(shape.x[j]);
        crossings.push_back(x0 + (y - y0) / (y1 - y0) * (x1 - x0));
      }
      std::ranges::sort(crossings);
      for (std::size_t i = 0; i + 1 < crossings.size(); i += 2) {
        const double end = std::min(crossings[i + 1], 2.0 * columns_);
        for (double c = std::max(0.0, std::floor(crossings[i])) + 0.5; c <= end; ++c)
          if (c >= crossings[i]) dot(c, y, shape.color);
      }
    }
  }

  Canvas canvas_;
  int columns_;
  double scale_;  // dots a unit
  int rows_;
  std::vector<unsigned char> patterns_;
  std::vector<std::uint32_t> colors_;
};

/// The part of a gnuplot script that draws one picture.
std::string picture(const Canvas& canvas, const Drawing& drawing) {
  std::string data, commands;
  for (std::size_t i = 0; i < drawing.shapes.size(); ++i) {
    const Shape& shape = drawing.shapes[i];
    data += fmt::format("$shape{} << END\n", i);
    for (std::size_t k = 0; k < shape.x.size(); ++k)
      data += fmt::format("{} {}\n", gnuplot::number(shape.x[k]), gnuplot::number(shape.y[k]));
    data += "END\n";
    if (shape.x.empty()) continue;
    commands += fmt::format("$shape{} using 1:2", i);
    if (shape.kind == Shape::Kind::Disc)
      commands += fmt::format(":({}) with circles fillcolor rgb '#{:06X}' fillstyle solid noborder, ",
                              gnuplot::number(shape.size), shape.color);
    else if (shape.kind == Shape::Kind::Area)
      commands +=
          fmt::format(" with filledcurves closed fillcolor rgb '#{:06X}' fillstyle solid noborder, ", shape.color);
    else
      commands +=
          fmt::format(" with lines linewidth {} linecolor rgb '#{:06X}', ", gnuplot::number(shape.size), shape.color);
  }
  return fmt::format("{}set title {} noenhanced\nset xrange [{}:{}]\nset yrange [{}:{}]\nplot {} NaN\n", data,
                     gnuplot::literal(drawing.caption), gnuplot::number(canvas.x.first),
                     gnuplot::number(canvas.x.second), gnuplot::number(canvas.y.first),
                     gnuplot::number(canvas.y.second), commands);
}

constexpr std::string_view bare =
    "set encoding utf8\nunset border\nunset tics\nunset key\nset size ratio -1\n"
    "set lmargin 0\nset rmargin 0\nset bmargin 0\n";

void check(const Canvas& canvas, const std::vector<Drawing>& drawings) {
  if (drawings.empty()) throw Error(where, "there is nothing to draw");
  for (const Drawing& drawing : drawings) check(canvas, drawing);
}

}  // namespace

std::string in_characters(const Canvas& canvas, const Drawing& drawing, std::size_t columns, bool colored) {
  check(canvas, drawing);
  require(columns > 0 && columns <= 1'000, where, "columns must be from 1 to 1000", columns);
  Dots dots(canvas, columns);
  for (const Shape& shape : drawing.shapes) dots.draw(shape);
  return dots.text(colored);
}

void save_animation(const std::filesystem::path& path, const Canvas& canvas, const std::vector<Drawing>& drawings,
                    double seconds) {
  check(canvas, drawings);
  require(seconds >= 0.01 && seconds <= 60, where, "seconds must lie in [0.01, 60]", seconds);
  constexpr int width = 480, title = 40;
  const int height = static_cast<int>(std::clamp(width * height_of(canvas) / width_of(canvas), 60.0, 960.0)) + title;
  std::string script =
      fmt::format("set terminal gif animate delay {} loop 0 font 'sans,11' size {},{}\n{}set tmargin 2\n",
                  std::lround(100 * seconds), width, height, bare);
  for (const Drawing& drawing : drawings) script += picture(canvas, drawing);
  script += "unset output\n";
  write_file_atomically(path, gnuplot::run(script));
}

void save_strip(const std::filesystem::path& path, const Canvas& canvas, const std::vector<Drawing>& drawings,
                std::size_t columns) {
  check(canvas, drawings);
  require(columns > 0, where, "columns must be positive", columns);
  columns = std::min(columns, drawings.size());
  const std::size_t rows = (drawings.size() + columns - 1) / columns;
  const double width = 400, height = std::clamp(width * height_of(canvas) / width_of(canvas), 60.0, 800.0) + 60;
  std::string script = fmt::format(
      "set terminal pngcairo size {},{} font 'sans-serif,12' rounded background rgb 'white'\n{}set tmargin 2.5\n"
      "set multiplot layout {},{} spacing 0.02,0.02\n",
      static_cast<double>(columns) * width, static_cast<int>(static_cast<double>(rows) * height), bare, rows, columns);
  const double gap = 0.03 * width_of(canvas);  // between pictures that fill their canvas
  const Canvas wider{{canvas.x.first - gap, canvas.x.second + gap}, {canvas.y.first - gap, canvas.y.second + gap}};
  for (const Drawing& drawing : drawings) script += picture(wider, drawing);
  script += "unset multiplot\n";
  write_file_atomically(path, gnuplot::run(script));
}

}  // namespace mellow::tools

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mellow::tools {

/// A line through points (x, y), broken where a value is not finite, with an optional band from `low` to `high`.
struct Series {
  std::string label{};  ///< its name in the legend; empty: none
  /// @{
  /// The points, as many x as y.
  std::vector<double> x{}, y{};
  /// @}
  /// @{
  /// The band: empty, or as long as x.
  std::vector<double> low{}, high{};
  /// @}
};

/// A dashed horizontal line, such as the return at which a task counts as solved.
struct ReferenceLine {
  double y = 0;         ///< its height
  std::string label{};  ///< its name in the legend; empty: none
};

/// A chart of lines.
struct Plot {
  /// @{
  /// Texts over the chart and along its axes; empty: none.
  std::string title{}, x_label{}, y_label{};
  /// @}
  std::vector<Series> series{};                        ///< what is drawn, the later on top
  std::optional<ReferenceLine> reference{};            ///< drawn where given
  std::optional<std::pair<double, double>> y_range{};  ///< by default what the data need
  /// @{
  /// Whether an axis is logarithmic.
  bool log_x = false, log_y = false;
  /// @}
};

/// Draws a plot with gnuplot and writes it twice, as `path`.svg and `path`.png; an extension .svg or .png of `path` is
/// dropped first. Texts are shown as they are. Throws Error where lengths differ, no point is finite, a number
/// on a logarithmic axis is not positive, gnuplot is missing or fails, or a file cannot be written (each is written
/// atomically).
void save_plot(const std::filesystem::path& path, const Plot& plot);

}  // namespace mellow::tools

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mellow::tools {

/// A line through points (x, y), broken where a value is not finite, with an optional band from `low` to `high`. One
/// point is a dot, its band an upright line.
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

/// Bars of one colour, one a group, each with an optional interval.
struct BarSeries {
  std::string label{};           ///< its name in the legend; empty: none
  std::vector<double> values{};  ///< heights, as many as there are groups; NaN: no bar
  /// @{
  /// The ends of the intervals: empty, or as long as the values.
  std::vector<double> low{}, high{};
  /// @}
};

/// A chart of bars from 0, side by side in groups.
struct BarChart {
  /// @{
  /// Texts over the chart and along its axes; empty: none.
  std::string title{}, x_label{}, y_label{};
  /// @}
  std::vector<std::string> groups{};                   ///< their names, from left to right
  std::vector<BarSeries> series{};                     ///< within each group from left to right
  std::optional<ReferenceLine> reference{};            ///< drawn where given
  std::optional<std::pair<double, double>> y_range{};  ///< by default what the data need, and 0
};

/// A matrix of values as colours, such as a figure over two parameters or the values of a gridworld.
struct HeatMap {
  /// @{
  /// Texts over the map, along its axes and along the colour bar; empty: none.
  std::string title{}, x_label{}, y_label{}, value_label{};
  /// @}
  std::size_t columns = 0;       ///< of the matrix
  std::vector<double> values{};  ///< rows x columns, row by row, the first row at the bottom; not finite: grey
  /// @{
  /// The axis's values in the middle of the first and of the last column or row; by default their numbers from 0.
  std::optional<std::pair<double, double>> x_range{}, y_range{};
  /// @}
  std::optional<std::pair<double, double>> value_range{};  ///< where the colours end; by default at the extremes
  bool first_row_on_top = false;                           ///< as maps of gridworlds are read
  bool diverging = false;                                  ///< blue below 0, red above it, evenly to both sides
  bool numbers = false;                                    ///< writes each value into its cell
  bool square = false;                                     ///< cells are squares; the axes show no values
};

/// What changes at a place, and which way.
struct FieldArrow {
  /// @{
  /// The place, and the change there.
  double x = 0, y = 0, dx = 0, dy = 0;
  /// @}
};

/// A place with a name, such as a fixed point.
struct Landmark {
  /// @{
  /// The place.
  double x = 0, y = 0;
  /// @}
  std::string label{};  ///< its name in the legend; empty: none
};

/// A field of arrows with trajectories through it.
struct PhasePortrait {
  /// @{
  /// Texts over the portrait and along its axes; empty: none.
  std::string title{}, x_label{}, y_label{};
  /// @}
  std::vector<FieldArrow> field{};     ///< where arrows stand, best on a lattice
  std::vector<Series> trajectories{};  ///< each from a dot on; without bands
  std::vector<Landmark> landmarks{};   ///< drawn as crosses
  /// @{
  /// By default what the data need.
  std::optional<std::pair<double, double>> x_range{}, y_range{};
  /// @}
};

/// Whether plots can be drawn: gnuplot is installed.
bool can_plot();

/// Draws a plot with gnuplot and writes it twice, as `path`.svg and `path`.png; an extension .svg or .png of `path` is
/// dropped first. Texts are shown as they are. Throws Error where lengths differ, no point is finite, a number
/// on a logarithmic axis is not positive, gnuplot is missing or fails, or a file cannot be written (each is written
/// atomically).
void save_plot(const std::filesystem::path& path, const Plot& plot);

/// The same for bars. Throws Error also where a series has not one value a group.
void save_plot(const std::filesystem::path& path, const BarChart& chart);

/// The same for a heat map. Throws Error also where the values do not fill whole rows.
void save_plot(const std::filesystem::path& path, const HeatMap& map);

/// The same for a phase portrait. An arrow points the way of the change on the axes as drawn and begins at its place; its
/// length grows with the root of the change's size, in shares of the axes, so that weak places show; the longest
/// is as long as arrows are apart. Throws Error also for a trajectory with a band.
void save_plot(const std::filesystem::path& path, const PhasePortrait& portrait);

}  // namespace mellow::tools

// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/plot.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>

#include "gnuplot.hpp"
#include "mellow/core/error.hpp"
#include "mellow/tools/process.hpp"

namespace mellow::tools {
namespace {

namespace fs = std::filesystem;

using gnuplot::literal, gnuplot::number, gnuplot::palette;

/// The part of a plot command that puts a line into the legend.
std::string in_legend(const std::string& label) { return label.empty() ? "notitle" : "title " + literal(label); }

void check(const fs::path& path, const Plot& plot) {
  bool any = false;
  for (const auto& series : plot.series) {
    const auto n = series.x.size();
    if (series.y.size() != n || series.low.size() != series.high.size() ||
        (!series.low.empty() && series.low.size() != n)) {
      throw Error(path.string(), fmt::format("the series '{}' has {} x, {} y, {} low and {} high", series.label, n,
                                             series.y.size(), series.low.size(), series.high.size()));
    }
    const auto require_positive = [&](const std::vector<double>& values, const char* axis) {
      for (const double value : values)
        if (value <= 0)
          throw Error(path.string(),
                      fmt::format("the series '{}' needs positive {} on a logarithmic axis", series.label, axis),
                      value);
    };
    if (plot.log_x) require_positive(series.x, "x");
    if (plot.log_y)
      for (const auto* values : {&series.y, &series.low, &series.high}) require_positive(*values, "y");
    for (std::size_t i = 0; i < n; ++i) any = any || (std::isfinite(series.x[i]) && std::isfinite(series.y[i]));
  }
  if (!any) throw Error(path.string(), "a plot needs a point with finite x and y");
}

/// The style that all charts share, with the texts around a chart.
template <class Chart>
std::string style(const Chart& chart, std::string_view terminal) {
  return fmt::format(
      R"(set encoding utf8
set terminal {}
set title {} noenhanced font ',15'
set xlabel {} noenhanced
set ylabel {} noenhanced
set border 3 linecolor rgb '#555555' linewidth 1
set tics nomirror out scale 0.5 textcolor rgb '#333333' noenhanced
set grid linetype 1 linecolor rgb '#E4E4E4' linewidth 1
set key outside below center horizontal Left reverse noenhanced samplen 2 height 1 spacing 1.2
set rmargin 4
set format '%.8g'
)",
      terminal, literal(chart.title), literal(chart.x_label), literal(chart.y_label));
}

std::string range(char axis, const std::pair<double, double>& ends) {
  return fmt::format("set {}range [{}:{}]\n", axis, number(ends.first), number(ends.second));
}

/// The part of a plot command that draws a dashed horizontal line.
std::string drawn(const std::optional<ReferenceLine>& line) {
  if (!line) return {};
  return fmt::format("{} with lines linewidth 1.5 dashtype 2 linecolor rgb '#222222' {}", number(line->y),
                     in_legend(line->label));
}

/// A logarithmic x axis that ends with the data. It has tics at powers of ten, and at an end that is beside none of them.
std::string log_axis(const Plot& plot) {
  std::string text = "set logscale x\n";
  double low = std::numeric_limits<double>::infinity(), high = 0;
  for (const Series& series : plot.series)
    for (std::size_t i = 0; i < series.x.size(); ++i)
      if (std::isfinite(series.x[i]) && std::isfinite(series.y[i])) {
        low = std::min(low, series.x[i]);
        high = std::max(high, series.x[i]);
      }
  if (low == high) return text;
  text += range('x', {low, high});
  for (const double end : {low, high}) {
    const double power = std::log10(end), away = std::abs(power - std::round(power));
    if (away > 0.08 * std::log10(high / low)) text += fmt::format("set xtics add ({})\n", number(end));
  }
  return text;
}

/// The edges of a band at one place.
struct BandPoint {
  double x, low, high;
};

/// A series' band, cut at the ends of the y axis where these are given: gnuplot draws other areas when it cuts one.
std::vector<BandPoint> band_of(const Series& series, const Plot& plot) {
  std::vector<BandPoint> points;
  for (std::size_t k = 0; k < series.x.size(); ++k) points.push_back({series.x[k], series.low[k], series.high[k]});
  if (!plot.y_range) return points;
  const auto [bottom, top] = std::minmax(plot.y_range->first, plot.y_range->second);
  const auto between = [](double a, double b, double t, bool log) {  // on a line as it is drawn
    return log ? std::exp(std::log(a) + t * (std::log(b) - std::log(a))) : a + t * (b - a);
  };
  const auto crossing = [&](double a, double b, double end) {  // how far from a to b the end lies
    return plot.log_y ? std::log(end / a) / std::log(b / a) : (end - a) / (b - a);
  };
  std::vector<BandPoint> cut;
  for (std::size_t k = 0; k < points.size(); ++k) {
    cut.push_back(points[k]);
    if (k + 1 == points.size()) break;
    const BandPoint &from = points[k], &to = points[k + 1];
    std::vector<double> places;
    for (const double end : {bottom, top})
      for (const double place : {crossing(from.low, to.low, end), crossing(from.high, to.high, end)})
        if (place > 0 && place < 1) places.push_back(place);
    std::ranges::sort(places);
    for (const double t : places)
      cut.push_back({between(from.x, to.x, t, plot.log_x), between(from.low, to.low, t, plot.log_y),
                     between(from.high, to.high, t, plot.log_y)});
  }
  for (BandPoint& point : cut)
    for (double* edge : {&point.low, &point.high})
      if (std::isfinite(*edge)) *edge = std::clamp(*edge, bottom, top);
  return cut;
}

/// The whole script: style, data, one plot command. Its image goes to standard output.
std::string script(const Plot& plot, std::string_view terminal) {
  std::string text = style(plot, terminal);
  if (plot.y_range) text += range('y', *plot.y_range);
  if (plot.log_x) text += log_axis(plot);
  if (plot.log_y) text += "set logscale y\n";
  else text += "set autoscale yfix\nset offsets graph 0, graph 0, graph 0.04, graph 0.04\n";  // no line on an edge

  std::string bands, lines;
  for (std::size_t i = 0; i < plot.series.size(); ++i) {
    const auto& series = plot.series[i];
    const auto color = palette[i % palette.size()];
    const bool band = !series.low.empty(), single = series.x.size() == 1;
    text += fmt::format("$data{} << END\n", i);
    for (std::size_t k = 0; k < series.x.size(); ++k)
      text += fmt::format("{} {}\n", number(series.x[k]), number(series.y[k]));
    text += "END\n";
    if (band) {
      text += fmt::format("$band{} << END\n", i);
      for (const auto& [x, low, high] : band_of(series, plot))
        text += fmt::format("{} {} {}\n", number(x), number(low), number(high));
      text += "END\n";
      bands += fmt::format("$band{} using {} rgb '{}' notitle, ", i,
                           single ? "1:2:(0):($3-$2) with vectors nohead linewidth 2 linecolor"
                                  : "1:2:3 with filledcurves fillstyle transparent solid 0.18 noborder fillcolor",
                           color);
    }
    // Dots show the points of a short series, and one between two gaps.
    const auto style = single                 ? "points pointtype 7 pointsize 1"
                       : series.x.size() < 32 ? "linespoints pointtype 7 pointsize 0.4"
                                              : "lines";
    lines += fmt::format("$data{} using 1:2 with {} linewidth 2 linecolor rgb '{}' dashtype {} {}, ", i, style, color,
                         1 + i / palette.size(), in_legend(series.label));
  }
  return text + "plot " + bands + lines + drawn(plot.reference) + "\n";
}

void check(const fs::path& path, const BarChart& chart) {
  bool any = false;
  for (const BarSeries& series : chart.series) {
    const auto n = series.values.size();
    if (n != chart.groups.size() || series.low.size() != series.high.size() ||
        (!series.low.empty() && series.low.size() != n))
      throw Error(path.string(),
                  fmt::format("the bars '{}' have {} values, {} low and {} high for {} groups", series.label, n,
                              series.low.size(), series.high.size(), chart.groups.size()));
    any = any || std::ranges::any_of(series.values, [](double value) { return std::isfinite(value); });
  }
  if (!any) throw Error(path.string(), "a chart needs a bar of finite height");
}

/// A text broken at spaces into lines of at most `width` letters where its words allow that.
std::vector<std::string> broken(const std::string& text, std::size_t width) {
  std::vector<std::string> lines(1);
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    std::string& line = lines.back();
    if (line.empty()) line = word;
    else if (line.size() + 1 + word.size() <= width) line += ' ' + word;
    else lines.push_back(word);
    begin = end + 1;
  }
  return lines;
}

/// The names of groups below their bars, in lines. Where they would run into one another they rise to the right, and the
/// left margin has room for the first.
std::string group_tics(const std::vector<std::string>& groups, const std::string& x_label) {
  constexpr double letters = 84;  // that fit side by side below the axis
  const double each = letters / static_cast<double>(std::max<std::size_t>(1, groups.size()));
  const auto break_all = [&](double width) {
    std::vector<std::vector<std::string>> all;
    all.reserve(groups.size());
    for (const std::string& group : groups)
      all.push_back(broken(group, static_cast<std::size_t>(std::max(1.0, width))));
    return all;
  };
  const auto longest = [](const std::vector<std::string>& lines) {
    return static_cast<double>(std::ranges::max(lines, {}, &std::string::size).size());
  };
  auto lines = break_all(each - 1);
  const bool level =
      std::ranges::all_of(lines, [&](const auto& group) { return group.size() <= 3 && longest(group) < each; });
  double reach = 0;  // letters that a name stands out to the left of the first bar's middle
  if (!level) {
    lines = break_all(24);
    for (std::size_t g = 0; g < groups.size(); ++g)
      reach = std::max(reach, 0.77 * longest(lines[g]) - each * static_cast<double>(g));
  }
  std::string tics;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    std::string name;
    for (const std::string& line : lines[g]) name += (name.empty() ? "" : ".\"\\n\".") + literal(line);
    tics += fmt::format("{}{} {}", g > 0 ? ", " : "", name, g);
  }
  std::string text = fmt::format("set xtics scale 0 ({}){}\n", tics, level ? "" : " rotate by 40 right");
  std::string below;  // the axis' text, which gives way to names of several lines, of which gnuplot takes no account
  if (level)
    for (std::size_t k = 1; k < std::ranges::max(lines, {}, &std::vector<std::string>::size).size(); ++k)
      below += "\"\\n\".";
  if (!below.empty()) text += fmt::format("set xlabel {}{} noenhanced\n", below, literal(x_label + ' '));
  if (const double margin = reach - 0.6 * each + 2; margin > 9) text += fmt::format("set lmargin {}\n", margin);
  return text;
}

std::string script(const BarChart& chart, std::string_view terminal) {
  std::string text = style(chart, terminal) + group_tics(chart.groups, chart.x_label), commands;
  text += "unset grid\nset grid ytics linetype 1 linecolor rgb '#E4E4E4' linewidth 1\n";
  text += fmt::format("set xrange [-0.6:{}]\nset xzeroaxis linetype 1 linecolor rgb '#555555'\n",
                      static_cast<double>(chart.groups.size()) - 0.4);
  if (chart.y_range) text += range('y', *chart.y_range);
  else text += "set yrange [* < 0 : 0 < *]\nset offsets graph 0, graph 0, graph 0.04, graph 0\n";
  const double width = 0.8 / static_cast<double>(chart.series.size());
  text += fmt::format("set boxwidth {} absolute\n", 0.9 * width);
  std::string whiskers;
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    const BarSeries& series = chart.series[i];
    text += fmt::format("$data{} << END\n", i);
    for (std::size_t g = 0; g < chart.groups.size(); ++g) {
      const double x = static_cast<double>(g) - 0.4 + (static_cast<double>(i) + 0.5) * width;
      const auto at = [&](const std::vector<double>& ends) { return number(ends.empty() ? NAN : ends[g]); };
      text += fmt::format("{} {} {} {}\n", x, number(series.values[g]), at(series.low), at(series.high));
    }
    text += "END\n";
    commands += fmt::format("$data{} using 1:2 with boxes fillcolor rgb '{}' fillstyle solid {} noborder {}, ", i,
                            palette[i % palette.size()], i < palette.size() ? 0.85 : 0.45, in_legend(series.label));
    if (!series.low.empty())
      whiskers += fmt::format(
          "$data{} using 1:3:(0):($4-$3) with vectors heads size screen 0.006,90 linewidth 1.5 linecolor rgb '#222222' "
          "notitle, ",
          i);
  }
  return text + "plot " + commands + whiskers + drawn(chart.reference) + "\n";
}

/// The least and the greatest of the finite values.
std::pair<double, double> extremes(const std::vector<double>& values) {
  std::pair result{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    result.first = std::min(result.first, value);
    result.second = std::max(result.second, value);
  }
  return result;
}

void check(const fs::path& path, const HeatMap& map) {
  if (map.columns == 0 || map.values.size() % map.columns != 0)
    throw Error(path.string(), fmt::format("{} values do not fill rows of {} columns", map.values.size(), map.columns));
  if (const auto [low, high] = extremes(map.values); low > high)
    throw Error(path.string(), "a heat map needs a finite value");
}

/// The colours, from the least value to the greatest; the first is dark. Viridis: even steps to the eye, and in grey.
constexpr std::string_view sequential_colors =
    "set palette defined (0 '#440154', 1 '#482878', 2 '#3E4989', 3 '#31688E', 4 '#26828E', 5 '#1F9E89', 6 '#35B779', "
    "7 '#6DCD59', 8 '#B4DE2C', 9 '#FDE725')\n";
constexpr std::string_view diverging_colors =
    "set palette defined (0 '#2166AC', 1 '#67A9CF', 2 '#D1E5F0', 3 '#F7F7F7', 4 '#FDDBC7', 5 '#EF8A62', 6 '#B2182B')\n";

std::string script(const HeatMap& map, std::string_view terminal) {
  const std::size_t rows = map.values.size() / map.columns;
  auto [low, high] = map.value_range.value_or(extremes(map.values));
  if (map.diverging && !map.value_range) {
    high = std::max(std::abs(low), std::abs(high));
    low = -high;
  }
  if (low == high) high = low + (low == 0 ? 1 : std::abs(low));  // gnuplot wants a range
  std::string text = style(map, terminal);
  text += map.diverging ? diverging_colors : sequential_colors;
  text += "unset grid\nset border 0\nset key off\nset tics scale 0\n";
  text += fmt::format("set cbrange [{}:{}]\nset cblabel {} noenhanced offset 1.5\nset rmargin -1\n", number(low),
                      number(high), literal(map.value_label));
  // Cells reach half a step beyond the middles of the first and the last.
  const auto scale = [](const std::optional<std::pair<double, double>>& ends, std::size_t n) {
    const double first = ends ? ends->first : 0, last = ends ? ends->second : static_cast<double>(n) - 1;
    const double step = n > 1 ? (last - first) / (static_cast<double>(n) - 1) : 1;
    return std::pair(first, step == 0 ? 1 : step);
  };
  const auto [x, dx] = scale(map.x_range, map.columns);
  const auto [y, dy] = scale(map.y_range, rows);
  const double right = x + dx * (static_cast<double>(map.columns) - 0.5),
               top = y + dy * (static_cast<double>(rows) - 0.5);
  const double left = x - dx / 2, bottom = y - dy / 2;
  text += range('x', {left, right});
  text += range('y', map.first_row_on_top ? std::pair(top, bottom) : std::pair(bottom, top));
  text +=
      "set object 1 rectangle from graph 0,0 to graph 1,1 behind fillcolor rgb '#BBBBBB' fillstyle solid noborder\n";
  if (map.square)
    text += fmt::format("set size ratio {}\nunset xtics\nunset ytics\n",
                        std::abs(static_cast<double>(rows) / static_cast<double>(map.columns)));
  text += "$data << END\n";
  for (std::size_t i = 0; i < map.values.size(); ++i) {
    const std::size_t row = i / map.columns, column = i % map.columns;
    const double value = map.values[i], share = (value - low) / (high - low);
    const bool on_dark = map.diverging ? std::abs(share - 0.5) > 0.35 : share < 0.6;
    text += fmt::format("{} {} {} {} {}\n", x + dx * static_cast<double>(column), y + dy * static_cast<double>(row),
                        number(value), literal(std::isfinite(value) ? fmt::format("{:.3g}", value) : ""),
                        on_dark ? 0xFFFFFF : 0);
  }
  text += "END\n";
  // Single rectangles stay sharp when a page scales them; large maps would make long files of them.
  const char* const cells = map.values.size() <= 10'000 ? "image pixels" : "image";
  text += fmt::format("plot $data using 1:2:3 with {}", cells);
  if (map.numbers) text += ", $data using 1:2:4:5 with labels font ',10' textcolor rgb variable";
  return text + "\n";
}

void check(const fs::path& path, const PhasePortrait& portrait) {
  bool any = !portrait.field.empty();
  for (const Series& series : portrait.trajectories) {
    if (series.x.size() != series.y.size() || !series.low.empty() || !series.high.empty())
      throw Error(path.string(),
                  fmt::format("the trajectory '{}' has {} x, {} y, {} low and {} high; it has no band", series.label,
                              series.x.size(), series.y.size(), series.low.size(), series.high.size()));
    for (std::size_t i = 0; i < series.x.size(); ++i)
      any = any || (std::isfinite(series.x[i]) && std::isfinite(series.y[i]));
  }
  for (const FieldArrow& arrow : portrait.field)
    for (const double value : {arrow.x, arrow.y, arrow.dx, arrow.dy})
      if (!std::isfinite(value)) throw Error(path.string(), "an arrow of the field must be finite", value);
  if (!any) throw Error(path.string(), "a phase portrait needs an arrow or a point with finite x and y");
}

/// The range of an axis: what was asked for, or what all that is drawn needs, with a little room.
std::pair<double, double> span_of(const std::optional<std::pair<double, double>>& asked,
                                  const std::vector<double>& values) {
  if (asked) return *asked;
  auto [low, high] = extremes(values);
  const double room = high > low ? 0.05 * (high - low) : 1;
  return {low - room, high + room};
}

std::string script(const PhasePortrait& portrait, std::string_view terminal) {
  std::vector<double> xs, ys;
  for (const FieldArrow& arrow : portrait.field) {
    xs.push_back(arrow.x);
    ys.push_back(arrow.y);
  }
  for (const Series& series : portrait.trajectories) {
    xs.insert(xs.end(), series.x.begin(), series.x.end());
    ys.insert(ys.end(), series.y.begin(), series.y.end());
  }
  for (const Landmark& landmark : portrait.landmarks) {
    xs.push_back(landmark.x);
    ys.push_back(landmark.y);
  }
  const auto x_range = span_of(portrait.x_range, xs), y_range = span_of(portrait.y_range, ys);
  const double width = x_range.second - x_range.first, height = y_range.second - y_range.first;
  std::string text = style(portrait, terminal) + range('x', x_range) + range('y', y_range);

  const auto size = [&](const FieldArrow& arrow) { return std::hypot(arrow.dx / width, arrow.dy / height); };
  double greatest = 0;
  for (const FieldArrow& arrow : portrait.field) greatest = std::max(greatest, size(arrow));
  const double apart = 0.9 / std::sqrt(std::max<double>(1, static_cast<double>(portrait.field.size())));
  text += "$field << END\n";
  for (const FieldArrow& arrow : portrait.field) {
    if (size(arrow) == 0) continue;
    const double factor = apart * std::sqrt(size(arrow) / greatest) / size(arrow);
    text += fmt::format("{} {} {} {}\n", number(arrow.x), number(arrow.y), number(factor * arrow.dx),
                        number(factor * arrow.dy));
  }
  text += "END\n";
  std::string commands;
  if (greatest > 0)
    commands +=
        "$field using 1:2:3:4 with vectors filled size screen 0.008,20 linewidth 1 linecolor rgb '#9A9A9A' notitle, ";
  for (std::size_t i = 0; i < portrait.trajectories.size(); ++i) {
    const Series& series = portrait.trajectories[i];
    text += fmt::format("$data{} << END\n", i);
    for (std::size_t k = 0; k < series.x.size(); ++k)
      text += fmt::format("{} {}\n", number(series.x[k]), number(series.y[k]));
    text += "END\n";
    const auto color = palette[i % palette.size()];
    commands += fmt::format("$data{} using 1:2 with lines linewidth 2 linecolor rgb '{}' dashtype {} {}, ", i, color,
                            1 + i / palette.size(), in_legend(series.label));
    commands += fmt::format(
        "$data{} using 1:2 every ::0::0 with points pointtype 7 pointsize 1.2 linecolor rgb '{}' notitle, ", i, color);
  }
  for (std::size_t i = 0; i < portrait.landmarks.size(); ++i) {
    const Landmark& landmark = portrait.landmarks[i];
    text += fmt::format("$mark{} << END\n{} {}\nEND\n", i, number(landmark.x), number(landmark.y));
    commands += fmt::format(
        "$mark{} using 1:2 with points pointtype {} pointsize 1.4 linewidth 2.5 linecolor rgb '#000000' {}, ", i,
        1 + i % 6, in_legend(landmark.label));
  }
  return text + "plot " + commands + "\n";
}

template <class Chart>
void save(const fs::path& path, const Chart& chart) {
  check(path, chart);
  gnuplot::save_twice(path, [&](std::string_view terminal) { return script(chart, terminal); });
}

}  // namespace

bool can_plot() {
  static const bool can = run_process("gnuplot", {"--version"}).has_value();
  return can;
}

void save_plot(const fs::path& path, const Plot& plot) { save(path, plot); }
void save_plot(const fs::path& path, const BarChart& chart) { save(path, chart); }
void save_plot(const fs::path& path, const HeatMap& map) { save(path, map); }
void save_plot(const fs::path& path, const PhasePortrait& portrait) { save(path, portrait); }

}  // namespace mellow::tools

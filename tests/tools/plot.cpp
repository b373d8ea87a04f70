// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/plot.hpp"

#include <cmath>
#include <regex>
#include <stdlib.h>

#include "../support/catch.hpp"
#include "../support/child.hpp"
#include "../support/temporary_directory.hpp"
#include "mellow/core/error.hpp"

using namespace mellow;
using namespace mellow::tools;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;

namespace {

bool gnuplot_is_missing() {
  const bool missing = std::system("gnuplot --version > /dev/null 2>&1") != 0;
  if (missing) WARN("SKIPPED: gnuplot is not installed");
  return missing;
}

std::ptrdiff_t count(const std::string& text, const std::string& part) {
  std::ptrdiff_t found = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
  return found;
}

Plot curve() {
  return {.title = "Title",
          .series = {{.label = "one", .x = {0, 1, 2}, .y = {1, 2, 3}, .low = {0, 1, 2}, .high = {2, 3, 4}}}};
}

}  // namespace

TEST_CASE("save_plot writes an SVG and a PNG, whatever the extension") {
  if (gnuplot_is_missing()) return;
  const TemporaryDirectory directory;
  auto plot = curve();
  plot.reference = ReferenceLine{2.5, "solved"};
  plot.y_range = {0, 5};
  plot.series.push_back({.label = "two", .x = {0, 1, 2}, .y = {NAN, INFINITY, 1}});
  for (const char* name : {"new/a", "new/b.svg", "new/c.png", "new/d.v1"}) save_plot(directory / name, plot);
  CHECK(directory.size() == 9);
  for (const char* name : {"new/a", "new/b", "new/c", "new/d.v1"}) {
    const auto svg = read_file((directory / name) += ".svg"), png = read_file((directory / name) += ".png");
    CHECK_THAT(svg, StartsWith("<?xml") && Contains(">Title<") && Contains(">one<") && Contains(">solved<"));
    CHECK_THAT(svg, Contains("</svg>"));
    CHECK(png.substr(1, 3) == "PNG");
  }
}

TEST_CASE("save_plot draws logarithmic axes, on which every number must be positive") {
  auto plot = curve();
  plot.log_x = true;
  CHECK_THROWS_WITH(save_plot("plot", plot), Contains("the series 'one' needs positive x") && Contains("(got 0)"));
  plot.series[0].x = {1, 1000, 1'000'000};
  plot.log_y = true;
  CHECK_THROWS_WITH(save_plot("plot", plot), Contains("the series 'one' needs positive y") && Contains("(got 0)"));
  if (gnuplot_is_missing()) return;
  const TemporaryDirectory directory;
  plot.series[0].low = plot.series[0].high = {};
  save_plot(directory / "log", plot);
  CHECK_THAT(read_file(directory / "log.svg"), Contains(">1000<") && Contains(">1000000<"));
  plot.series[0].x = {30, 300, 3000};
  save_plot(directory / "ends", plot);
  CHECK_THAT(read_file(directory / "ends.svg"), Contains(">30<") && Contains(">3000<") && !Contains(">10000<"));
}

TEST_CASE("save_plot draws a single point as a dot, and its band as an upright line") {
  if (gnuplot_is_missing()) return;
  const TemporaryDirectory directory;
  auto plot = curve();
  plot.series.push_back({.label = "published", .x = {2}, .y = {7}, .low = {6}, .high = {8}});
  save_plot(directory / "point", plot);
  const auto svg = read_file(directory / "point.svg");
  CHECK(count(svg, "<polygon") == 1);                                                       // the band of the line
  const std::regex upright("stroke='rgb\\(213, +94, +0\\)' +d='M([0-9.]+),[0-9.]+ L\\1,");  // of the second colour
  CHECK(std::regex_search(svg, upright));
}

TEST_CASE("save_plot shows hostile texts as they are and runs none") {
  if (gnuplot_is_missing()) return;
  const TemporaryDirectory directory;
  const auto trap = (directory / "trap").string();
  for (const auto& text :
       {"`touch " + trap + "`", "'; system('touch " + trap + "'); '", "'\nsystem 'touch " + trap + "'\n",
        std::string("a_b^2 {/Symbol x} @macro \\n \"x\" END"), std::string("$data0 << END")}) {
    auto plot = curve();
    plot.title = plot.x_label = plot.y_label = plot.series[0].label = text;
    plot.reference = ReferenceLine{1, text};
    save_plot(directory / "plot", plot);
    CHECK_FALSE(std::filesystem::exists(trap));
  }
}

TEST_CASE("save_plot shows every character of a text") {
  if (gnuplot_is_missing()) return;
  const TemporaryDirectory directory;
  std::string all;
  for (char c = '!'; c <= '~'; ++c) {
    if (std::string_view("<>&").find(c) == std::string_view::npos)
      all += {c, '7', c, 'x'};  // XML has other names for these
  }
  auto plot = curve();
  plot.title = "solved (475), \u03c9 = 5 \t it's";
  plot.series[0].label = all;
  save_plot(directory / "plot", plot);
  const auto svg = read_file(directory / "plot.svg");
  CHECK_THAT(svg, Contains(">solved (475), \u03c9 = 5   it's<"));
  CHECK_THAT(svg, Contains(">" + all + "<"));
}

TEST_CASE("save_plot refuses what it cannot draw") {
  const TemporaryDirectory directory;
  auto plot = curve();
  plot.series[0].y.pop_back();
  CHECK_THROWS_WITH(save_plot(directory / "p", plot), Contains("'one' has 3 x, 2 y"));
  plot = curve();
  plot.series[0].high.clear();
  CHECK_THROWS_AS(save_plot(directory / "p", plot), Error);
  plot.series = {{.x = {1, 2}, .y = {NAN, INFINITY}}};
  CHECK_THROWS_WITH(save_plot(directory / "p", plot), Contains("finite"));
  CHECK_THROWS_AS(save_plot(directory / "p", Plot{}), Error);
  CHECK(directory.size() == 0);
}

TEST_CASE("Long names of bars are broken into lines, or turned, and stay within the image") {
  if (gnuplot_is_missing()) return;
  const TemporaryDirectory directory;
  const auto drawn = [&](const std::vector<std::string>& names) {
    save_plot(directory / "bars",
              BarChart{.groups = names, .series = {{.values = std::vector<double>(names.size(), 3.0)}}});
    return read_file(directory / "bars.svg");
  };
  const auto level = drawn({"Space Invaders", "Breakout", "Asterix", "Freeze", "Seaquest (hard)", "Freeway"});
  CHECK(count(level, "rotate(-40)") == 0);
  for (const char* text : {">Space<", ">Invaders<", ">(hard)<", ">Breakout<"}) CHECK_THAT(level, Contains(text));
  CHECK_THAT(drawn({"one two", "three"}), Contains(">one two<"));

  std::vector<std::string> many(25);
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = fmt::format("environment number {}", i);
  const std::vector<std::string> long_names{
      "SquaredPO with a clipped gradient norm", "LengthNormalizedDpo_of_one_word", "C2-DPO, identity, l2", "", "DPO",
      "conservative DPO with wrong labels"};
  for (const auto& names : {many, long_names}) {
    const auto svg = drawn(names);
    // Each turned line ends at (x, y) and begins where its letters, of some 7 of 800 x 500 units, lead to.
    static const std::regex turned(R"(translate\(([0-9.]+),([0-9.]+)\) rotate\(-40\)[^>]*>\s*<text>([^<]*)<)");
    std::ptrdiff_t lines = 0;
    for (std::sregex_iterator found(svg.begin(), svg.end(), turned), end; found != end; ++found, ++lines) {
      const double length = 7.0 * static_cast<double>((*found)[3].length());
      CAPTURE((*found)[3].str());
      CHECK(std::stod((*found)[1]) - 0.766 * length > 0);
      CHECK(std::stod((*found)[1]) < 800);
      CHECK(std::stod((*found)[2]) + 0.643 * length < 500);
    }
    CHECK(lines >= 5);
  }
}

TEST_CASE("save_plot draws bars with intervals, in groups") {
  BarChart chart{.title = "Bars",
                 .groups = {"CartPole-v1", "it's"},
                 .series = {{.label = "one", .values = {450, -80}, .low = {430, -90}, .high = {470, -75}},
                            {.label = "two", .values = {500, NAN}}},
                 .reference = ReferenceLine{475, "solved"}};
  auto wrong = chart;
  wrong.series[1].values.pop_back();
  CHECK_THROWS_WITH(save_plot("bars", wrong), Contains("the bars 'two' have 1 values, 0 low and 0 high for 2 groups"));
  wrong = chart;
  wrong.series[0].low.clear();
  CHECK_THROWS_WITH(save_plot("bars", wrong), Contains("the bars 'one' have 2 values, 0 low and 2 high"));
  wrong.series = {{.values = {NAN, INFINITY}}};
  CHECK_THROWS_WITH(save_plot("bars", wrong), Contains("finite"));
  if (gnuplot_is_missing()) return;
  const TemporaryDirectory directory;
  save_plot(directory / "bars", chart);
  const auto svg = read_file(directory / "bars.svg");
  for (const char* text : {">CartPole-v1<", ">it's<", ">one<", ">two<", ">solved<"}) CHECK_THAT(svg, Contains(text));
  CHECK(count(svg, "fill = 'rgb(  0, 114, 178)'") >= 2);  // both bars of the first colour
  CHECK(read_file(directory / "bars.png").substr(1, 3) == "PNG");
}

TEST_CASE("save_plot draws a matrix as colours, a rectangle a value") {
  HeatMap map{.title = "Map", .value_label = "value", .columns = 3, .values = {1, 2, 3, NAN, 5, 6}};
  auto wrong = map;
  wrong.values.pop_back();
  CHECK_THROWS_WITH(save_plot("map", wrong), Contains("5 values do not fill rows of 3 columns"));
  wrong.values = {NAN, NAN, INFINITY};
  CHECK_THROWS_WITH(save_plot("map", wrong), Contains("finite"));
  CHECK_THROWS_AS(save_plot("map", HeatMap{}), Error);
  if (gnuplot_is_missing()) return;
  const TemporaryDirectory directory;
  map.numbers = true;
  map.x_range = {0.5, 0.9};
  save_plot(directory / "map", map);
  const auto svg = read_file(directory / "map.svg");
  for (const char* text : {">Map<", ">value<", ">0.5<", ">5<", ">6<"}) CHECK_THAT(svg, Contains(text));
  CHECK_THAT(svg, Contains("rgb( 68,   1,  84)") && Contains("rgb(253, 231,  37)"));  // the ends of the palette
  map.diverging = map.square = map.first_row_on_top = true;
  map.values = {0, 0, 0, 0, 0, 0};
  save_plot(directory / "flat", map);
  CHECK(read_file(directory / "flat.png").substr(1, 3) == "PNG");
}

TEST_CASE("save_plot draws a field, trajectories and landmarks") {
  PhasePortrait portrait{.title = "Portrait",
                         .field = {{0, 0, 1, 0}, {1, 0, 0, 1}, {0, 1, 0, 0}, {1, 1, -2, -1}},
                         .trajectories = {{.label = "path", .x = {0, 0.5, 1}, .y = {0, 1, 1}}},
                         .landmarks = {{0.5, 0.5, "fixed point"}}};
  auto wrong = portrait;
  wrong.trajectories[0].y.pop_back();
  CHECK_THROWS_WITH(save_plot("portrait", wrong), Contains("the trajectory 'path' has 3 x, 2 y"));
  wrong = portrait;
  wrong.trajectories[0].low = wrong.trajectories[0].high = {0, 1, 1};
  CHECK_THROWS_WITH(save_plot("portrait", wrong), Contains("it has no band"));
  wrong.field[1].dx = NAN;
  wrong.trajectories.clear();
  CHECK_THROWS_WITH(save_plot("portrait", wrong), Contains("an arrow of the field must be finite"));
  CHECK_THROWS_AS(save_plot("portrait", PhasePortrait{}), Error);
  if (gnuplot_is_missing()) return;
  const TemporaryDirectory directory;
  save_plot(directory / "portrait", portrait);
  const auto svg = read_file(directory / "portrait.svg");
  for (const char* text : {">Portrait<", ">path<", ">fixed point<"}) CHECK_THAT(svg, Contains(text));
  portrait.trajectories.clear();
  portrait.landmarks.clear();
  save_plot(directory / "field", portrait);
  portrait = {.trajectories = {{.x = {1}, .y = {1}}}};
  save_plot(directory / "point", portrait);
  CHECK(directory.size() == 6);
}

TEST_CASE("save_plot says how to install a missing gnuplot") {
  const auto child = run_in_child([] {
    ::setenv("PATH", "/nonexistent", 1);
    try {
      save_plot("/nonexistent/plot", curve());
    } catch (const Error& error) {
      std::fputs(error.what(), stdout);
    }
    return 0;
  });
  CHECK(child.out == "gnuplot: is not installed; run scripts/setup, or install the package gnuplot-nox");
}

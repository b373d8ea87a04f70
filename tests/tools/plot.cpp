// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/plot.hpp"

#include <cmath>
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
  CHECK_THAT(read_file(directory / "log.svg"), Contains(">1000<") && Contains(">1e+06<"));
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

// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/plot.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <iterator>
#include <memory>
#include <spawn.h>
#include <string_view>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

#include "mellow/core/error.hpp"
#include "mellow/tools/atomic_file.hpp"

extern char** environ;

namespace mellow::tools {
namespace {

namespace fs = std::filesystem;

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

/// Okabe and Ito's palette, which colour-blind readers can tell apart; yellow is left out, as it is lost on white.
constexpr std::array<std::string_view, 7> palette = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                                     "#E69F00", "#56B4E9", "#000000"};

/// A text as a string of gnuplot. All of ASCII but letters and spaces is written in octal, so nothing in it is special
/// to gnuplot: no quote, no backslash, no backquote, which would run a command. Digits too, as gnuplot takes one that
/// follows an octal code for a part of it. Control characters become spaces.
std::string literal(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (code < 0x20 || code == 0x7f) result += ' ';
    else if (code >= 0x80 || code == ' ' || std::isalpha(code) != 0) result += c;
    else result += fmt::format("\\{:03o}", code);
  }
  return result + '"';
}

/// The part of a plot command that puts a line into the legend.
std::string in_legend(const std::string& label) { return label.empty() ? "notitle" : "title " + literal(label); }

std::string number(double value) { return std::isfinite(value) ? fmt::format("{}", value) : "NaN"; }

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

/// The whole script: style, data, one plot command. Its image goes to standard output.
std::string script(const Plot& plot, std::string_view terminal) {
  std::string text = fmt::format(
      R"(set encoding utf8
set terminal {}
set title {} noenhanced font ',15' 
set xlabel {} noenhanced
set ylabel {} noenhanced
set border 3 linecolor rgb '#555555' linewidth 1
set tics nomirror out scale 0.5 textcolor rgb '#333333'
set grid linetype 1 linecolor rgb '#E4E4E4' linewidth 1
set key outside below center horizontal Left reverse noenhanced samplen 2 height 1 spacing 1.2
set rmargin 4
set format '%.6g'
)",
      terminal, literal(plot.title), literal(plot.x_label), literal(plot.y_label));
  if (plot.y_range)
    text += fmt::format("set yrange [{}:{}]\n", number(plot.y_range->first), number(plot.y_range->second));

  if (plot.log_x) text += "set logscale x\n";
  if (plot.log_y) text += "set logscale y\n";
  else text += "set autoscale yfix\nset offsets graph 0, graph 0, graph 0.04, graph 0.04\n";  // no line on an edge

  std::string bands, lines;
  for (std::size_t i = 0; i < plot.series.size(); ++i) {
    const auto& series = plot.series[i];
    const auto color = palette[i % palette.size()];
    const bool band = !series.low.empty();
    text += fmt::format("$data{} << END\n", i);
    for (std::size_t k = 0; k < series.x.size(); ++k) {
      text += fmt::format("{} {}", number(series.x[k]), number(series.y[k]));
      if (band) text += fmt::format(" {} {}", number(series.low[k]), number(series.high[k]));
      text += '\n';
    }
    text += "END\n";
    if (band) {
      bands += fmt::format(
          "$data{} using 1:3:4 with filledcurves fillcolor rgb '{}' fillstyle transparent solid 0.18 noborder "
          "notitle, ",
          i, color);
    }
    // Dots show the points of a short series, and one between two gaps.
    const auto style = series.x.size() < 32 ? "linespoints pointtype 7 pointsize 0.4" : "lines";
    lines += fmt::format("$data{} using 1:2 with {} linewidth 2 linecolor rgb '{}' dashtype {} {}, ", i, style, color,
                         1 + i / palette.size(), in_legend(series.label));
  }
  text += "plot " + bands + lines;
  if (plot.reference) {
    text += fmt::format("{} with lines linewidth 1.5 dashtype 2 linecolor rgb '#777777' {}", number(plot.reference->y),
                        in_legend(plot.reference->label));
  }
  return text + "\n";
}

File temporary_file() {
  File file(std::tmpfile(), &std::fclose);
  if (!file) throw Error("gnuplot", "cannot create a temporary file: " + std::generic_category().message(errno));
  return file;
}

std::string contents(const File& file) {
  std::string text;
  std::array<char, 1 << 16> buffer;
  std::rewind(file.get());
  while (const auto n = std::fread(buffer.data(), 1, buffer.size(), file.get())) text.append(buffer.data(), n);
  return text;
}

/// Runs gnuplot on a script and returns what it draws.
///
/// Unnamed files carry the script and the output: no shell, no path and no pipe that could fill up.
std::string gnuplot(const std::string& commands) {
  const auto input = temporary_file(), output = temporary_file(), complaints = temporary_file();
  std::fwrite(commands.data(), 1, commands.size(), input.get());
  if (std::fflush(input.get()) != 0) throw Error("gnuplot", "cannot write its script");
  std::rewind(input.get());

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ::fileno(input.get()), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ::fileno(output.get()), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ::fileno(complaints.get()), STDERR_FILENO);
  char program[] = "gnuplot", no_user_settings[] = "-d";
  char* arguments[] = {program, no_user_settings, nullptr};
  pid_t child = 0;
  const int code = ::posix_spawnp(&child, program, &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (code == ENOENT) throw Error("gnuplot", "is not installed; run scripts/setup, or install the package gnuplot-nox");
  if (code != 0) throw Error("gnuplot", "cannot be started: " + std::generic_category().message(code));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  auto image = contents(output);
  if (status != 0 || image.empty()) throw Error("gnuplot", "failed: " + contents(complaints));
  return image;
}

}  // namespace

void save_plot(const fs::path& path, const Plot& plot) {
  check(path, plot);
  const auto extension = path.extension();
  const auto stem = extension == ".svg" || extension == ".png" ? path.parent_path() / path.stem() : path;
  const auto draw = [&](const char* ending, std::string_view terminal) {
    write_file_atomically(fs::path(stem) += ending, gnuplot(script(plot, terminal)));
  };
  draw(".svg", "svg size 800,500 noenhanced rounded font 'sans-serif,12' background rgb 'white'");
  draw(
      ".png",
      "pngcairo size 1600,1000 noenhanced rounded font 'sans-serif,12' fontscale 2 linewidth 2 background rgb 'white'");
}

}  // namespace mellow::tools

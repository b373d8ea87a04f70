// SPDX-License-Identifier: Apache-2.0
#include "gnuplot.hpp"

#include <fmt/format.h>

#include <cctype>
#include <cmath>

#include "mellow/core/error.hpp"
#include "mellow/tools/atomic_file.hpp"
#include "mellow/tools/process.hpp"

namespace mellow::tools::gnuplot {

// All of ASCII but letters and spaces is written in octal, so nothing is special to gnuplot: no quote, no backslash, no
// backquote, which would run a command. Digits too, as gnuplot takes one that follows an octal code for a part of it.
// Control characters become spaces.
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

std::string number(double value) { return std::isfinite(value) ? fmt::format("{}", value) : "NaN"; }

std::string run(const std::string& script) {
  const auto result = run_process("gnuplot", {"-d"}, script);  // -d: without the user's settings
  if (!result) throw Error("gnuplot", "is not installed; run scripts/setup, or install the package gnuplot-nox");
  if (result->status != 0 || result->out.empty()) throw Error("gnuplot", "failed: " + result->error);
  return result->out;
}

void save_twice(const std::filesystem::path& path,
                const std::function<std::string(std::string_view terminal)>& script) {
  const auto extension = path.extension();
  const auto stem = extension == ".svg" || extension == ".png" ? path.parent_path() / path.stem() : path;
  const auto draw = [&](const char* ending, std::string_view terminal) {
    write_file_atomically(std::filesystem::path(stem) += ending, run(script(terminal)));
  };
  draw(".svg", "svg size 800,500 noenhanced rounded font 'sans-serif,12' background rgb 'white'");
  draw(
      ".png",
      "pngcairo size 1600,1000 noenhanced rounded font 'sans-serif,12' fontscale 2 linewidth 2 background rgb 'white'");
}

}  // namespace mellow::tools::gnuplot

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

/// What plots and drawings share: texts, numbers and runs of gnuplot.
namespace mellow::tools::gnuplot {

/// Okabe and Ito's palette, which colour-blind readers can tell apart; yellow is left out, as it is lost on white.
inline constexpr std::array<std::string_view, 7> palette = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                                            "#E69F00", "#56B4E9", "#000000"};

/// A text as a string of gnuplot, in which nothing is special to it.
std::string literal(std::string_view text);

/// A number as gnuplot reads it; NaN where it is not finite.
std::string number(double value);

/// Runs gnuplot on a script and returns what it draws. Throws Error where gnuplot is missing or fails.
std::string run(const std::string& script);

/// Draws `script(terminal)` twice and writes it to `path`.svg and `path`.png, a like extension of `path` dropped.
void save_twice(const std::filesystem::path& path, const std::function<std::string(std::string_view terminal)>& script);

}  // namespace mellow::tools::gnuplot

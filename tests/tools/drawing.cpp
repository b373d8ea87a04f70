// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/drawing.hpp"

#include <cmath>

#include "../support/catch.hpp"
#include "../support/temporary_directory.hpp"
#include "mellow/core/error.hpp"

using namespace mellow;
using namespace mellow::tools;
using Catch::Matchers::Contains;

namespace {

constexpr auto line = Shape::Kind::Line, area = Shape::Kind::Area, disc = Shape::Kind::Disc;

/// What one shape looks like on two by one characters, which are four dots by four.
std::string drawn(const Shape& shape, bool colored = false) {
  return in_characters({{0, 4}, {0, 4}}, {.shapes = {shape}}, 2, colored);
}

}  // namespace

TEST_CASE("A drawing in characters sets the dots that its shapes cover") {
  CHECK(in_characters({{0, 4}, {0, 4}}, {}, 2, false) == "\n");
  CHECK(drawn({.kind = disc, .x = {0.5}, .y = {3.5}, .size = 0.1}) == "\u2801\n");  // the dot in the upper left
  CHECK(drawn({.kind = disc, .x = {3.5}, .y = {0.5}, .size = 0.1}) == " \u2880\n");
  CHECK(drawn({.kind = line, .x = {0.5, 0.5}, .y = {0.5, 3.5}}) == "\u2847\n");
  CHECK(drawn({.kind = line, .x = {0.5, 3.5}, .y = {0.5, 0.5}}) == "\u28C0\u28C0\n");
  CHECK(drawn({.kind = area, .x = {0, 4, 4, 0}, .y = {0, 0, 4, 4}}) == "\u28FF\u28FF\n");
  CHECK(drawn({.kind = area, .x = {0, 2, 2, 0}, .y = {0, 0, 2, 2}}) == "\u28E4\n");
  CHECK(drawn({.kind = disc, .x = {2}, .y = {2}, .size = 9}) == "\u28FF\u28FF\n");
}

TEST_CASE("What lies outside of the canvas, or nowhere, is not drawn") {
  CHECK(drawn({.kind = disc, .x = {-1}, .y = {9}, .size = 0.5}) == "\n");
  CHECK(drawn({.kind = line, .x = {0, NAN}, .y = {0, 1}}) == "\n");
  CHECK(drawn({.kind = line, .x = {-1e9, 1e9}, .y = {9, 9}}) == "\n");
  CHECK(drawn({.kind = area, .x = {-9, 9, 9, -9}, .y = {-9, -9, 9, 9}}) == "\u28FF\u28FF\n");
}

TEST_CASE("A drawing in characters has colours where asked for") {
  CHECK(drawn({.kind = disc, .x = {0.5}, .y = {3.5}, .color = 0xD55E00, .size = 0.1}, true) ==
        "\x1b[38;2;213;94;0m\u2801\x1b[0m\n");
}

TEST_CASE("A drawing that cannot be is refused") {
  const TemporaryDirectory directory;
  CHECK_THROWS_WITH(in_characters({{1, 1}, {0, 1}}, {}, 10, false), Contains("a width and a height"));
  CHECK_THROWS_WITH(in_characters({{0, 1}, {0, NAN}}, {}, 10, false), Contains("a width and a height"));
  CHECK_THROWS_WITH(in_characters({}, {}, 0, false), Contains("columns") && Contains("(got 0)"));
  CHECK_THROWS_WITH(drawn({.x = {1, 2}, .y = {1}}), Contains("2 x, but 1 y"));
  CHECK_THROWS_WITH(save_animation(directory / "a.gif", {}, {}, 0.1), Contains("nothing to draw"));
  CHECK_THROWS_WITH(save_animation(directory / "a.gif", {}, {{}}, 0), Contains("seconds") && Contains("(got 0)"));
  CHECK_THROWS_WITH(save_strip(directory / "a.png", {}, {{}}, 0), Contains("columns"));
  CHECK(directory.size() == 0);
}

TEST_CASE("Drawings become an animation of as many pictures, and a strip") {
  if (std::system("gnuplot --version > /dev/null 2>&1") != 0) {
    WARN("SKIPPED: gnuplot is not installed");
    return;
  }
  const TemporaryDirectory directory;
  std::vector<Drawing> drawings;
  for (int i = 0; i < 5; ++i)
    drawings.push_back({.caption = "it's `step` " + std::to_string(i),
                        .shapes = {{.kind = line, .x = {0, 1}, .y = {0, 1}},
                                   {.kind = area, .x = {0, 0.5, 0}, .y = {0, 0, 0.5}, .color = 0x009E73},
                                   {.kind = disc, .x = {0.2 * i}, .y = {0.5}, .size = 0.1},
                                   {}}});
  save_animation(directory / "a.gif", {}, drawings, 0.05);
  const auto gif = read_file(directory / "a.gif");
  CHECK(gif.substr(0, 6) == "GIF89a");
  const std::string control("\x21\xF9\x04", 3);  // the block before each picture, with its delay in 1/100 s
  int pictures = 0;
  for (auto at = gif.find(control); at != gif.npos; at = gif.find(control, at + 1)) {
    ++pictures;
    CHECK(static_cast<int>(gif.at(at + 4)) == 5);
  }
  CHECK(pictures == 5);
  save_strip(directory / "new/strip.png", {}, drawings, 3);
  CHECK(read_file(directory / "new/strip.png").substr(1, 3) == "PNG");
}

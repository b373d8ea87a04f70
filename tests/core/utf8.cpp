// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <mellow/core/utf8.hpp>

#include "support/catch.hpp"

using namespace mellow;

namespace {

std::string bytes(std::initializer_list<unsigned> values) {
  std::string text;
  for (const unsigned value : values) text += static_cast<char>(value);
  return text;
}

/// The bytes of a code point, by the table of RFC 3629.
std::string encoded(unsigned point) {
  if (point < 0x80) return bytes({point});
  if (point < 0x800) return bytes({0xc0 | point >> 6, 0x80 | (point & 0x3f)});
  if (point < 0x10000) return bytes({0xe0 | point >> 12, 0x80 | (point >> 6 & 0x3f), 0x80 | (point & 0x3f)});
  return bytes({0xf0 | point >> 18, 0x80 | (point >> 12 & 0x3f), 0x80 | (point >> 6 & 0x3f), 0x80 | (point & 0x3f)});
}

}  // namespace

TEST_CASE("Every code point but the surrogates is a character of UTF-8, alone and before others") {
  for (unsigned point = 0; point < 0x110000; ++point) {
    const std::string text = encoded(point);
    const bool surrogate = point >= 0xd800 && point < 0xe000;
    if (utf8_length(text) != (surrogate ? 0 : text.size()) || utf8_length(text + "\x80") != utf8_length(text) ||
        utf8_length(text.substr(0, text.size() - 1)) != 0)
      FAIL(point);
  }
}

TEST_CASE("No other bytes are: there are as many characters of each length as code points") {
  int two = 0, three = 0, four = 0;
  std::string text(4, '\0');
  for (unsigned a = 0; a < 256; ++a)
    for (unsigned b = 0; b < 256; ++b) {
      text[0] = static_cast<char>(a);
      text[1] = static_cast<char>(b);
      two += utf8_length(text) == 2;
      for (unsigned c = 0; c < 256; ++c) {
        text[2] = static_cast<char>(c);
        text[3] = 0;
        three += utf8_length(text) == 3;
        if (a >= 0xf0)
          for (unsigned d = 0x80; d < 0xc0; ++d) {  // others are no continuation, as everywhere
            text[3] = static_cast<char>(d);
            four += utf8_length(text) == 4;
          }
      }
      text[2] = text[3] = 0;
    }
  CHECK(two == 0x800 - 0x80);
  CHECK(three == 0x10000 - 0x800 - 0x800);  // without the surrogates
  CHECK(four == 0x110000 - 0x10000);
}

TEST_CASE("Where a text stops to be UTF-8") {
  CHECK(utf8_length("") == 0);
  CHECK(utf8_valid("") == 0);
  CHECK(utf8_valid("na\xc3\xafve \xe2\x82\xac \xf0\x9f\x8e\xb2") == 15);
  CHECK(utf8_valid("ab\xffgh") == 2);
  CHECK(utf8_valid("a\xe2\x82") == 1);
}

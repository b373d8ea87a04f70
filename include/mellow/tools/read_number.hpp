// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <concepts>
#include <limits>
#include <optional>
#include <string_view>
#include <system_error>

namespace mellow::tools {

/// Reads the whole of `text` as a number; a whole number may also be written 1e6. Nothing where it is none or too
/// large.
template <class Number>
std::optional<Number> read_number(std::string_view text) {
  const auto read = [&](auto value) -> std::optional<decltype(value)> {
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
  };
  if (const auto number = read(Number{})) return number;
  if constexpr (std::integral<Number>) {
    const auto real = read(0.0);
    const bool fits = real && *real == std::trunc(*real) &&
                      std::abs(*real) < std::min(0x1p53, 1.0 + static_cast<double>(std::numeric_limits<Number>::max()));
    if (fits && (std::is_signed_v<Number> || *real >= 0)) return static_cast<Number>(*real);
  }
  return std::nullopt;
}

}  // namespace mellow::tools

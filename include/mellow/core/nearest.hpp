// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mellow {

/// How many characters must be inserted, removed or replaced to make `a` of `b` (Levenshtein 1966).
inline std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] != b[j - 1] ? 1 : 0);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, replaced}));
    }
  }
  return row.back();
}

/// The known name that `name` most likely was meant to be, by its letters and digits alone, upper and lower case aside:
/// the same one; else, if it has three characters at least, the first that begins with it, else that contains it; else
/// the nearest one (the first of equals), unless more than a third of the characters of `name` would have to change (one
/// may always); else an empty text.
inline std::string nearest(std::string_view name, const std::vector<std::string>& known) {
  const auto plain = [](std::string_view text) {
    std::string result;
    for (const char c : text) {
      if (c >= 'A' && c <= 'Z') result += static_cast<char>(c - 'A' + 'a');
      if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) result += c;
    }
    return result;
  };
  const std::string wanted = plain(name);
  const auto first = [&](const auto& fits) {
    const auto found = std::ranges::find_if(known, [&](const std::string& k) { return fits(plain(k)); });
    return found == known.end() ? std::string() : *found;
  };
  std::string best = first([&](const std::string& k) { return k == wanted; });
  if (best.empty() && wanted.size() >= 3) {
    best = first([&](const std::string& k) { return k.starts_with(wanted); });
    if (best.empty()) best = first([&](const std::string& k) { return k.find(wanted) != std::string::npos; });
  }
  if (!best.empty()) return best;
  std::size_t least = std::max<std::size_t>(wanted.size() / 3, 1) + 1;
  for (const std::string& candidate : known) {
    const std::size_t distance = edit_distance(wanted, plain(candidate));
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace mellow

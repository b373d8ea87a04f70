// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <vector>

#include "catch.hpp"
#include "temporary_directory.hpp"

/// The lines of a folder's metrics.jsonl without the seconds, in which two runs of one seed may differ.
inline std::vector<std::string> json_lines_without_seconds(const std::filesystem::path& folder) {
  static const std::regex seconds("\"seconds\":[^,}]*");
  std::vector<std::string> lines;
  std::ifstream file(folder / "metrics.jsonl");
  for (std::string line; std::getline(file, line);) lines.push_back(std::regex_replace(line, seconds, ""));
  return lines;
}

/// The records of a folder's event file without their wall times and checksums; none where there is no such file.
inline std::vector<std::string> events_without_times(const std::filesystem::path& folder) {
  const std::string file = read_file(folder / "events.out.tfevents.mellow");
  std::vector<std::string> records;
  for (std::size_t at = 0; at < file.size();) {
    std::uint64_t length = 0;
    REQUIRE(file.size() - at >= 12);
    std::memcpy(&length, &file[at], sizeof length);
    REQUIRE(file.size() - at >= 12 + length + 4);
    REQUIRE(length > 9);  // the wall time comes first: a tag and a double
    records.push_back(file.substr(at + 12 + 9, length - 9));
    at += 12 + length + 4;
  }
  return records;
}

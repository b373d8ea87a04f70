// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <regex>
#include <signal.h>
#include <sstream>
#include <string>

#include "catch.hpp"
#include "child.hpp"
#include "records.hpp"

/// Where this project's programs lie.
inline const std::filesystem::path bin = std::filesystem::read_symlink("/proc/self/exe").parent_path();

/// Becomes a shell's command line, in which the project's programs are known by their names.
[[noreturn]] inline void become(const std::string& command) {
  ::signal(SIGINT, SIG_DFL);  // whatever the test runner had
  ::setenv("PATH", (bin.string() + ":" + std::getenv("PATH")).c_str(), 1);
  ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
  std::_Exit(99);
}

/// Runs such a command line.
inline ChildResult run(const std::string& command) {
  return run_in_child([&]() -> int { become(command); });
}

/// The text of a result without what may differ between two runs: the column `seconds` of a table, the number "seconds"
/// in JSON, the wall times and checksums of events.
inline std::string without_seconds(const std::filesystem::path& path) {
  if (path.filename() == "events.out.tfevents.mellow")
    return fmt::format("{}", fmt::join(events_without_times(path.parent_path()), "\n"));
  if (path.extension().string().starts_with(".json"))
    return std::regex_replace(read_file(path), std::regex("\"seconds\": *[^,}\n]*"), "");
  if (path.extension() != ".csv") return read_file(path);
  std::istringstream table(read_file(path));
  std::string result;
  std::size_t seconds = std::string::npos;
  for (std::string line; std::getline(table, line); result += '\n') {
    std::istringstream cells(line + ',');
    std::size_t column = 0;
    for (std::string cell; std::getline(cells, cell, ','); ++column) {
      if (cell == "seconds") seconds = column;
      if (column != seconds) result += cell + ',';
    }
  }
  return result;
}

/// What a folder holds, by path, times left out.
inline std::map<std::string, std::string> results_in(const std::filesystem::path& folder) {
  std::map<std::string, std::string> results;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file())
      results[entry.path().lexically_relative(folder).string()] = without_seconds(entry.path());
  return results;
}

/// Checks that two folders hold the same results.
inline void check_same_results(const std::filesystem::path& a, const std::filesystem::path& b) {
  const auto left = results_in(a), right = results_in(b);
  CHECK_FALSE(left.empty());
  for (const auto& [path, text] : left) {
    CAPTURE(path);
    REQUIRE(right.contains(path));
    CHECK((text == right.at(path)));
  }
  CHECK(left.size() == right.size());
}

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "catch.hpp"

/// A Python that has these modules ("torch, numpy"): MELLOW_PYTHON, that of `scripts/setup --peers`, or python3. Where
/// it has them not, says that the test is skipped (ctest then lists it so) and returns an empty text.
inline std::string python_with(const std::string& modules) {
  const char* chosen = std::getenv("MELLOW_PYTHON");
  const std::filesystem::path ours = MELLOW_SOURCE_DIR "/.venv/bin/python";
  const std::string python = chosen != nullptr ? chosen : std::filesystem::exists(ours) ? ours.string() : "python3";
  if (std::system(("'" + python + "' -c 'import " + modules + "' > /dev/null 2>&1").c_str()) == 0)
    return "'" + python + "'";
  WARN("SKIPPED: " << python << " lacks one of " << modules << "; run scripts/setup --peers or set MELLOW_PYTHON");
  return {};
}

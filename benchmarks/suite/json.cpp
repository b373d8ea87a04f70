// SPDX-License-Identifier: Apache-2.0
#include "json.hpp"

#include <fmt/format.h>

#include <fstream>

#include <mellow/core/error.hpp>

namespace mellow::suite {

std::optional<Json> read_json(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  try {
    return Json::parse(file);
  } catch (const Json::exception& error) {
    throw Error(path.string(), fmt::format("is not JSON: {}", error.what()));
  }
}

}  // namespace mellow::suite

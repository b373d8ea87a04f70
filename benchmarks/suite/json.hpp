// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include <filesystem>
#include <optional>

namespace mellow::suite {

using Json = nlohmann::ordered_json;

/// What a file of JSON holds; nothing where there is no such file. Throws Error, naming it, where it is no JSON.
std::optional<Json> read_json(const std::filesystem::path& path);

}  // namespace mellow::suite

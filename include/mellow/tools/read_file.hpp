// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

namespace mellow::tools {

/// The bytes of a file. Throws Error with the path and the system's reason where it cannot be read.
std::string read_file(const std::filesystem::path& path);

}  // namespace mellow::tools

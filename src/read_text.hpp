// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace mellow::tools {

/// The contents of a file, without the mark that some programs put before UTF-8. Throws Error where it cannot be read.
std::string read_text(const std::filesystem::path& path);

/// Names a line of a file in a message.
std::string at_line(const std::filesystem::path& path, std::size_t line);

}  // namespace mellow::tools

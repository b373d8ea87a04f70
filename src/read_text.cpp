// SPDX-License-Identifier: Apache-2.0
#include "read_text.hpp"

#include <fmt/format.h>

#include "mellow/tools/read_file.hpp"

namespace mellow::tools {

std::string read_text(const std::filesystem::path& path) {
  std::string text = read_file(path);
  if (text.starts_with("\xef\xbb\xbf")) text.erase(0, 3);
  return text;
}

std::string at_line(const std::filesystem::path& path, std::size_t line) {
  return fmt::format("{}:{}", path.string(), line);
}

}  // namespace mellow::tools

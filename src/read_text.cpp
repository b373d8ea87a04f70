// SPDX-License-Identifier: Apache-2.0
#include "read_text.hpp"

#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

#include "mellow/core/error.hpp"

namespace mellow::tools {

std::string read_text(const std::filesystem::path& path) {
  const auto fail = [&](int code) {
    throw Error(path.string(), "cannot be read: " + std::generic_category().message(code));
  };
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) fail(EISDIR);
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(errno);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) fail(EIO);
  if (text.starts_with("\xef\xbb\xbf")) text.erase(0, 3);
  return text;
}

std::string at_line(const std::filesystem::path& path, std::size_t line) {
  return fmt::format("{}:{}", path.string(), line);
}

}  // namespace mellow::tools

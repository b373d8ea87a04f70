// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/read_file.hpp"

#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

#include "mellow/core/error.hpp"

namespace mellow::tools {

std::string read_file(const std::filesystem::path& path) {
  const auto fail = [&](int code) {
    throw Error(path.string(), "cannot be read: " + std::generic_category().message(code));
  };
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) fail(EISDIR);
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(errno);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) fail(EIO);
  return bytes;
}

}  // namespace mellow::tools

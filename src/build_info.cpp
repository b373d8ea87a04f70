// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/build_info.hpp"

#include <fstream>

namespace mellow::tools {

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("model name")) continue;
    const auto value = line.find_first_not_of(" \t:", line.find(':'));
    if (value != line.npos) return line.substr(value);
  }
  return "unknown";
}

}  // namespace mellow::tools

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

namespace mellow::tools {

/// Texts by name that go with the tensors of a file.
using Metadata = std::map<std::string, std::string>;

}  // namespace mellow::tools

// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace mellow {

/// The library's version, by semantic versioning. CMakeLists.txt reads it from this line.
inline constexpr const char* version = "0.1.0";

}  // namespace mellow

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace mellow {

/// A word of a vocabulary: 0 .. vocabulary - 1.
using Token = std::int32_t;

}  // namespace mellow

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace mellow::language {

/// The number of a token in its vocabulary, from 0.
using Token = std::int32_t;

}  // namespace mellow::language

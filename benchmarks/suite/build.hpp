// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>

#include <mellow/tools/build_info.hpp>
#include <mellow/version.hpp>

namespace mellow::suite {

/// What made a result: version, compiler, flags, processor. Inline, so that the compiler is the one of our programs.
inline nlohmann::ordered_json build_description() {
  return {{"version", version},
          {"compiler", tools::compiler},
          {"flags", MELLOW_SUITE_FLAGS},
          {"instructions", tools::instruction_set},
          {"processor", tools::processor_name()}};
}

}  // namespace mellow::suite

// SPDX-License-Identifier: Apache-2.0
// Any bytes are preference pairs or give an Error, and hold no more than was there.
#include <mellow/core/error.hpp>
#include <mellow/tools/preference_pairs.hpp>

#include "input_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const InputFile file(bytes, size);
  try {
    const auto pairs = mellow::tools::load_preference_pairs(file.path());
    std::size_t characters = 0;
    for (const auto& pair : pairs) {
      if (pair.chosen.empty() || pair.rejected.empty() || pair.where.empty()) std::abort();
      characters += pair.prompt.size() + pair.chosen.size() + pair.rejected.size();
    }
    if (characters > size) std::abort();
  } catch (const mellow::Error&) {}
  return 0;
}

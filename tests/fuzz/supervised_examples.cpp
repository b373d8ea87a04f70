// SPDX-License-Identifier: Apache-2.0
// Any bytes are examples or give an Error, and hold no more than was there.
#include <mellow/core/error.hpp>
#include <mellow/tools/supervised_examples.hpp>

#include "input_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const InputFile file(bytes, size);
  try {
    std::size_t characters = 0;
    for (const auto& example : mellow::tools::load_supervised_examples(file.path())) {
      if (example.completion.empty() || example.where.empty()) std::abort();
      characters += example.prompt.size() + example.completion.size();
    }
    if (characters > size) std::abort();
  } catch (const mellow::Error&) {}
  return 0;
}

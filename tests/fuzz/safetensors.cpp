// SPDX-License-Identifier: Apache-2.0
// Any bytes are a safetensors file or give an Error; one that loads has a tensor for each of its bytes.
#include <mellow/core/error.hpp>
#include <mellow/tools/safetensors.hpp>

#include "input_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const InputFile file(bytes, size);
  try {
    const auto loaded = mellow::tools::load_safetensors(file.path());
    std::size_t data = 0;
    for (const auto& tensor : loaded.tensors)
      std::visit([&](const auto& values) { data += values.size() * sizeof(values[0]); }, tensor.values);
    if (data > size) std::abort();
  } catch (const mellow::Error&) {}
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
// Any bytes are the state of these objects or give an Error, which leaves them as they were.
#include <mellow/core/rng.hpp>
#include <mellow/core/state.hpp>
#include <mellow/data/uniform_replay.hpp>
#include <mellow/tools/saved_state.hpp>

#include "input_file.hpp"

using namespace mellow;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const InputFile file(bytes, size);
  const auto fresh = [] {
    return std::tuple(Rng(1), std::int64_t{2}, 0.5, std::vector<double>(), Matrix<float>(Matrix<float>::Ones(2, 3)),
                      Vector<double>(), data::UniformReplay{.capacity = 5}.make_state<float>(2));
  };
  auto state = fresh();
  try {
    tools::restore_state(tools::load_safetensors(file.path()), state);  // without the checksum, which stops all else
  } catch (const Error&) {
    if (!first_difference(state, fresh()).empty()) std::abort();
  }
  try {
    tools::load_saved_state(file.path());
  } catch (const Error&) {}
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/saved_state.hpp"

#define XXH_INLINE_ALL
#include <algorithm>
#include <xxhash.h>

namespace mellow::tools {
namespace {

/// XXH3 of bytes that come piece by piece; each piece counts with its length.
class Hash {
 public:
  Hash() { XXH3_64bits_reset(&state_); }
  void add(const void* bytes, std::uint64_t size) {
    XXH3_64bits_update(&state_, &size, sizeof size);
    XXH3_64bits_update(&state_, bytes, size);
  }
  void add(std::string_view text) { add(text.data(), text.size()); }
  std::string text() const { return fmt::format("{:016x}", XXH3_64bits_digest(&state_)); }

 private:
  XXH3_state_t state_;
};

}  // namespace

std::string checksum(std::vector<TensorView> tensors, const Metadata& metadata) {
  std::ranges::sort(tensors, {}, &TensorView::name);
  Hash hash;
  for (const auto& [name, text] : metadata) {
    if (name == checksum_key) continue;
    hash.add(name);
    hash.add(text);
  }
  for (const TensorView& tensor : tensors) {
    hash.add(tensor.name);
    hash.add(tensor.shape.data(), tensor.shape.size() * sizeof(std::int64_t));
    std::visit([&](const auto& values) { hash.add(values.data(), values.size_bytes()); }, tensor.values);
  }
  return hash.text();
}

std::string checksum(std::string_view bytes) { return fmt::format("{:016x}", XXH3_64bits(bytes.data(), bytes.size())); }

Safetensors load_saved_state(const std::filesystem::path& path) {
  Safetensors file = load_safetensors(path);
  std::vector<TensorView> views;
  views.reserve(file.tensors.size());
  for (const Tensor& tensor : file.tensors) views.push_back(tensor.view());
  const auto sum = file.metadata.find(std::string(checksum_key));
  if (sum == file.metadata.end() || sum->second != checksum(std::move(views), file.metadata))
    throw Error(path.string(), "was not written by save_state, or is damaged: its checksum does not fit");
  return file;
}

}  // namespace mellow::tools

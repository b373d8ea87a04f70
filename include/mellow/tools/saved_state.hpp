// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <mellow/core/error.hpp>
#include <mellow/core/state.hpp>
#include <mellow/tools/safetensors.hpp>

namespace mellow::tools {

namespace detail {

/// The number type as which a leaf's elements are stored: their own, or bytes for what the format does not know.
template <class T>
using Stored = std::conditional_t<
    std::is_same_v<T, float> || std::is_same_v<T, double> || std::is_same_v<T, std::int32_t>, T,
    std::conditional_t<std::is_integral_v<T> && sizeof(T) == 8,
                       std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>, std::uint8_t>>;

template <class T>
struct ElementOf {
  using type = T;
};
template <class T>
  requires requires { typename T::Scalar; }
struct ElementOf<T> {
  using type = typename T::Scalar;
};
template <class T>
  requires requires { typename T::value_type; } && (!requires { typename T::Scalar; })
struct ElementOf<T> {
  using type = typename T::value_type;
};

/// A matrix of features x batch is stored as batch x features in row-major order, which are the same bytes.
template <class T>
std::vector<std::int64_t> shape_of(const T& leaf) {
  if constexpr (std::is_base_of_v<Eigen::EigenBase<T>, T>) {
    if constexpr (!T::IsVectorAtCompileTime) return {leaf.cols(), leaf.rows()};
  }
  using Element = typename ElementOf<T>::type;
  const auto bytes = mellow::detail::bytes_of(leaf).size();
  const auto count = static_cast<std::int64_t>(bytes / sizeof(Stored<Element>));
  if constexpr (std::is_same_v<Element, T> && sizeof(T) == sizeof(Stored<Element>)) return {};
  else return {count};
}

/// FNV-1a over the bytes of a state's leaves.
class Checksum {
 public:
  void add(std::span<const std::byte> bytes) {
    for (const std::byte b : bytes) hash_ = (hash_ ^ std::to_integer<std::uint64_t>(b)) * 0x100000001b3u;
  }
  std::string text() const { return fmt::format("{:016x}", hash_); }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325u;
};

}  // namespace detail

/// Saves everything that an object names in `visit_state` (a replay, an optimiser's state, an environment, a whole
/// agent) as safetensors, one tensor a piece, atomically; Python reads the numbers by their names.
template <class T>
void save_state(const std::filesystem::path& path, const T& object) {
  std::vector<TensorView> tensors;
  detail::Checksum checksum;
  mellow::detail::visit_leaves("", object, [&](const std::string& name, const auto& leaf) {
    using Element = detail::Stored<typename detail::ElementOf<std::remove_cvref_t<decltype(leaf)>>::type>;
    const auto bytes = mellow::detail::bytes_of(leaf);
    const std::span values(reinterpret_cast<const Element*>(bytes.data()), bytes.size() / sizeof(Element));
    tensors.push_back({name, detail::shape_of(leaf), values});
    checksum.add(bytes);
  });
  save_safetensors(path, tensors, {{"mellow.state", checksum.text()}});
}

/// Loads what `save_state` wrote from an object that was built in the same way (the same capacities, the same network).
///
/// Throws Error, naming the file and the piece, and leaves the object as it was, unless the file holds exactly the
/// object's pieces, each with the present type and size (what is empty now may have any size), undamaged.
template <class T>
void load_state(const std::filesystem::path& path, T& object) {
  const Safetensors file = load_safetensors(path);
  T loaded = object;
  detail::Checksum checksum;
  std::set<std::string> known;
  mellow::detail::visit_leaves("", loaded, [&]<class Leaf>(const std::string& name, Leaf& leaf) {
    using Element = detail::Stored<typename detail::ElementOf<Leaf>::type>;
    const Tensor& tensor = file.at(name);
    known.insert(name);
    const auto* const values = std::get_if<std::vector<Element>>(&tensor.values);
    if (values == nullptr) throw Error(path.string(), fmt::format("\"{}\" holds numbers of another type", name));
    if constexpr (requires { leaf.resize(leaf.size()); }) {
      const auto count = static_cast<Index>(values->size() * sizeof(Element) / sizeof(*leaf.data()));
      if (leaf.size() == 0 && count > 0) {
        if constexpr (requires { leaf.rows(); }) {
          if (tensor.shape.size() == 2) leaf.resize(tensor.shape[1], tensor.shape[0]);
          else if constexpr (Leaf::IsVectorAtCompileTime) leaf.resize(count);
        } else {
          leaf.resize(static_cast<std::size_t>(count));
        }
      }
    }
    if (detail::shape_of(leaf) != tensor.shape)
      throw Error(path.string(), fmt::format("\"{}\" has another size than here", name));
    const auto bytes = mellow::detail::bytes_of(leaf);
    if (!bytes.empty()) std::memcpy(const_cast<std::byte*>(bytes.data()), values->data(), bytes.size());
    checksum.add(bytes);
  });
  for (const Tensor& tensor : file.tensors)
    if (!known.contains(tensor.name))
      throw Error(path.string(), fmt::format("tensor \"{}\" is no piece of this state", tensor.name));
  const auto sum = file.metadata.find("mellow.state");
  if (sum == file.metadata.end() || sum->second != checksum.text())
    throw Error(path.string(), "was not written by save_state, or is damaged: its checksum does not fit");
  object = std::move(loaded);
}

}  // namespace mellow::tools

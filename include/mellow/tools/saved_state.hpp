// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mellow/core/error.hpp>
#include <mellow/core/state.hpp>
#include <mellow/tools/safetensors.hpp>

namespace mellow::tools {

/// The metadata text in which a state file carries its checksum.
inline constexpr std::string_view checksum_key = "mellow.state";

/// XXH3 over the names, shapes and values of tensors and over texts, in hexadecimal; `checksum_key` is left out.
std::string checksum(std::vector<TensorView> tensors, const Metadata& metadata);
/// XXH3 of bytes, in hexadecimal.
std::string checksum(std::string_view bytes);

/// Reads a file that `save_state` wrote. Throws Error unless it is one and undamaged.
Safetensors load_saved_state(const std::filesystem::path& path);

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

/// Calls `visit(name, leaf, shape, values)` for every leaf of an object; values are the span that is stored.
template <class T, class Visit>
void visit_tensors(T& object, const Visit& visit) {
  mellow::detail::visit_leaves("", object, [&]<class Leaf>(const std::string& name, Leaf& leaf) {
    using Element = Stored<typename ElementOf<std::remove_const_t<Leaf>>::type>;
    const auto bytes = mellow::detail::bytes_of(leaf);
    visit(name, leaf, std::span(reinterpret_cast<const Element*>(bytes.data()), bytes.size() / sizeof(Element)));
  });
}

/// The values that a file holds for a leaf. Throws Error, naming file and piece, where they do not fit it.
template <class Leaf, class Element>
const std::vector<Element>& fitting(const Safetensors& file, const std::string& name, const Leaf& leaf,
                                    std::span<const Element>) {
  const Tensor& tensor = file.at(name);
  const auto* const values = std::get_if<std::vector<Element>>(&tensor.values);
  if (values == nullptr) throw Error(file.path.string(), fmt::format("\"{}\" holds numbers of another type", name));
  const auto shape = shape_of(leaf);
  bool fits = shape == tensor.shape;
  if constexpr (requires(Leaf& resizable) { resizable.resize(leaf.size()); })
    fits = fits || (leaf.size() == 0 && tensor.shape.size() == shape.size());  // what is empty may have any size
  if (!fits) throw Error(file.path.string(), fmt::format("\"{}\" has another size than here", name));
  return *values;
}

/// Writes values into a leaf that they fit, and gives it their size.
template <class Leaf, class Element>
void assign(Leaf& leaf, const std::vector<std::int64_t>& shape, const std::vector<Element>& values) {
  if constexpr (std::is_base_of_v<Eigen::EigenBase<Leaf>, Leaf>) {
    if constexpr (!Leaf::IsVectorAtCompileTime) {
      leaf.resize(shape.at(1), shape.at(0));
    } else if constexpr (Leaf::SizeAtCompileTime == Eigen::Dynamic) {
      leaf.resize(shape.at(0));
    }
  } else if constexpr (requires { leaf.resize(leaf.size()); }) {
    leaf.resize(values.size() * sizeof(Element) / sizeof(*leaf.data()));
  }
  const auto bytes = mellow::detail::bytes_of(leaf);
  if (!bytes.empty()) std::memcpy(const_cast<std::byte*>(bytes.data()), values.data(), bytes.size());
}

}  // namespace detail

/// Saves everything that an object names in `visit_state` (a replay, an optimiser's state, an environment, a whole
/// agent) as safetensors, one tensor a piece, atomically and with a checksum; Python reads the numbers by their names.
template <class T>
void save_state(const std::filesystem::path& path, const T& object, Metadata metadata = {}) {
  std::vector<TensorView> tensors;
  detail::visit_tensors(object, [&](const std::string& name, const auto& leaf, const auto& values) {
    tensors.push_back({name, detail::shape_of(leaf), values});
  });
  metadata[std::string(checksum_key)] = checksum(tensors, metadata);
  save_safetensors(path, tensors, metadata);
}

/// Gives an object the state in a file that `load_saved_state` read.
///
/// Throws Error, naming the file and the piece, and leaves the object as it was, unless the file holds exactly the
/// object's pieces, each with the present type and size (what is empty now may have any size).
template <class T>
void restore_state(const Safetensors& file, T& object) {
  std::set<std::string> known;
  detail::visit_tensors(std::as_const(object), [&](const std::string& name, const auto& leaf, auto values) {
    detail::fitting(file, name, leaf, values);
    known.insert(name);
  });
  for (const Tensor& tensor : file.tensors)
    if (!known.contains(tensor.name))
      throw Error(file.path.string(), fmt::format("tensor \"{}\" is no piece of this state", tensor.name));
  detail::visit_tensors(object, [&](const std::string& name, auto& leaf, auto values) {
    detail::assign(leaf, file.at(name).shape, detail::fitting(file, name, leaf, values));
  });
}

/// Loads what `save_state` wrote from an object that was built in the same way (the same capacities, the same network).
///
/// Throws Error, naming the file and the piece, and leaves the object as it was, where the file is damaged or holds
/// another state, as `restore_state` says.
template <class T>
void load_state(const std::filesystem::path& path, T& object) {
  restore_state(load_saved_state(path), object);
}

}  // namespace mellow::tools

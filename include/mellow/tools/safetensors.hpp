// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <mellow/tools/metadata.hpp>

namespace mellow::tools {

namespace detail {
/// One of these for each dtype that is known, in the order of the Python package: U64, I64, F64, F32, I32, U8.
template <template <class> class Of>
using ForEachDtype =
    std::variant<Of<std::uint64_t>, Of<std::int64_t>, Of<double>, Of<float>, Of<std::int32_t>, Of<std::uint8_t>>;
template <class Scalar>
using ConstSpan = std::span<const Scalar>;
template <class Scalar>
using List = std::vector<Scalar>;
}  // namespace detail

/// A named array to be saved, its values in row-major order, stored elsewhere. An empty shape is a scalar.
struct TensorView {
  std::string name;                                ///< as in a PyTorch state_dict
  std::vector<std::int64_t> shape;                 ///< extent of each dimension, the slowest first
  detail::ForEachDtype<detail::ConstSpan> values;  ///< a span of its numbers
};

/// A named array that was loaded, its values in row-major order.
struct Tensor {
  std::string name;                           ///< as in a PyTorch state_dict
  std::vector<std::int64_t> shape;            ///< extent of each dimension, the slowest first
  detail::ForEachDtype<detail::List> values;  ///< a vector of its numbers

  TensorView view() const;  ///< valid as long as the tensor is
};

/// What a safetensors file holds.
struct Safetensors {
  std::filesystem::path path;   ///< where it was loaded from
  std::vector<Tensor> tensors;  ///< in the order of their data
  Metadata metadata;            ///< what was saved with them

  /// Returns the tensor of this name. Throws Error, naming the file, where there is none.
  const Tensor& at(std::string_view name) const;

  /// The same, and throws Error as well where it has another shape.
  const Tensor& at(std::string_view name, const std::vector<std::int64_t>& shape) const;
};

/// Writes tensors in the safetensors format, byte for byte as its Python package does, and atomically.
///
/// The data are sorted by width of dtype, then by name, so that each value is aligned. Throws Error where two tensors
/// share a name, a shape does not fit its values, a text is not UTF-8, or the file cannot be written.
void save_safetensors(const std::filesystem::path& path, const std::vector<TensorView>& tensors,
                      const Metadata& metadata = {});

/// Reads a safetensors file of U64, I64, F64, F32, I32 and U8 tensors and trusts none of it.
///
/// Throws Error, naming the file, the tensor and the value, unless the header is well-formed, each name unique, and
/// each byte of the data belongs to exactly one tensor. Allocates no array that is larger than the file.
Safetensors load_safetensors(const std::filesystem::path& path);

}  // namespace mellow::tools

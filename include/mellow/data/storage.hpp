// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <mellow/core/types.hpp>

namespace mellow::data {

/// How a replay stores an observation's numbers: as they are.
struct Float32 {
  /// How many bytes `features` numbers take.
  static Index bytes(Index features) { return features * static_cast<Index>(sizeof(float)); }
  /// Stores numbers.
  static void encode(const float* from, Index features, std::byte* to) {
    std::memcpy(to, from, static_cast<std::size_t>(bytes(features)));
  }
  /// Gives stored numbers back.
  template <class Scalar>
  static void decode(const std::byte* from, Index features, Scalar* to) {
    for (Index i = 0; i < features; ++i) {
      float value;
      std::memcpy(&value, from + i * static_cast<Index>(sizeof(float)), sizeof value);
      to[i] = static_cast<Scalar>(value);
    }
  }
};

/// One byte a number, for whole numbers 0 .. 255 such as pixels; others are rounded and clamped.
struct UInt8 {
  /// How many bytes `features` numbers take.
  static Index bytes(Index features) { return features; }
  /// Stores numbers.
  static void encode(const float* from, Index features, std::byte* to) {
    for (Index i = 0; i < features; ++i)
      to[i] = static_cast<std::byte>(std::lrint(std::min(255.0f, std::max(0.0f, from[i]))));
  }
  /// Gives stored numbers back.
  template <class Scalar>
  static void decode(const std::byte* from, Index features, Scalar* to) {
    for (Index i = 0; i < features; ++i) to[i] = static_cast<Scalar>(std::to_integer<std::uint8_t>(from[i]));
  }
};

/// One bit a number, for observations of zeros and ones; a number of 0.5 or more is stored as 1.
struct Bits {
  /// How many bytes `features` numbers take.
  static Index bytes(Index features) { return (features + 7) / 8; }
  /// Stores numbers.
  static void encode(const float* from, Index features, std::byte* to) {
    for (Index i = 0; i < bytes(features); ++i) {
      unsigned packed = 0;
      for (Index bit = 0; bit < std::min<Index>(8, features - 8 * i); ++bit)
        packed |= unsigned{from[8 * i + bit] >= 0.5f} << bit;
      to[i] = static_cast<std::byte>(packed);
    }
  }
  /// Gives stored numbers back.
  template <class Scalar>
  static void decode(const std::byte* from, Index features, Scalar* to) {
    for (Index i = 0; i < features; ++i)
      to[i] = static_cast<Scalar>(std::to_integer<unsigned>(from[i / 8]) >> (i % 8) & 1u);
  }
};

}  // namespace mellow::data

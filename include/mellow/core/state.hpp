// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <mellow/core/types.hpp>

namespace mellow {

/// A type whose changing parts can be visited:
///
///     template <class Self, class Visit>                       // Self is T or const T, so one list serves reading and
///     writing static void visit_state(Self& self, Visit&& visit) {
///       visit("position", self.position_);                     // a number, array, vector, Eigen array, tuple or
///       another visitable
///     }
///
/// Comparing two runs bit for bit, measuring memory, saving and loading are visitors over this one list.
template <class T>
concept Visitable = requires(T& object) { std::remove_cv_t<T>::visit_state(object, [](std::string_view, auto&) {}); };

/// One piece of state: where it is ("optimizer.m") and its bytes, seen in place.
struct StatePiece {
  std::string path;
  std::span<const std::byte> bytes;
};

namespace detail {

template <class T>
inline constexpr bool is_tuple = false;
template <class... T>
inline constexpr bool is_tuple<std::tuple<T...>> = true;

template <class T>
inline constexpr bool is_vector = false;
template <class T, class A>
inline constexpr bool is_vector<std::vector<T, A>> = true;

template <class T>
void collect_state(const std::string& path, const T& value, std::vector<StatePiece>& pieces) {
  const auto child = [&path](std::string_view name) {
    return path.empty() ? std::string(name) : path + "." + std::string(name);
  };
  if constexpr (Visitable<const T>) {
    T::visit_state(value, [&](std::string_view name, const auto& piece) { collect_state(child(name), piece, pieces); });
  } else if constexpr (is_tuple<T>) {
    std::apply(
        [&](const auto&... parts) {
          std::size_t index = 0;
          (collect_state(child(std::to_string(index++)), parts, pieces), ...);
        },
        value);
  } else if constexpr (std::is_base_of_v<Eigen::EigenBase<T>, T>) {
    pieces.push_back({path, std::as_bytes(std::span(value.data(), static_cast<std::size_t>(value.size())))});
  } else if constexpr (is_vector<T>) {
    static_assert(!std::is_same_v<typename T::value_type, bool>,
                  "mellow: state in a std::vector<bool> has no bytes to visit; use std::uint8_t");
    if constexpr (std::is_arithmetic_v<typename T::value_type> || std::is_enum_v<typename T::value_type>) {
      pieces.push_back({path, std::as_bytes(std::span(value))});
    } else {
      for (std::size_t i = 0; i < value.size(); ++i) collect_state(child(std::to_string(i)), value[i], pieces);
    }
  } else {
    static_assert(
        std::has_unique_object_representations_v<T> || std::is_floating_point_v<T> || std::is_empty_v<T> ||
            requires(const T& array) {
              requires std::is_floating_point_v<typename T::value_type>;
              std::tuple_size<T>::value;
            },
        "mellow: this piece of state is neither a number, array, vector, Eigen array or tuple, nor does it have "
        "visit_state");
    if constexpr (!std::is_empty_v<T>) pieces.push_back({path, std::as_bytes(std::span(&value, 1))});
  }
}

}  // namespace detail

/// All pieces of an object's state, in the order it names them. Views: valid until the object changes size or place.
template <class T>
std::vector<StatePiece> state_of(const T& object) {
  std::vector<StatePiece> pieces;
  detail::collect_state("", object, pieces);
  return pieces;
}

/// Bytes of memory that the state of `object` takes.
template <class T>
std::size_t state_bytes(const T& object) {
  std::size_t total = 0;
  for (const auto& piece : state_of(object)) total += piece.bytes.size();
  return total;
}

/// Path of the first piece in which two objects differ by a bit; empty if they are the same.
template <class T>
std::string first_difference(const T& a, const T& b) {
  const auto left = state_of(a), right = state_of(b);
  for (std::size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
    if (i >= left.size()) return right[i].path;
    if (i >= right.size()) return left[i].path;
    const auto& [path, bytes] = left[i];
    const bool same = path == right[i].path && bytes.size() == right[i].bytes.size() &&
                      (bytes.empty() || std::memcmp(bytes.data(), right[i].bytes.data(), bytes.size()) == 0);
    if (!same) return path;
  }
  return {};
}

}  // namespace mellow

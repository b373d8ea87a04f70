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
///     template <class Self, class Visit>  // Self is T or const T, so that one list serves reading and writing
///     static void visit_state(Self& self, Visit&& visit) {
///       visit("position", self.position_);  // a number, array, vector, Eigen array, tuple or another visitable
///     }
///
/// Comparing two runs bit for bit, measuring memory, saving and loading are visitors over this one list.
template <class T>
concept Visitable = requires(T& object) { std::remove_cv_t<T>::visit_state(object, [](std::string_view, auto&) {}); };

/// One piece of state: where it is ("optimizer.m") and its bytes, seen in place.
struct StatePiece {
  std::string path;                  ///< names from the outside in, joined by dots
  std::span<const std::byte> bytes;  ///< where they lie in the object
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

/// A piece of state that holds no others: a number, an array of numbers, an Eigen array, a vector of these, or bytes
/// that belong to another object.
template <class T>
consteval bool is_leaf() {
  using Plain = std::remove_const_t<T>;
  if constexpr (std::is_base_of_v<Eigen::EigenBase<Plain>, Plain> || std::same_as<Plain, std::span<std::byte>>)
    return true;
  else if constexpr (is_vector<Plain>)
    return std::has_unique_object_representations_v<typename Plain::value_type> ||
           std::is_floating_point_v<typename Plain::value_type>;
  else
    return (std::has_unique_object_representations_v<Plain> && !std::is_pointer_v<Plain>) ||
           std::is_floating_point_v<Plain> || requires(const Plain& array) {
             requires std::is_floating_point_v<typename Plain::value_type>;
             std::tuple_size<Plain>::value;
           };
}

/// Calls `visit(path, leaf)` for every leaf below `value`, in the order in which they are named.
template <class T, class Visit>
void visit_leaves(const std::string& path, T& value, const Visit& visit) {
  using Plain = std::remove_const_t<T>;
  const auto child = [&path](std::string_view name) {
    return path.empty() ? std::string(name) : path + "." + std::string(name);
  };
  if constexpr (Visitable<T>) {
    Plain::visit_state(value, [&](std::string_view name, auto& piece) { visit_leaves(child(name), piece, visit); });
  } else if constexpr (is_tuple<Plain>) {
    std::apply(
        [&](auto&... parts) {
          std::size_t index = 0;
          (visit_leaves(child(std::to_string(index++)), parts, visit), ...);
        },
        value);
  } else if constexpr (is_vector<Plain> && !is_leaf<T>()) {
    for (std::size_t i = 0; i < value.size(); ++i) visit_leaves(child(std::to_string(i)), value[i], visit);
  } else if constexpr (!std::is_empty_v<Plain>) {
    static_assert(!std::is_same_v<Plain, std::vector<bool>>,
                  "mellow: state in a std::vector<bool> has no bytes to visit; use std::uint8_t");
    static_assert(is_leaf<T>(),
                  "mellow: this piece of state is neither a number, array, vector, Eigen array or tuple, nor does it "
                  "have visit_state");
    visit(path, value);
  }
}

/// The bytes of a leaf, in place.
template <class T>
std::span<const std::byte> bytes_of(const T& leaf) {
  if constexpr (std::is_base_of_v<Eigen::EigenBase<T>, T>)
    return std::as_bytes(std::span(leaf.data(), static_cast<std::size_t>(leaf.size())));
  else if constexpr (is_vector<T> || std::same_as<T, std::span<std::byte>>) return std::as_bytes(std::span(leaf));
  else return std::as_bytes(std::span(&leaf, 1));
}

}  // namespace detail

/// All pieces of an object's state, in the order it names them. Views: valid until the object changes size or place.
template <class T>
std::vector<StatePiece> state_of(const T& object) {
  std::vector<StatePiece> pieces;
  detail::visit_leaves("", object, [&](const std::string& path, const auto& leaf) {
    pieces.push_back({path, detail::bytes_of(leaf)});
  });
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

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>

namespace mellow::environments::minatar {

/// A list of at most `capacity` elements in the order in which they came, within the object itself.
template <class T, int capacity>
class BoundedList {
 public:
  int size() const { return size_; }                                                   ///< how many there are
  T& operator[](int i) { return elements_[index(i)]; }                                 ///< element i
  const T* begin() const { return elements_.data(); }                                  ///< the first
  const T* end() const { return elements_.data() + static_cast<std::size_t>(size_); }  ///< behind the last

  /// Adds an element at the end; there must be room.
  void push_back(const T& element) {
    assert(size_ < capacity);
    elements_[static_cast<std::size_t>(size_++)] = element;
  }
  /// Removes element i.
  void erase(int i) {
    std::shift_left(elements_.begin() + static_cast<std::ptrdiff_t>(index(i)), elements_.begin() + size_, 1);
    elements_[static_cast<std::size_t>(--size_)] = T{};  // so that equal lists are equal in every byte
  }
  /// The place of the first element that satisfies a condition; `size()` if none does.
  template <class Condition>
  int find(const Condition& condition) const {
    return static_cast<int>(std::find_if(begin(), end(), condition) - begin());
  }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("elements", self.elements_);
    visit("size", self.size_);
  }

 private:
  std::size_t index(int i) const {
    assert(i >= 0 && i < size_);
    return static_cast<std::size_t>(i);
  }

  std::array<T, static_cast<std::size_t>(capacity)> elements_{};
  int size_ = 0;
};

}  // namespace mellow::environments::minatar

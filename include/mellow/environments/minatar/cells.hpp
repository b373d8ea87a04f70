// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cassert>
#include <cstdint>

namespace mellow::environments::minatar {

/// A set of cells of the 10 x 10 grid on which the games are played, a bit each. Columns x count from the left, rows y
/// from the top; cell x + 10 y.
class Cells {
 public:
  static constexpr int side = 10;            ///< rows, and columns
  static constexpr int count = side * side;  ///< of all cells

  constexpr Cells() = default;  ///< none

  /// Those of a rectangle.
  static constexpr Cells rectangle(int left, int top, int columns, int rows) {
    Cells result;
    for (int y = top; y < top + rows; ++y)
      for (int x = left; x < left + columns; ++x) result.insert(x, y);
    return result;
  }
  static constexpr Cells row(int y) { return rectangle(0, y, side, 1); }     ///< those of a row
  static constexpr Cells column(int x) { return rectangle(x, 0, 1, side); }  ///< those of a column

  /// Whether a cell lies on the grid.
  static constexpr bool has(int x, int y) { return x >= 0 && x < side && y >= 0 && y < side; }

  constexpr bool empty() const { return bits_ == 0; }                               ///< whether there is none
  constexpr bool contains(int x, int y) const { return (bits_ & bit(x, y)) != 0; }  ///< whether this one is among them
  constexpr bool meets(const Cells& others) const { return !(*this & others).empty(); }  ///< whether they share a cell
  constexpr void insert(int x, int y) { bits_ |= bit(x, y); }                            ///< adds a cell
  constexpr void erase(int x, int y) { bits_ &= ~bit(x, y); }                            ///< removes a cell
  /// How many there are.
  constexpr int size() const { return std::popcount(low()) + std::popcount(high()); }

  constexpr Cells up() const { return Cells(bits_ >> side); }                 ///< a row higher; the top row leaves
  constexpr Cells down() const { return Cells(bits_ << side & everywhere); }  ///< a row lower; the bottom row leaves
  /// A row lower; the bottom row comes back at the top.
  constexpr Cells around() const { return down() | Cells(bits_ >> (count - side)); }
  /// A column to the right for `direction` = 1, to the left for -1. The column at that edge must be empty.
  constexpr Cells beside(int direction) const {
    assert(!meets(column(direction > 0 ? side - 1 : 0)));
    return Cells(direction > 0 ? bits_ << 1 : bits_ >> 1);
  }

  /// Those in both.
  friend constexpr Cells operator&(const Cells& a, const Cells& b) { return Cells(a.bits_ & b.bits_); }
  /// Those in either.
  friend constexpr Cells operator|(const Cells& a, const Cells& b) { return Cells(a.bits_ | b.bits_); }
  /// Those that are not in the others.
  friend constexpr Cells operator-(const Cells& a, const Cells& b) { return Cells(a.bits_ & ~b.bits_); }

  /// The row of the lowest one; there must be one.
  constexpr int lowest_row() const {
    assert(!empty());
    return (high() != 0 ? 127 - std::countl_zero(high()) : 63 - std::countl_zero(low())) / side;
  }

  /// Calls `visit(x + 10 y)` for each.
  template <class Visit>
  constexpr void for_each(const Visit& visit) const {
    for (std::uint64_t left = low(); left != 0; left &= left - 1) visit(std::countr_zero(left));
    for (std::uint64_t left = high(); left != 0; left &= left - 1) visit(64 + std::countr_zero(left));
  }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("bits", self.bits_);
  }

 private:
  __extension__ using Bits = unsigned __int128;
  static constexpr Bits everywhere = (Bits{1} << count) - 1;

  explicit constexpr Cells(Bits bits) : bits_(bits) {}
  static constexpr Bits bit(int x, int y) {
    assert(has(x, y));
    return Bits{1} << (x + side * y);
  }
  constexpr std::uint64_t low() const { return static_cast<std::uint64_t>(bits_); }
  constexpr std::uint64_t high() const { return static_cast<std::uint64_t>(bits_ >> 64); }

  Bits bits_ = 0;
};

}  // namespace mellow::environments::minatar

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <mellow/core/error.hpp>
#include <mellow/core/types.hpp>

namespace mellow::environments {

/// A direction on a grid; its number is the action (the order of Gymnasium's FrozenLake).
enum class Move : std::uint8_t { Left, Down, Right, Up };

/// A map of cells, one character a cell, in which all but the walls ('#') are numbered row by row.
class Grid {
 public:
  static constexpr Index moves = 4;  ///< how many directions there are

  /// Reads rows that are separated by line ends. Throws Error where rows differ in length or all is wall.
  explicit Grid(std::string_view map) {
    std::vector<std::string> rows(1);
    for (const char c : map) {
      if (c == '\n') rows.emplace_back();
      else rows.back() += c;
    }
    std::erase_if(rows, [](const std::string& row) { return row.empty(); });
    require(!rows.empty(), "Grid", "a map needs at least one row", map);
    columns_ = static_cast<Index>(rows.front().size());
    for (const std::string& row : rows) {
      if (static_cast<Index>(row.size()) != columns_)
        throw Error("Grid", fmt::format("every row of a map must have {} characters as its first", columns_), row);
      text_ += row;
    }
    state_of_.assign(text_.size(), -1);
    for (std::size_t cell = 0; cell < text_.size(); ++cell)
      if (text_[cell] != '#') {
        state_of_[cell] = states();
        cell_of_.push_back(static_cast<Index>(cell));
      }
    require(states() > 0, "Grid", "a map needs a cell that is not a wall", map);
  }

  Index rows() const { return static_cast<Index>(text_.size()) / columns_; }  ///< height of the map
  Index columns() const { return columns_; }                                  ///< width of the map
  Index states() const { return static_cast<Index>(cell_of_.size()); }        ///< cells that are not walls

  /// The character of a state's cell.
  char at(Index state) const { return text_[static_cast<std::size_t>(cell_of_[static_cast<std::size_t>(state)])]; }
  /// The state of a cell; -1 for a wall.
  Index state(Index row, Index column) const { return state_of_[static_cast<std::size_t>(row * columns_ + column)]; }

  /// The states whose cell has this character, in order.
  std::vector<Index> find(char character) const {
    std::vector<Index> found;
    for (Index s = 0; s < states(); ++s)
      if (at(s) == character) found.push_back(s);
    return found;
  }

  /// Where a move leads; against a wall or the border it stays.
  Index neighbor(Index state, Move move) const {
    const Index cell = cell_of_[static_cast<std::size_t>(state)];
    Index row = cell / columns_, column = cell % columns_;
    if (move == Move::Left) column = std::max<Index>(column - 1, 0);
    if (move == Move::Right) column = std::min(column + 1, columns_ - 1);
    if (move == Move::Up) row = std::max<Index>(row - 1, 0);
    if (move == Move::Down) row = std::min(row + 1, rows() - 1);
    const Index next = state_of_[static_cast<std::size_t>(row * columns_ + column)];
    return next < 0 ? state : next;
  }

  /// What an action can become that goes to one of its two sides with probability `slip`, half each: a list of
  /// `outcome(move, probability)`, in the order of the moves; without slip of the action's own move alone.
  template <class MakeOutcome>
  static auto slipping(Index action, double slip, const MakeOutcome& outcome) {
    const auto turned = [&](Index turn, double probability) {
      return outcome(static_cast<Move>((action + turn + moves) % moves), probability);
    };
    if (slip == 0) return std::vector{turned(0, 1.0)};
    return std::vector{turned(-1, 0.5 * slip), turned(0, 1.0 - slip), turned(1, 0.5 * slip)};
  }

  /// Draws the map with an arrow for the action in each free cell; cells marked by a letter other than F keep it.
  /// `action(state)` gives the action.
  template <class Policy>
  std::string draw(Policy&& action) const {
    static constexpr std::array<const char*, moves> arrows{"←", "↓", "→", "↑"};
    std::string drawing;
    for (Index row = 0; row < rows(); ++row) {
      for (Index column = 0; column < columns_; ++column) {
        const Index s = state(row, column);
        if (s < 0) drawing += '#';
        else if (at(s) == '.' || at(s) == 'F' || at(s) == 'S') drawing += arrows[static_cast<std::size_t>(action(s))];
        else drawing += at(s);
        drawing += column + 1 < columns_ ? ' ' : '\n';
      }
    }
    return drawing;
  }

 private:
  Index columns_ = 0;
  std::string text_;             // rows one after another
  std::vector<Index> state_of_;  // of each cell; -1 for a wall
  std::vector<Index> cell_of_;   // of each state
};

}  // namespace mellow::environments

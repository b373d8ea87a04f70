// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include <mellow/environments/minatar/cells.hpp>

namespace mellow::environments::minatar {

/// The observation that a game writes: 10 x 10 cells of `channels` numbers, all 0 at first. Number
/// channel + channels (x + 10 y) is 1 where the cell shows the channel's kind of thing.
template <int channels>
class Picture {
 public:
  /// Of numbers that lie elsewhere, 100 x channels.
  explicit Picture(float* numbers) : numbers_(numbers) {}

  /// Shows something in a cell of the grid.
  void show(int channel, int x, int y) { show_at(channel, x + Cells::side * y); }
  /// Shows something in a cell, unless that lies outside of the grid.
  void show_inside(int channel, int x, int y) {
    if (Cells::has(x, y)) show(channel, x, y);
  }
  /// Shows something in each of these cells.
  void show(int channel, const Cells& cells) {
    cells.for_each([&](int cell) { show_at(channel, cell); });
  }

 private:
  void show_at(int channel, int cell) { numbers_[static_cast<std::size_t>(channel + channels * cell)] = 1.0f; }

  float* numbers_;
};

}  // namespace mellow::environments::minatar

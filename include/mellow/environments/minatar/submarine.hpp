// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include <mellow/core/environment.hpp>
#include <mellow/environments/minatar/cells.hpp>
#include <mellow/environments/minatar/options.hpp>
#include <mellow/environments/minatar/picture.hpp>

namespace mellow::environments::minatar {

/// The player's submarine in Seaquest: where it is, its oxygen and the divers aboard.
class Submarine {
 public:
  /// Moves a cell and faces that side. Row 9 holds the gauges; it dives down to row 8.
  void steer(Button button) {
    if (button == Button::Left) {
      x_ = std::max(0, x_ - 1);
      facing_ = -1;
    } else if (button == Button::Right) {
      x_ = std::min(Cells::side - 1, x_ + 1);
      facing_ = 1;
    } else if (button == Button::Up) {
      y_ = std::max(0, y_ - 1);
    } else if (button == Button::Down) {
      y_ = std::min(gauges - 1, y_ + 1);
    }
  }

  /// @{
  /// Its front's cell, and the side to which it looks: 1 right, -1 left.
  int x() const { return x_; }
  int y() const { return y_; }
  int facing() const { return facing_; }
  /// @}

  /// Takes a diver aboard if there is room; returns whether it did.
  bool take_aboard() {
    if (divers_ >= seats) return false;
    ++divers_;
    return true;
  }

  /// Uses a unit of oxygen under water. At the surface after a dive: lands the divers, ends the episode without any, and
  /// fills up. Returns whether it surfaced with divers.
  bool breathe(Step& result) {
    if (oxygen_ <= 0) result.terminated = true;
    if (y_ > 0) {
      --oxygen_;
      surfaced_ = false;
      return false;
    }
    if (surfaced_) return false;
    if (divers_ == 0) {
      result.terminated = true;
      return false;
    }
    surfaced_ = true;
    if (divers_ == seats) {
      divers_ = 0;
      result.reward += oxygen_cells();
    }
    oxygen_ = full;
    --divers_;  // -1 after six, with which one may surface once more
    return true;
  }

  /// Shows it in channels 0 and 1, the gauges of oxygen and divers in 7 and 8.
  void draw(Picture<10>& picture) const {
    picture.show(0, x_, y_);
    picture.show(1, x_ - facing_, y_);
    for (int x = 0; x < oxygen_cells(); ++x) picture.show(7, x, gauges);
    for (int x = Cells::side - 1 - divers_; x < Cells::side - 1; ++x) picture.show(8, x, gauges);
  }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("x", self.x_);
    visit("y", self.y_);
    visit("facing", self.facing_);
    visit("oxygen", self.oxygen_);
    visit("divers", self.divers_);
    visit("surfaced", self.surfaced_);
  }

 private:
  static constexpr int gauges = Cells::side - 1, full = 200, seats = 6;

  int oxygen_cells() const { return std::max(0, oxygen_) * Cells::side / full; }

  int x_ = 5, y_ = 0, facing_ = -1;
  int oxygen_ = full, divers_ = 0;
  bool surfaced_ = true;
};

}  // namespace mellow::environments::minatar

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

#include <mellow/environments/minatar/game.hpp>

namespace mellow::environments::minatar {

/// Asterix: gold and enemies cross the rows 1 to 8, at most one a row; collect the gold, 1 each, and touch no enemy,
/// which ends the episode.
///
/// The player starts in the middle and moves in four directions. Every 10 steps something enters from either side, gold
/// once in three times; all move a cell every 5 steps. Ramping shortens these times, every 102 steps, down to 1.
class AsterixRules {
 public:
  /// What is shown; a trail is behind what moves.
  static constexpr std::array<std::string_view, 4> channels{"player", "enemy", "trail", "gold"};
  /// All but fire.
  static constexpr std::array buttons{Button::None, Button::Left, Button::Up, Button::Right, Button::Down};

  /// Draws nothing.
  template <class Generator>
  void begin(Generator&) {}

  /// Plays a step.
  template <class Generator>
  Step step(Button button, Generator& rng, bool ramping) {
    Step result;
    if (spawn_timer_ == 0) {
      spawn(rng);
      spawn_timer_ = spawn_interval_;
    }
    move_player(button);
    for (int row = 0; row < rows; ++row) meet(row, result);
    if (move_timer_ == 0) {
      move_timer_ = move_interval_;
      for (int row = 0; row < rows; ++row) {
        Thing& thing = in_row(row);
        if (thing.kind == Kind::Nothing) continue;
        thing.x += thing.direction;
        if (Cells::has(thing.x, 0)) meet(row, result);
        else thing = {};
      }
    }
    --spawn_timer_;
    --move_timer_;
    if (ramping) ramp();
    return result;
  }

  /// Shows the player, things and their trails.
  void draw(Picture<4>& picture) const {
    picture.show(0, player_x_, player_y_);
    for (int row = 0; row < rows; ++row) {
      const Thing& thing = things_[static_cast<std::size_t>(row)];
      if (thing.kind == Kind::Nothing) continue;
      picture.show(thing.kind == Kind::Gold ? 3 : 1, thing.x, row + 1);
      picture.show_inside(2, thing.x - thing.direction, row + 1);
    }
  }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("player_x", self.player_x_);
    visit("player_y", self.player_y_);
    visit("things", self.things_);
    visit("spawn_interval", self.spawn_interval_);
    visit("spawn_timer", self.spawn_timer_);
    visit("move_interval", self.move_interval_);
    visit("move_timer", self.move_timer_);
    visit("ramp_timer", self.ramp_timer_);
    visit("ramps", self.ramps_);
  }

 private:
  static constexpr int rows = 8;  // in which things move, from row 1 of the grid on
  enum class Kind { Nothing, Gold, Enemy };
  struct Thing {
    Kind kind = Kind::Nothing;
    int x = 0, direction = 0;
  };

  Thing& in_row(int row) { return things_[static_cast<std::size_t>(row)]; }

  template <class Generator>
  void spawn(Generator& rng) {
    const bool from_left = rng.uniform() < 0.5, is_gold = rng.uniform() < 1.0 / 3.0;
    std::array<std::size_t, rows> empty{};
    std::size_t count = 0;
    for (std::size_t row = 0; row < things_.size(); ++row)
      if (things_[row].kind == Kind::Nothing) empty[count++] = row;
    if (count == 0) return;
    things_[empty[static_cast<std::size_t>(rng.below(static_cast<Index>(count)))]] = {
        is_gold ? Kind::Gold : Kind::Enemy, from_left ? 0 : Cells::side - 1, from_left ? 1 : -1};
  }

  void move_player(Button button) {
    if (button == Button::Left) player_x_ = std::max(0, player_x_ - 1);
    else if (button == Button::Right) player_x_ = std::min(Cells::side - 1, player_x_ + 1);
    else if (button == Button::Up) player_y_ = std::max(1, player_y_ - 1);
    else if (button == Button::Down) player_y_ = std::min(rows, player_y_ + 1);
  }

  /// What comes of a row's thing where the player is.
  void meet(int row, Step& result) {
    Thing& thing = in_row(row);
    if (thing.kind == Kind::Nothing || thing.x != player_x_ || row + 1 != player_y_) return;
    if (thing.kind == Kind::Enemy) {
      result.terminated = true;
    } else {
      result.reward += 1.0;
      thing = {};
    }
  }

  void ramp() {
    if (spawn_interval_ == 1 && move_interval_ == 1) return;
    if (ramp_timer_ >= 0) {
      --ramp_timer_;
      return;
    }
    if (move_interval_ > 1 && ramps_ % 2 == 1) --move_interval_;
    if (spawn_interval_ > 1) --spawn_interval_;
    ++ramps_;
    ramp_timer_ = 100;
  }

  int player_x_ = 5, player_y_ = 5;
  std::array<Thing, rows> things_{};
  int spawn_interval_ = 10, spawn_timer_ = 10;
  int move_interval_ = 5, move_timer_ = 5;
  int ramp_timer_ = 100, ramps_ = 0;
};

/// Asterix, 4 channels; see AsterixRules and Game. Gymnasium's MinAtar/Asterix-v0, or with `minimal_actions` -v1.
using Asterix = Game<AsterixRules>;

}  // namespace mellow::environments::minatar

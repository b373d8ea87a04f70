// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include <mellow/environments/minatar/game.hpp>

namespace mellow::environments::minatar {

/// Space Invaders: shoot aliens from a cannon at the bottom, 1 each. The episode ends when an alien or one of its bullets
/// reaches the cannon, or an alien must leave the bottom row.
///
/// 24 aliens march in step: to one side, at the wall a row down, to the other side, the faster the fewer they are. The
/// lowest one of the column nearest to the cannon fires every 10 steps; the cannon at most every 5. When all are shot the
/// next wave comes; with ramping each wave up to the sixth is faster than the one before. Draws nothing but whether
/// actions are repeated.
class SpaceInvadersRules {
 public:
  /// What is shown; an alien is also in the channel of the side to which all march.
  static constexpr std::array<std::string_view, 6> channels{
      "cannon", "alien", "alien to the left", "alien to the right", "friendly bullet", "enemy bullet"};
  /// Left, right and fire.
  static constexpr std::array buttons{Button::None, Button::Left, Button::Right, Button::Fire};

  /// Draws nothing.
  template <class Generator>
  void begin(Generator&) {}

  /// Plays a step. Draws nothing.
  template <class Generator>
  Step step(Button button, Generator&, bool ramping) {
    Step result;
    act(button);
    bullets_ = bullets_.up();
    enemy_bullets_ = enemy_bullets_.down();
    result.terminated = enemy_bullets_.contains(cannon_, bottom) || aliens_.contains(cannon_, bottom);
    if (move_timer_ == 0) march(result);
    if (shot_timer_ == 0) {
      shot_timer_ = 10;
      shoot_back();
    }
    const Cells hits = aliens_ & bullets_;
    result.reward = hits.size();
    aliens_ = aliens_ - hits;
    bullets_ = bullets_ - hits;
    if (reload_timer_ > 0) --reload_timer_;
    --move_timer_;
    --shot_timer_;
    if (aliens_.empty()) {
      if (ramping && move_interval_ > 6) --move_interval_;
      aliens_ = wave;
    }
    return result;
  }

  /// Shows cannon, aliens and bullets.
  void draw(Picture<6>& picture) const {
    picture.show(0, cannon_, bottom);
    picture.show(1, aliens_);
    picture.show(direction_ < 0 ? 2 : 3, aliens_);
    picture.show(4, bullets_);
    picture.show(5, enemy_bullets_);
  }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("cannon", self.cannon_);
    visit("bullets", self.bullets_);
    visit("enemy_bullets", self.enemy_bullets_);
    visit("aliens", self.aliens_);
    visit("direction", self.direction_);
    visit("move_interval", self.move_interval_);
    visit("move_timer", self.move_timer_);
    visit("shot_timer", self.shot_timer_);
    visit("reload_timer", self.reload_timer_);
  }

 private:
  static constexpr int bottom = Cells::side - 1;  // the last row, and the last column
  static constexpr Cells wave = Cells::rectangle(2, 0, 6, 4);
  static constexpr Cells left_wall = Cells::column(0), right_wall = Cells::column(bottom), ground = Cells::row(bottom);

  void act(Button button) {
    if (button == Button::Fire && reload_timer_ == 0) {
      bullets_.insert(cannon_, bottom);
      reload_timer_ = 5;
    } else if (button == Button::Left) {
      cannon_ = std::max(0, cannon_ - 1);
    } else if (button == Button::Right) {
      cannon_ = std::min(bottom, cannon_ + 1);
    }
  }

  void march(Step& result) {
    move_timer_ = std::min(aliens_.size(), move_interval_);
    if (aliens_.meets(direction_ < 0 ? left_wall : right_wall)) {
      direction_ = -direction_;
      if (aliens_.meets(ground)) result.terminated = true;
      aliens_ = aliens_.around();
    } else {
      aliens_ = aliens_.beside(direction_);
    }
    if (aliens_.contains(cannon_, bottom)) result.terminated = true;
  }

  /// The lowest alien of the column nearest to the cannon fires; of two as near, that on the left.
  void shoot_back() {
    for (int distance = 0; distance < Cells::side; ++distance)
      for (const int x : {cannon_ - distance, cannon_ + distance}) {
        if (x < 0 || x > bottom) continue;
        const Cells column = aliens_ & columns[static_cast<std::size_t>(x)];
        if (column.empty()) continue;
        enemy_bullets_.insert(x, column.lowest_row());
        return;
      }
  }

  static constexpr std::array<Cells, Cells::side> columns = [] {
    std::array<Cells, Cells::side> result;
    for (int x = 0; x < Cells::side; ++x) result[static_cast<std::size_t>(x)] = Cells::column(x);
    return result;
  }();

  int cannon_ = 5;  // its column
  Cells bullets_{}, enemy_bullets_{}, aliens_ = wave;
  int direction_ = -1;
  int move_interval_ = 12, move_timer_ = 12, shot_timer_ = 10;  // of the aliens
  int reload_timer_ = 0;                                        // of the cannon
};

/// Space Invaders, 6 channels; see SpaceInvadersRules and Game. Gymnasium's MinAtar/SpaceInvaders-v0, or with
/// `minimal_actions` -v1.
using SpaceInvaders = Game<SpaceInvadersRules>;

}  // namespace mellow::environments::minatar

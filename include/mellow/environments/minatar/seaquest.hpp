// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include <mellow/environments/minatar/bounded_list.hpp>
#include <mellow/environments/minatar/game.hpp>
#include <mellow/environments/minatar/submarine.hpp>

namespace mellow::environments::minatar {

/// Seaquest: a submarine shoots fish and enemy submarines, 1 each, collects divers and brings six of them to the surface
/// for 0 to 10, by the oxygen that is left. It ends when the submarine meets an enemy or a bullet, runs out of oxygen, or
/// surfaces without a diver.
///
/// Under water each step takes one of 200 units of oxygen. Surfacing fills them up and costs a diver, and after six one
/// more than there are: the count is then -1, with which the next surfacing is allowed. Every 20 steps an enemy enters,
/// a submarine once in three times, never towards another of its row, and every 30 steps a diver. Enemies move a cell
/// every 6 steps, divers too; enemy submarines fire every 11 steps, even in the step in which they go. With ramping each
/// surfacing shortens the times of enemies, down to 1 and 3.
class SeaquestRules {
 public:
  /// What is shown; a trail is behind fish, submarines and divers, the gauges are in the bottom row.
  static constexpr std::array<std::string_view, 10> channels{
      "submarine front", "submarine back", "friendly bullet", "trail", "enemy bullet", "fish",
      "enemy submarine", "oxygen gauge",   "diver gauge",     "diver"};
  /// All.
  static constexpr std::array buttons{Button::None,  Button::Left, Button::Up,
                                      Button::Right, Button::Down, Button::Fire};

  /// Draws nothing.
  template <class Generator>
  void begin(Generator&) {}

  /// Plays a step.
  template <class Generator>
  Step step(Button button, Generator& rng, bool ramping) {
    Step result;
    if (enemy_timer_ == 0) {
      spawn_enemy(rng);
      enemy_timer_ = enemy_interval_;
    }
    if (diver_timer_ == 0) {
      const int direction = draw_direction(rng), row = draw_row(rng);
      divers_.push_back({entrance(direction), row, direction, diver_move_interval});
      diver_timer_ = 30;
    }
    if (button == Button::Fire && reload_timer_ == 0) {
      bullets_.push_back({own_.x(), own_.y(), own_.facing()});
      reload_timer_ = 5;
    }
    own_.steer(button);
    move_bullets(result);
    move_divers();
    move_enemy_submarines(result);
    move_enemy_bullets(result);
    for (int i = fish_.size() - 1; i >= 0; --i)
      if (swim(fish_[i], result)) fish_.erase(i);
    for (int* timer : {&enemy_timer_, &diver_timer_, &reload_timer_})
      if (*timer > 0) --*timer;
    if (own_.breathe(result) && ramping) ramp();
    return result;
  }

  /// Shows all that swims, and the gauges.
  void draw(Picture<10>& picture) const {
    own_.draw(picture);
    for (const Swimmer& bullet : bullets_) picture.show(2, bullet.x, bullet.y);
    for (const Swimmer& bullet : enemy_bullets_) picture.show(4, bullet.x, bullet.y);
    const auto show = [&](int channel, const Swimmer& swimmer) {
      picture.show(channel, swimmer.x, swimmer.y);
      picture.show_inside(3, swimmer.x - swimmer.direction, swimmer.y);
    };
    for (const Swimmer& fish : fish_) show(5, fish);
    for (const Swimmer& submarine : enemy_submarines_) show(6, submarine);
    for (const Swimmer& diver : divers_) show(9, diver);
  }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("submarine", self.own_);
    visit("bullets", self.bullets_);
    visit("enemy_bullets", self.enemy_bullets_);
    visit("fish", self.fish_);
    visit("enemy_submarines", self.enemy_submarines_);
    visit("divers", self.divers_);
    visit("enemy_interval", self.enemy_interval_);
    visit("enemy_timer", self.enemy_timer_);
    visit("diver_timer", self.diver_timer_);
    visit("move_interval", self.move_interval_);
    visit("reload_timer", self.reload_timer_);
    visit("ramps", self.ramps_);
  }

 private:
  static constexpr int diver_move_interval = 5, shot_interval = 10;
  struct Swimmer {
    int x = 0, y = 0, direction = 0;     // 1 to the right, -1 to the left
    int move_timer = 0, shot_timer = 0;  // of those that wait between cells, and that shoot
  };

  static int entrance(int direction) { return direction > 0 ? 0 : Cells::side - 1; }
  template <class Generator>
  static int draw_direction(Generator& rng) {
    return rng.uniform() < 0.5 ? 1 : -1;
  }
  template <class Generator>
  static int draw_row(Generator& rng) {
    return static_cast<int>(1 + rng.below(8));
  }
  static bool left(const Swimmer& swimmer) { return !Cells::has(swimmer.x, swimmer.y); }
  bool meets(const Swimmer& swimmer) const { return swimmer.x == own_.x() && swimmer.y == own_.y(); }

  template <class Generator>
  void spawn_enemy(Generator& rng);
  void move_bullets(Step& result);
  void move_divers();
  void move_enemy_submarines(Step& result);
  void move_enemy_bullets(Step& result);
  bool swim(Swimmer& enemy, Step& result);
  void ramp();

  /// Removes the first of a list in the cell of `place`, and returns whether there was one.
  template <class List>
  static bool erase_at(List& list, const Swimmer& place) {
    const int i = list.find([&](const Swimmer& other) { return other.x == place.x && other.y == place.y; });
    if (i == list.size()) return false;
    list.erase(i);
    return true;
  }

  Submarine own_;
  // What enters every step at the fastest leaves after 30, ten cells of three steps; a bullet leaves after ten steps and
  // is fired at most every 5, and by enemies every 11: one for each that is there or left within these steps.
  BoundedList<Swimmer, 4> bullets_;
  BoundedList<Swimmer, 48> enemy_bullets_;
  BoundedList<Swimmer, 32> fish_, enemy_submarines_;
  BoundedList<Swimmer, 4> divers_;
  int enemy_interval_ = 20, enemy_timer_ = 20, diver_timer_ = 30;
  int move_interval_ = 5;  // of enemies
  int reload_timer_ = 0;
  int ramps_ = 0;
};

template <class Generator>
void SeaquestRules::spawn_enemy(Generator& rng) {
  const int direction = draw_direction(rng);
  const bool is_submarine = rng.uniform() < 1.0 / 3.0;
  const int row = draw_row(rng);
  const auto opposes = [&](const Swimmer& enemy) { return enemy.y == row && enemy.direction != direction; };
  if (std::ranges::any_of(fish_, opposes) || std::ranges::any_of(enemy_submarines_, opposes)) return;
  if (is_submarine) enemy_submarines_.push_back({entrance(direction), row, direction, move_interval_, shot_interval});
  else fish_.push_back({entrance(direction), row, direction, move_interval_});
}

inline void SeaquestRules::move_bullets(Step& result) {
  for (int i = bullets_.size() - 1; i >= 0; --i) {
    Swimmer& bullet = bullets_[i];
    bullet.x += bullet.direction;
    if (left(bullet)) {
      bullets_.erase(i);
    } else if (erase_at(fish_, bullet) || erase_at(enemy_submarines_, bullet)) {
      bullets_.erase(i);
      result.reward += 1.0;
    }
  }
}

inline void SeaquestRules::move_divers() {
  for (int i = divers_.size() - 1; i >= 0; --i) {
    Swimmer& diver = divers_[i];
    if (meets(diver) && own_.take_aboard()) {
      divers_.erase(i);
    } else if (diver.move_timer > 0) {
      --diver.move_timer;
    } else {
      diver.move_timer = diver_move_interval;
      diver.x += diver.direction;
      if (left(diver) || (meets(diver) && own_.take_aboard())) divers_.erase(i);
    }
  }
}

/// Moves an enemy, and returns whether it left or was shot.
inline bool SeaquestRules::swim(Swimmer& enemy, Step& result) {
  if (meets(enemy)) result.terminated = true;
  if (enemy.move_timer > 0) {
    --enemy.move_timer;
    return false;
  }
  enemy.move_timer = move_interval_;
  enemy.x += enemy.direction;
  if (left(enemy)) return true;
  if (meets(enemy)) {
    result.terminated = true;
    return false;
  }
  if (!erase_at(bullets_, enemy)) return false;
  result.reward += 1.0;
  return true;
}

inline void SeaquestRules::move_enemy_submarines(Step& result) {
  for (int i = enemy_submarines_.size() - 1; i >= 0; --i) {
    Swimmer& submarine = enemy_submarines_[i];
    const bool gone = swim(submarine, result);
    if (submarine.shot_timer > 0) {
      --submarine.shot_timer;
    } else {
      submarine.shot_timer = shot_interval;
      enemy_bullets_.push_back({submarine.x, submarine.y, submarine.direction});
    }
    if (gone) enemy_submarines_.erase(i);
  }
}

inline void SeaquestRules::move_enemy_bullets(Step& result) {
  for (int i = enemy_bullets_.size() - 1; i >= 0; --i) {
    Swimmer& bullet = enemy_bullets_[i];
    if (meets(bullet)) result.terminated = true;
    bullet.x += bullet.direction;
    if (left(bullet)) enemy_bullets_.erase(i);
    else if (meets(bullet)) result.terminated = true;
  }
}

inline void SeaquestRules::ramp() {
  if (enemy_interval_ == 1 && move_interval_ == 2) return;
  if (move_interval_ > 2 && ramps_ % 2 == 1) --move_interval_;
  if (enemy_interval_ > 1) --enemy_interval_;
  ++ramps_;
}

/// Seaquest, 10 channels; see SeaquestRules and Game. Gymnasium's MinAtar/Seaquest-v0; all six actions have a use, so
/// that -v1 is the same.
using Seaquest = Game<SeaquestRules>;

}  // namespace mellow::environments::minatar

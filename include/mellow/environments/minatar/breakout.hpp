// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <mellow/environments/minatar/game.hpp>

namespace mellow::environments::minatar {

/// Breakout: keep a ball from the floor with a paddle and break bricks with it, 1 each. The episode ends when the ball
/// passes the paddle.
///
/// The ball moves a cell along a diagonal each step. It starts in row 3 at either wall, downwards. Bricks fill the rows
/// 1 to 3; when none is left and the ball is back at the floor they are laid again. Not ramped.
class BreakoutRules {
 public:
  /// What is shown; the trail is where the ball was a step before.
  static constexpr std::array<std::string_view, 4> channels{"paddle", "ball", "trail", "brick"};
  /// Left and right.
  static constexpr std::array buttons{Button::None, Button::Left, Button::Right};

  /// Draws from which wall the ball comes.
  template <class Generator>
  void begin(Generator& rng) {
    const bool from_left = rng.below(2) == 0;
    x_ = trail_x_ = from_left ? 0 : floor;
    x_direction_ = from_left ? 1 : -1;
  }

  /// Plays a step. Draws nothing.
  template <class Generator>
  Step step(Button button, Generator&, bool) {
    Step result;
    if (button == Button::Left) paddle_ = std::max(0, paddle_ - 1);
    else if (button == Button::Right) paddle_ = std::min(floor, paddle_ + 1);
    trail_x_ = x_;
    trail_y_ = y_;
    int x = x_ + x_direction_, y = y_ + y_direction_;
    bool in_brick = false;
    if (x < 0 || x > floor) {
      x = std::clamp(x, 0, floor);
      x_direction_ = -x_direction_;
    }
    const auto bounce = [&] {
      y = y_;
      y_direction_ = -y_direction_;
    };
    if (y < 0) {
      y = 0;
      y_direction_ = -y_direction_;
    } else if (bricks_.contains(x, y)) {
      in_brick = true;
      if (!std::exchange(struck_, true)) {  // a ball that has just broken one passes through the next
        result.reward = 1.0;
        bricks_.erase(x, y);
        bounce();
      }
    } else if (y == floor) {
      if (bricks_.empty()) bricks_ = wall;
      if (x_ == paddle_) {
        bounce();
      } else if (x == paddle_) {  // hit at its corner: back to where it came from
        x_direction_ = -x_direction_;
        bounce();
      } else {
        result.terminated = true;
      }
    }
    if (!in_brick) struck_ = false;
    x_ = x;
    y_ = y;
    return result;
  }

  /// Shows the paddle, the ball with its trail, and the bricks.
  void draw(Picture<4>& picture) const {
    picture.show(0, paddle_, floor);
    picture.show(1, x_, y_);
    picture.show(2, trail_x_, trail_y_);
    picture.show(3, bricks_);
  }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("x", self.x_);
    visit("y", self.y_);
    visit("trail_x", self.trail_x_);
    visit("trail_y", self.trail_y_);
    visit("x_direction", self.x_direction_);
    visit("y_direction", self.y_direction_);
    visit("paddle", self.paddle_);
    visit("bricks", self.bricks_);
    visit("struck", self.struck_);
  }

 private:
  static constexpr int floor = Cells::side - 1;  // the last row, and the last column
  static constexpr Cells wall = Cells::rectangle(0, 1, Cells::side, 3);

  int x_ = 0, y_ = 3, trail_x_ = 0, trail_y_ = 3;  // of the ball
  int x_direction_ = 1, y_direction_ = 1;
  int paddle_ = 4;
  Cells bricks_ = wall;
  bool struck_ = false;
};

/// Breakout, 4 channels; see BreakoutRules and Game. Gymnasium's MinAtar/Breakout-v0, or with `minimal_actions` -v1.
using Breakout = Game<BreakoutRules>;

}  // namespace mellow::environments::minatar

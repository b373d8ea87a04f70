// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

#include <mellow/environments/minatar/game.hpp>

namespace mellow::environments::minatar {

/// Freeway: lead a chicken up across eight lanes of cars, 1 for each crossing. A car throws it back to the start. Every
/// episode ends after 2501 steps.
///
/// The chicken stays in column 4 and moves a cell at most every third step. A car of speed v, 1 to 5, waits v steps
/// before each cell, so that 1 is the fastest; it leaves at one side and comes back at the other. Each crossing draws
/// speeds and directions anew. Not ramped.
class FreewayRules {
 public:
  /// What is shown; the channels of speeds hold a trail behind each car of that speed.
  static constexpr std::array<std::string_view, 7> channels{"chicken", "car",     "speed 1", "speed 2",
                                                            "speed 3", "speed 4", "speed 5"};
  /// Up and down.
  static constexpr std::array buttons{Button::None, Button::Up, Button::Down};

  /// Draws the cars' speeds and directions.
  template <class Generator>
  void begin(Generator& rng) {
    draw_speeds(rng);
  }

  /// Plays a step.
  template <class Generator>
  Step step(Button button, Generator& rng, bool) {
    Step result;
    if (move_timer_ == 0 && (button == Button::Up || button == Button::Down)) {
      move_timer_ = 3;
      chicken_ = std::clamp(chicken_ + (button == Button::Up ? -1 : 1), 0, start);
    }
    if (chicken_ == 0) {
      result.reward = 1.0;
      draw_speeds(rng);
      chicken_ = start;
    }
    for (int lane = 0; lane < lanes; ++lane) {
      Car& car = cars_[static_cast<std::size_t>(lane)];
      hit(car, lane);
      if (car.timer > 0) {
        --car.timer;
        continue;
      }
      car.timer = std::abs(car.speed);
      car.x = wrapped(car.x + direction(car));
      hit(car, lane);
    }
    if (move_timer_ > 0) --move_timer_;
    result.terminated = --time_left_ < 0;
    return result;
  }

  /// Shows the chicken, and the cars with their trails.
  void draw(Picture<7>& picture) const {
    picture.show(0, column, chicken_);
    for (int lane = 0; lane < lanes; ++lane) {
      const Car& car = cars_[static_cast<std::size_t>(lane)];
      picture.show(1, car.x, lane + 1);
      picture.show(1 + std::abs(car.speed), wrapped(car.x - direction(car)), lane + 1);
    }
  }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("chicken", self.chicken_);
    visit("cars", self.cars_);
    visit("move_timer", self.move_timer_);
    visit("time_left", self.time_left_);
  }

 private:
  static constexpr int lanes = 8;  // from row 1 of the grid on
  static constexpr int column = 4, start = Cells::side - 1;
  struct Car {
    int x = 0, timer = 1, speed = 1;  // negative: to the left
  };

  static int direction(const Car& car) { return car.speed > 0 ? 1 : -1; }
  static int wrapped(int x) { return x < 0 ? Cells::side - 1 : x == Cells::side ? 0 : x; }

  template <class Generator>
  void draw_speeds(Generator& rng) {
    for (Car& car : cars_) car.timer = static_cast<int>(1 + rng.below(5));
    for (Car& car : cars_) car.speed = rng.uniform() < 0.5 ? -car.timer : car.timer;
  }

  /// Sends the chicken back where this car is upon it.
  void hit(const Car& car, int lane) {
    if (car.x == column && lane + 1 == chicken_) chicken_ = start;
  }

  int chicken_ = start;  // its row
  std::array<Car, lanes> cars_{};
  int move_timer_ = 3, time_left_ = 2500;
};

/// Freeway, 7 channels; see FreewayRules and Game. Gymnasium's MinAtar/Freeway-v0, or with `minimal_actions` -v1.
using Freeway = Game<FreewayRules>;

}  // namespace mellow::environments::minatar

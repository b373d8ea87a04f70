// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>

#include <mellow/core/error.hpp>
#include <mellow/core/types.hpp>

namespace mellow {

/// A number that may change with time: a learning rate, an exploration rate. A plain number converts to a constant
/// schedule.
class Schedule {
 public:
  /// How it goes from start to end.
  enum class Shape { Constant, Linear, Cosine, Exponential };

  /// Stays at a value.
  constexpr Schedule(double value)
      : from_(value), to_(value) {}  // NOLINT(google-explicit-constructor): `.learning_rate = 1e-3`
  /// What `linear`, `cosine` and `exponential` give. Throws Error for a duration that is not positive, an end that is
  /// not finite, or an end of an exponential that is not positive.
  Schedule(Shape shape, double from, double to, Index duration)
      : shape_(shape), from_(from), to_(to), duration_(duration) {
    require(duration > 0, "Schedule", "duration must be positive", duration);
    require(std::isfinite(from), "Schedule", "start must be finite", from);
    require(std::isfinite(to), "Schedule", "end must be finite", to);
    if (shape == Shape::Exponential) {
      require(from > 0, "Schedule", "exponential start must be positive", from);
      require(to > 0, "Schedule", "exponential end must be positive", to);
    }
  }

  /// Value after `step` steps; `to` from `duration` on, counted from the end of the warm-up or the hold if there is one.
  double operator()(Index step) const {
    if (step < warm_up_) return from_ * static_cast<double>(step) / static_cast<double>(warm_up_);
    step = std::max<Index>(step - warm_up_ - hold_, 0);
    const double done = std::clamp(static_cast<double>(step) / static_cast<double>(duration_), 0.0, 1.0);
    if (done == 1.0) return shape_ == Shape::Constant ? from_ : to_;
    switch (shape_) {
      case Shape::Constant:
        return from_;
      case Shape::Linear:
        return from_ + (to_ - from_) * done;
      case Shape::Cosine:
        return to_ + (from_ - to_) * 0.5 * (1.0 + std::cos(std::numbers::pi * done));
      case Shape::Exponential:
        return from_ * std::pow(to_ / from_, done);
    }
    return to_;
  }

  /// @{
  /// Least and greatest value that it ever takes; every shape is monotone, and a warm-up begins at 0.
  double minimum() const { return std::min({from_, to_, warm_up_ > 0 ? 0.0 : from_}); }
  double maximum() const { return std::max({from_, to_, warm_up_ > 0 ? 0.0 : from_}); }
  /// @}

  /// @{
  /// What it was made of: `Schedule(shape(), start(), end(), duration())`, after `warm_up_duration()` or
  /// `hold_duration()` steps if not 0.
  Shape shape() const { return shape_; }
  double start() const { return from_; }
  double end() const { return to_; }
  Index duration() const { return duration_; }
  Index warm_up_duration() const { return warm_up_; }
  Index hold_duration() const { return hold_; }
  /// @}

  friend Schedule warm_up(Index duration, Schedule then);
  friend Schedule hold(Index duration, Schedule then);

 private:
  void require_no_delay(const char* where, Index duration) const {
    require(duration > 0, where, "duration must be positive", duration);
    require(warm_up_ == 0, where, "the schedule that follows has a warm-up already, in steps", warm_up_);
    require(hold_ == 0, where, "the schedule that follows is held already, in steps", hold_);
  }

  Shape shape_ = Shape::Constant;
  double from_, to_;
  Index duration_ = 1;
  Index warm_up_ = 0, hold_ = 0;  // one of them is 0
};

/// @{
/// From `from` to `to` in `duration` steps along a line, half a cosine, or a constant ratio a step; constant
/// afterwards.
inline Schedule linear(double from, double to, Index duration) { return {Schedule::Shape::Linear, from, to, duration}; }
inline Schedule cosine(double from, double to, Index duration) { return {Schedule::Shape::Cosine, from, to, duration}; }
inline Schedule exponential(double from, double to, Index duration) {
  return {Schedule::Shape::Exponential, from, to, duration};
}
/// @}

/// Rises along a line from 0 to where `then` begins, in `duration` > 0 steps; `then` follows (Goyal et al. 2017).
/// Throws Error where `then` has a warm-up or is held already.
///
///     .learning_rate = warm_up(1'000, cosine(3e-4, 0.0, 99'000))
inline Schedule warm_up(Index duration, Schedule then) {
  then.require_no_delay("warm_up", duration);
  then.warm_up_ = duration;
  return then;
}

/// Stays where `then` begins for `duration` > 0 steps; `then` follows. Throws Error as `warm_up` does.
///
///     .epsilon = hold(5'000, linear(1.0, 0.1, 100'000))
inline Schedule hold(Index duration, Schedule then) {
  then.require_no_delay("hold", duration);
  then.hold_ = duration;
  return then;
}

}  // namespace mellow

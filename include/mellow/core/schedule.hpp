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
  enum class Shape { Constant, Linear, Cosine, Exponential };

  constexpr Schedule(double value)
      : from_(value), to_(value) {}  // NOLINT(google-explicit-constructor): `.learning_rate = 1e-3`
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

  /// Value after `step` steps; `to` from `duration` on.
  double operator()(Index step) const {
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

  double minimum() const { return std::min(from_, to_); }  ///< least value it ever takes (every shape is monotone)
  double maximum() const { return std::max(from_, to_); }  ///< greatest value it ever takes

 private:
  Shape shape_ = Shape::Constant;
  double from_, to_;
  Index duration_ = 1;
};

/// From `from` to `to` in `duration` steps along a line, half a cosine, or a constant ratio a step; constant
/// afterwards.
inline Schedule linear(double from, double to, Index duration) { return {Schedule::Shape::Linear, from, to, duration}; }
inline Schedule cosine(double from, double to, Index duration) { return {Schedule::Shape::Cosine, from, to, duration}; }
inline Schedule exponential(double from, double to, Index duration) {
  return {Schedule::Shape::Exponential, from, to, duration};
}

}  // namespace mellow

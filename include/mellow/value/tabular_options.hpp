// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cmath>
#include <limits>

#include <mellow/core/error.hpp>
#include <mellow/core/metric.hpp>
#include <mellow/core/schedule.hpp>

namespace mellow::value {

/// The numbers of tabular control; its parts carry their own.
struct TabularQOptions {
  double discount = 0.99;        ///< of the next state's value, in [0, 1]
  Schedule learning_rate = 0.1;  ///< alpha, by environment steps, in [0, 1]
  double initial_value = 0.0;  ///< of every action; finite; above what can be earned it makes the agent try everything

  /// Throws Error for a number out of range.
  void validate() const {
    constexpr auto where = "value::TabularQ";
    require(discount >= 0 && discount <= 1, where, "discount must lie in [0, 1]", discount);
    require(learning_rate.minimum() >= 0, where, "learning_rate must lie in [0, 1]", learning_rate.minimum());
    require(learning_rate.maximum() <= 1, where, "learning_rate must lie in [0, 1]", learning_rate.maximum());
    require(std::isfinite(initial_value), where, "initial_value must be finite", initial_value);
  }
};

/// What an update of a table found.
struct TabularLearned {
  double td_error = std::numeric_limits<double>::quiet_NaN();  ///< target minus value

  /// The same by name.
  std::array<Metric, 1> metrics() const { return {{{"td_error", td_error}}}; }
};

}  // namespace mellow::value

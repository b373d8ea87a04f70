// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <mellow/core/schedule.hpp>
#include <mellow/value/traces.hpp>

namespace mellow::value {

/// The numbers of temporal-difference prediction.
struct TdOptions {
  double discount = 0.99;        ///< of the next state's value, in [0, 1]
  Schedule learning_rate = 0.1;  ///< alpha, by steps, >= 0

  /// Throws Error for a number out of range.
  void validate() const {
    constexpr auto where = "value::TdOptions";
    require(discount >= 0 && discount <= 1, where, "discount must lie in [0, 1]", discount);
    require(learning_rate.minimum() >= 0, where, "learning_rate must not be negative", learning_rate.minimum());
  }
};

/// The values of the policy that is followed, in a table: TD(0), or TD(lambda) with `Accumulating`, `Replacing` or
/// `Dutch` traces (Sutton 1988),
///
///     V <- V + alpha (r + discount V(s') - V(s)) e
///
/// Allocates nothing after construction.
template <TracesPart Kind = NoTraces>
  requires(!std::same_as<Kind, SimilarActions>)  // of states there is one value
class TabularTd {
 public:
  /// Starts from values 0. Throws Error for no states or numbers out of range.
  explicit TabularTd(Index states, const TdOptions& options = {}, const Kind& traces = {})
      : options_(options), values_(Vector<double>::Zero(states)), traces_(traces, states) {
    require(states > 0, "value::TabularTd", "states must be positive", states);
    options_.validate();
    validate_part(traces);
  }

  /// Learns from one step and returns its temporal-difference error. A truncated episode ends, but its last state's
  /// value counts. Throws Error for a state out of range.
  double observe(Index state, double reward, Index next, bool terminated, bool truncated = false) {
    const auto is_state = [&](Index s) { return s >= 0 && s < values_.size(); };
    if (!is_state(state) || !is_state(next))
      throw Error("value::TabularTd", fmt::format("states must lie in [0, {})", values_.size()),
                  is_state(state) ? next : state);
    const double next_value = terminated ? 0.0 : values_[next];
    const double error = reward + options_.discount * next_value - values_[state];
    traces_.update(values_.data(), state, options_.learning_rate(steps_), error, before_);
    before_ = next_value;
    ++steps_;
    if (terminated || truncated) traces_.clear();
    else traces_.decay(options_.discount);
    return error;
  }

  const Vector<double>& parameters() const { return values_; }  ///< states: the value of each

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("values", self.values_);
    visit("traces", self.traces_);
    visit("before", self.before_);
    visit("steps", self.steps_);
  }

 private:
  TdOptions options_;
  Vector<double> values_;
  EligibilityTraces<Kind> traces_;
  double before_ = 0.0;  // value of the present state before the last update
  Index steps_ = 0;
};

}  // namespace mellow::value

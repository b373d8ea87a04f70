// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <mellow/core/error.hpp>
#include <mellow/core/parts.hpp>
#include <mellow/core/types.hpp>

namespace mellow::value {

namespace detail {
inline void validate_lambda(std::string_view part, double lambda) {
  require(lambda >= 0 && lambda <= 1, part, "lambda must lie in [0, 1]", lambda);
}
}  // namespace detail

/// Only the last state learns from a temporal-difference error: lambda = 0.
struct NoTraces {
  using role = roles::Traces;
};

/// Eligibility traces that add up: e(s) <- e(s) + 1 at a visit (Sutton 1988). Fast, but with a large learning rate a
/// state that is visited often may overshoot.
struct Accumulating {
  using role = roles::Traces;
  double lambda = 0.9;  ///< in [0, 1]; 1 is Monte Carlo

  /// Throws Error for a lambda out of range.
  void validate() const { detail::validate_lambda("value::Accumulating", lambda); }
  /// The trace after a visit.
  double visited(double trace, double) const { return trace + 1.0; }
};

/// Eligibility traces that start again at a visit: e(s) <- 1 (Singh & Sutton 1996).
struct Replacing {
  using role = roles::Traces;
  double lambda = 0.9;  ///< in [0, 1]

  /// Throws Error for a lambda out of range.
  void validate() const { detail::validate_lambda("value::Replacing", lambda); }
  /// The trace after a visit.
  double visited(double, double) const { return 1.0; }
};

/// Dutch traces, e(s) <- (1 - alpha) e(s) + alpha at a visit, with the correction that makes the update equal to the
/// online lambda-return at every step, for any schedule of alpha: true online TD(lambda) and Sarsa(lambda) (van Seijen
/// et al. 2016). The one to prefer.
struct Dutch {
  using role = roles::Traces;
  double lambda = 0.9;  ///< in [0, 1]

  /// Throws Error for a lambda out of range.
  void validate() const { detail::validate_lambda("value::Dutch", lambda); }
  /// The trace after a visit.
  double visited(double trace, double learning_rate) const { return (1.0 - learning_rate) * trace + learning_rate; }
};

struct SimilarActions;  // value/similar_actions.hpp

/// Traces that outlive their step: `lambda`, and `visited(trace, learning_rate)`, the trace after a visit.
template <class P>
concept LastingTraces = requires(const P part, double trace) {
  { part.lambda } -> std::convertible_to<double>;
  { part.visited(trace, trace) } -> std::convertible_to<double>;
};

/// What `roles::Traces` asks for: lasting traces, none, or, of a table of actions, `SimilarActions`.
template <class P>
concept TracesPart = std::same_as<P, NoTraces> || std::same_as<P, SimilarActions> || LastingTraces<P>;

/// The eligibility traces of a table: how far each entry shares in the present temporal-difference error. Time grows
/// with the traces that are not 0; a trace below 1e-12 counts as 0. Nothing is allocated after construction.
template <TracesPart Kind>
class EligibilityTraces {
 public:
  /// All traces are 0.
  EligibilityTraces(const Kind& kind, Index entries) : kind_(kind), traces_(Vector<double>::Zero(entries)) {
    active_.reserve(static_cast<std::size_t>(entries));
  }

  /// values <- values + step for every entry as far as its trace says, after a visit of `entry`. `before` is what the
  /// visited value was before the update that came before this one.
  void update(double* values, Index entry, double learning_rate, double td_error, double before) {
    if (traces_[entry] == 0.0) active_.push_back(entry);
    traces_[entry] = kind_.visited(traces_[entry], learning_rate);
    if constexpr (std::same_as<Kind, Dutch>) {  // the learning rate is in the traces
      const double moved = values[entry] - before;
      for (const Index i : active_) values[i] += (td_error + moved) * traces_[i];
      values[entry] -= learning_rate * moved;
    } else {
      for (const Index i : active_) values[i] += learning_rate * td_error * traces_[i];
    }
  }

  /// All traces fade by discount x lambda.
  void decay(double discount) {
    for (std::size_t i = active_.size(); i-- > 0;) {
      double& trace = traces_[active_[i]];
      trace *= discount * kind_.lambda;
      if (trace < 1e-12) {
        trace = 0.0;
        active_[i] = active_.back();
        active_.pop_back();
      }
    }
  }

  /// All traces are 0: at an episode's end.
  void clear() {
    for (const Index i : active_) traces_[i] = 0.0;
    active_.clear();
  }

  const Vector<double>& traces() const { return traces_; }  ///< entries: of each

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("traces", self.traces_);
    visit("active", self.active_);
  }

 private:
  Kind kind_;
  Vector<double> traces_;      // of each entry
  std::vector<Index> active_;  // entries whose trace is not 0
};

/// Without traces: the visited entry alone learns.
template <>
class EligibilityTraces<NoTraces> {
 public:
  /// Keeps nothing.
  EligibilityTraces(const NoTraces&, Index) {}
  /// values[entry] <- values[entry] + step.
  void update(double* values, Index entry, double learning_rate, double td_error, double) {
    values[entry] += learning_rate * td_error;
  }
  void decay(double) {}  ///< does nothing
  void clear() {}        ///< does nothing

  template <class Self, class Visit>
  static void visit_state(Self&, Visit&&) {}
};

}  // namespace mellow::value

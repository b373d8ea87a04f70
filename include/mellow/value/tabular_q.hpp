// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cassert>
#include <cmath>
#include <limits>
#include <optional>

#include <mellow/core/metric.hpp>
#include <mellow/value/tabular_parts.hpp>

namespace mellow::value {

/// The numbers of tabular control; its parts carry their own.
struct TabularQOptions {
  double discount = 0.99;        ///< of the next state's value, in [0, 1]
  Schedule learning_rate = 0.1;  ///< alpha, by environment steps, in [0, 1]
  double initial_value = 0.0;  ///< of every action; finite; above what can be earned it makes the agent try everything

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
  double td_error = std::numeric_limits<double>::quiet_NaN();

  std::array<Metric, 1> metrics() const { return {{{"td_error", td_error}}}; }
};

/// Control by a table of action values, with exchangeable parts given in any order:
///
///     Q(s, a) <- Q(s, a) + alpha (r + discount backup(Q(s', .)) - Q(s, a))
///
/// Backup: `Max` (Q-learning, Watkins 1989, the default) or any operator; `Sarsa`; `ExpectedSarsa`; `DoubleQ`, which
/// keeps two tables, of which each learns in half of the steps (van Hasselt 2010). Exploration (`EpsilonGreedy`, or
/// `explore(policy)`). Traces (`NoTraces`; with `Max`, Watkins's Q(lambda): they are cut where an action was not the
/// best). Observations and actions are indices; `training::train` trains it. A step allocates nothing.
template <class... Parts>
class TabularQ {
  using Types = TabularTypes<Parts...>;
  static_assert(Types::check());
  using Backup = typename Types::Backup;
  using Exploration = typename Types::Exploration;
  using Traces = typename Types::Traces;
  static constexpr bool double_tables = OnlineBackup<Backup, double>;

 public:
  /// Throws Error for no states or actions, or numbers out of range.
  TabularQ(Index states, Index actions, TabularQOptions options = {}, const Parts&... parts)
      : options_(options),
        states_(states),
        backup_(Types::template take<roles::Backup, Backup>(parts...)),
        exploration_(Types::template take<roles::Exploration, Exploration>(parts...)),
        traces_(Types::template take<roles::Traces, Traces>(parts...), states * actions) {
    require(states > 0, "value::TabularQ", "states must be positive", states);
    require(actions > 0, "value::TabularQ", "actions must be positive", actions);
    options_.validate();
    (validate_part(parts), ...);
    tables_.setConstant(actions, (double_tables ? 2 : 1) * states, options_.initial_value);
    before_.setConstant(actions, options_.initial_value);
    probabilities_.setZero(actions);
  }

  /// An action for learning: explores as the exploration part says.
  Index act(Index state, Rng& rng) {
    if (next_action_ == none) return choose(state, rng);
    const Index action = next_action_;  // SARSA has chosen when it learned
    next_action_ = none;
    return action;
  }

  /// The best action by the table (two tables: by their mean); the first of equals.
  Index greedy(Index state) const { return operators::argmax(q(state)); }

  /// Learns from one step.
  std::optional<TabularLearned> observe(const Transition<Index, Index>& t, Rng& rng) {
    assert(t.observation >= 0 && t.observation < states_ && t.action >= 0 && t.action < actions());
    const double learning_rate = options_.learning_rate(steps_);
    ++steps_;
    const bool ends = t.terminated || t.truncated;
    const Index table = double_tables ? rng.below(2) * states_ : 0;
    const double next = t.terminated ? 0.0 : next_value(t.next_observation, table, rng);
    const double error = t.reward + options_.discount * next - tables_(t.action, table + t.observation);
    if constexpr (SelectingBackup<Backup>)
      if (const auto q = tables_.col(t.observation); q[t.action] != q[backup_.select(q)]) traces_.clear();
    const double before = before_[t.action];
    if constexpr (std::same_as<Traces, Dutch>) before_ = tables_.col(t.next_observation);
    traces_.update(tables_.data(), (table + t.observation) * actions() + t.action, learning_rate, error, before);
    if (ends) {
      traces_.clear();
      next_action_ = none;
    } else traces_.decay(options_.discount);
    return TabularLearned{.td_error = error};
  }

  /// Throws Error where the table does not fit an environment's spaces.
  template <class ObservationSpace, class ActionSpace>
  void require_fits(const ObservationSpace& observations, const ActionSpace& actions_space) const {
    static_assert(std::same_as<ObservationSpace, Discrete> && std::same_as<ActionSpace, Discrete>,
                  "mellow: TabularQ needs observations and actions that are indices (mellow::Discrete)");
    require(observations.n == states_, "value::TabularQ",
            fmt::format("the environment has {} observations, the table needs as many states", observations.n),
            states_);
    require(actions_space.n == actions(), "value::TabularQ",
            fmt::format("the environment has {} actions, the table needs as many", actions_space.n), actions());
  }

  Index states() const { return states_; }
  Index actions() const { return tables_.rows(); }
  const TabularQOptions& options() const { return options_; }

  /// The values of a state's actions, an expression of the table: actions.
  auto q(Index state) const {
    if constexpr (double_tables) return 0.5 * (tables_.col(state) + tables_.col(states_ + state));
    else return tables_.col(state);
  }

  /// The table, actions x states; two tables lie side by side.
  const Matrix<double>& parameters() const { return tables_; }
  void set_parameters(const Matrix<double>& tables) {
    if (tables.rows() != tables_.rows() || tables.cols() != tables_.cols())
      throw Error("value::TabularQ", fmt::format("the table is {} x {}", tables_.rows(), tables_.cols()),
                  fmt::format("{} x {}", tables.rows(), tables.cols()));
    tables_ = tables;
  }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("tables", self.tables_);
    visit("before", self.before_);
    visit("exploration", self.exploration_state_);
    visit("traces", self.traces_);
    visit("next_action", self.next_action_);
    visit("steps", self.steps_);
  }

 private:
  static constexpr Index none = -1;

  /// The present choice as exploration sees it.
  struct Choice {
    const TabularQ& agent;
    Index state;
    Rng& rng;
    /// One of equals at random: in a table that is still constant, the first would never leave its corner.
    Index greedy() const {
      const auto q = values();
      const double best = q.maxCoeff();
      const Index equals = (q.array() == best).count();
      Index skipped = equals > 1 ? rng.below(equals) : 0;
      for (Index a = 0; a < q.size(); ++a)
        if (q[a] == best && skipped-- == 0) return a;
      return 0;
    }
    Index random(Rng& generator) const { return generator.below(agent.actions()); }
    auto values() const { return agent.q(state); }
  };

  Index choose(Index state, Rng& rng) {
    return call_part(calls::choose, exploration_, exploration_state_, Choice{*this, state, rng}, steps_, rng);
  }

  /// The value of the next state for the table whose first column is given.
  double next_value(Index state, Index table, Rng& rng) {
    if constexpr (ActionBackup<Backup>) {
      next_action_ = choose(state, rng);
      return backup_.of_action(tables_.col(state), next_action_);
    } else if constexpr (PolicyBackup<Backup>) {
      exploration_.probabilities(tables_.col(state), steps_, probabilities_);
      return backup_.of_policy(tables_.col(state), probabilities_);
    } else if constexpr (double_tables) {
      return backup_(tables_.col(states_ - table + state), tables_.col(table + state));
    } else return backup_(tables_.col(state));
  }

  TabularQOptions options_;
  Index states_;
  [[no_unique_address]] Backup backup_;
  Exploration exploration_;
  StateOf<Exploration, double> exploration_state_{};
  EligibilityTraces<Traces> traces_;
  Matrix<double> tables_;         // actions x states, once or twice
  Vector<double> before_;         // actions: of the present state, before the last update; for true online updates
  Vector<double> probabilities_;  // actions
  Index next_action_ = none;      // chosen by SARSA, not yet taken
  Index steps_ = 0;               // observed
};

}  // namespace mellow::value

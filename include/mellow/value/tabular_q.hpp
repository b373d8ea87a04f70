// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>
#include <optional>

#include <mellow/core/memory.hpp>
#include <mellow/data/transition.hpp>
#include <mellow/operators/mask.hpp>
#include <mellow/value/tabular_options.hpp>
#include <mellow/value/tabular_parts.hpp>

namespace mellow::value {

/// Control by a table of action values, with exchangeable parts given in any order:
///
///     Q(s, a) <- Q(s, a) + alpha (r + discount backup(Q(s', .)) - Q(s, a))
///
/// Backup: `Max` (Q-learning, Watkins 1989, the default) or any operator; `Sarsa`; `ExpectedSarsa`; `DoubleQ`, which
/// keeps two tables, of which each learns in half of the steps (van Hasselt 2010). Exploration (`EpsilonGreedy`, or
/// `explore(policy)`). Traces (`NoTraces`; with `Max`, Watkins's Q(lambda): they are cut where an action was not the
/// best; `SimilarActions` in their place shares among the actions of a state). Observations and actions are indices;
/// `training::train` trains it. A step allocates nothing.
template <class... Parts>
class TabularQ {
  using Types = detail::TabularTypes<Parts...>;
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
        backup_(take_part<roles::Backup, Backup>(parts...)),
        exploration_(take_part<roles::Exploration, Exploration>(parts...)),
        traces_(take_part<roles::Traces, Traces>(parts...), 0) {
    require(states > 0, "value::TabularQ", "states must be positive", states);
    require(actions > 0, "value::TabularQ", "actions must be positive", actions);
    options_.validate();
    (validate_part(parts), ...);
    if constexpr (std::same_as<Traces, SimilarActions>)
      take_part<roles::Traces, Traces>(parts...).require_fits(actions);
    within_memory("value::TabularQ", "a table of this many states does not fit into memory", states, [&] {
      tables_.setConstant(actions, (double_tables ? 2 : 1) * states, options_.initial_value);
      traces_ = {take_part<roles::Traces, Traces>(parts...), states * actions};
    });
    before_.setConstant(actions, options_.initial_value);
    probabilities_.setZero(actions);
    allowed_ = other_allowed_ = probabilities_;
    mask_.setConstant(actions, true);
  }
  /// The same with default options.
  template <class First, class... Others>
    requires std::same_as<std::tuple<First, Others...>, std::tuple<Parts...>>
  TabularQ(Index states, Index actions, const First& first, const Others&... others)
      : TabularQ(states, actions, TabularQOptions{}, first, others...) {}

  /// An action for learning, one that the mask allows: explores as the exploration part says.
  Index act(Index state, Rng& rng, ActionMask mask = {}) {
    require_state(state);
    if (next_action_ == none) return choose(state, rng, mask);
    const Index action = next_action_;  // SARSA has chosen when it learned
    next_action_ = none;
    return action;
  }

  /// The best action by the table (two tables: by their mean) among those that the mask allows; the first of equals.
  Index greedy(Index state, ActionMask mask = {}) {
    require_state(state);
    return operators::nth_allowed(mask, operators::argmax(values(state, mask)));
  }

  /// Learns from one step. Throws Error for a state or an action that the table does not have.
  std::optional<TabularLearned> observe(const Transition<Index, Index>& t, Rng& rng) {
    require_state(t.observation);
    require_state(t.next_observation);
    if (t.action < 0 || t.action >= actions()) throw Error("value::TabularQ", "there is no such action", t.action);
    const double learning_rate = options_.learning_rate(steps_);
    ++steps_;
    const Index table = double_tables ? rng.below(2) * states_ : 0;
    const double next = t.terminated ? 0.0 : next_value(t.next_observation, table, rng, t.next_allowed);
    const double error = t.reward + options_.discount * next - tables_(t.action, table + t.observation);
    cut_traces(t.observation, t.action);
    const double before = before_[t.action];
    if constexpr (std::same_as<Traces, Dutch>) before_ = tables_.col(t.next_observation);
    traces_.update(tables_.data(), (table + t.observation) * actions() + t.action, learning_rate, error, before);
    if (t.terminated || t.truncated) {
      traces_.clear();
      next_action_ = none;
    } else {
      traces_.decay(options_.discount);
      remember(t.next_allowed);
    }
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

  Index states() const { return states_; }                     ///< how many
  Index actions() const { return tables_.rows(); }             ///< how many
  const TabularQOptions& options() const { return options_; }  ///< as given

  /// The values of a state's actions, an expression of the table: actions.
  auto q(Index state) const {
    if constexpr (double_tables) return 0.5 * (tables_.col(state) + tables_.col(states_ + state));
    else return tables_.col(state);
  }

  /// The table, actions x states; two tables lie side by side.
  const Matrix<double>& parameters() const { return tables_; }
  /// Sets the table or tables. Throws Error for another shape.
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
    visit("mask", self.mask_);
    visit("next_action", self.next_action_);
    visit("steps", self.steps_);
  }

 private:
  static constexpr Index none = -1;

  void require_state(Index state) const {
    if (state < 0 || state >= states_) throw Error("value::TabularQ", "there is no such state", state);
  }

  /// The present choice as exploration sees it.
  struct Choice {
    TabularQ& agent;
    Index state;
    Rng& rng;
    ActionMask mask;
    /// One of equals at random: in a table that is still constant, the first would never leave its corner.
    Index greedy() const {
      const auto q = values();
      const double best = q.maxCoeff();
      const Index equals = (q.array() == best).count();
      Index skipped = equals > 1 ? rng.below(equals) : 0;
      for (Index i = 0; i < q.size(); ++i)
        if (q[i] == best && skipped-- == 0) return action(i);
      return action(0);
    }
    Index random(Rng& generator) const {
      return action(generator.below(operators::count_allowed(agent.actions(), mask)));
    }
    auto values() const { return agent.values(state, mask); }
    Index action(Index i) const { return operators::nth_allowed(mask, i); }
  };

  Index choose(Index state, Rng& rng, ActionMask mask) {
    return call_part(operators::calls::choose, exploration_, exploration_state_, Choice{*this, state, rng, mask},
                     steps_, rng);
  }

  /// Values of the allowed actions.
  auto values(Index state, ActionMask mask) { return operators::keep_allowed<double>(q(state), mask, allowed_); }

  /// The value of the next state for the table whose first column is given, over the allowed actions.
  double next_value(Index state, Index table, Rng& rng, ActionMask mask) {
    if constexpr (ActionBackup<Backup>) {
      next_action_ = choose(state, rng, mask);
      return backup_.of_action(tables_.col(state), next_action_);
    } else if constexpr (PolicyBackup<Backup>) {
      const auto q = values(state, mask);
      auto pi = probabilities_.head(q.size());
      exploration_.probabilities(q, steps_, pi);
      return backup_.of_policy(q, pi);
    } else if constexpr (double_tables) {
      return backup_(operators::keep_allowed<double>(tables_.col(states_ - table + state), mask, other_allowed_),
                     operators::keep_allowed<double>(tables_.col(table + state), mask, allowed_));
    } else return backup_(values(state, mask));
  }

  /// Forgets what came before an action that the backup would not have taken (Watkins 1989).
  void cut_traces(Index state, Index action) {
    if constexpr (SelectingBackup<Backup> && LastingTraces<Traces>) {
      const auto q = values(state, {mask_.data(), static_cast<std::size_t>(mask_.size())});
      if (tables_(action, state) != q[backup_.select(q)]) traces_.clear();
    }
  }

  /// Keeps which actions are allowed in the state that comes next, for `cut_traces`.
  void remember(ActionMask mask) {
    if constexpr (SelectingBackup<Backup> && LastingTraces<Traces>)
      for (Index a = 0; a < mask_.size(); ++a) mask_[a] = mask.empty() || mask[static_cast<std::size_t>(a)];
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
  Vector<double> allowed_, other_allowed_;      // values of allowed actions
  Eigen::Array<bool, Eigen::Dynamic, 1> mask_;  // actions: which the present state allows
  Index next_action_ = none;                    // chosen by SARSA, not yet taken
  Index steps_ = 0;                             // observed
};

/// Deduces the parts where there are no options.
template <class First, class... Others>
  requires(!std::same_as<First, TabularQOptions>)
TabularQ(Index, Index, First, Others...) -> TabularQ<First, Others...>;

}  // namespace mellow::value

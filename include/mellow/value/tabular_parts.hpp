// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <concepts>

#include <mellow/core/parts.hpp>
#include <mellow/core/schedule.hpp>
#include <mellow/operators/epsilon_greedy.hpp>
#include <mellow/operators/exploration.hpp>
#include <mellow/operators/max.hpp>
#include <mellow/value/backups.hpp>
#include <mellow/value/traces.hpp>

namespace mellow::value {

/// The value of the action that is really taken next: on-policy SARSA (Rummery & Niranjan 1994). Learns the value of
/// the policy that explores; keeps away from what exploration makes dangerous.
struct Sarsa {
  using role = roles::Backup;

  /// q(next_action).
  template <class Derived>
  double of_action(const Eigen::DenseBase<Derived>& q, Index next_action) const {
    return q.derived()[next_action];
  }
};

/// The expected value under the exploration part's probabilities (van Seijen et al. 2009): SARSA without the variance
/// of the next action. Needs an exploration part that tells its `probabilities`.
struct ExpectedSarsa {
  using role = roles::Backup;

  /// sum_a pi(a) q(a).
  template <class Derived>
  double of_policy(const Eigen::DenseBase<Derived>& q, const ConstVectorRef<double>& pi) const {
    double value = 0.0;
    for (Index a = 0; a < pi.size(); ++a) value += pi[a] * q.derived()[a];
    return value;
  }
};

/// A backup from the next state's values and the action taken there: `of_action(q, next_action) -> value`.
template <class B>
concept ActionBackup = requires(const B backup, const Vector<double> q) {
  { backup.of_action(q, Index{}) } -> std::convertible_to<double>;
};

/// A backup from the next state's values and the probabilities of its actions: `of_policy(q, pi) -> value`.
template <class B>
concept PolicyBackup = requires(const B backup, const Vector<double> q) {
  { backup.of_policy(q, q) } -> std::convertible_to<double>;
};

/// An operator that says which action's value it takes: `select(q)`. Traces are cut where another action was taken.
template <class B>
concept SelectingBackup = TargetBackup<B, double> && requires(const B backup, const Vector<double> q) {
  { backup.select(q) } -> std::convertible_to<Index>;
};

/// What `TabularQ` asks of `roles::Backup`: an operator `backup(q)`, one of the above, or one of two tables
/// `backup(other_q, own_q)`.
template <class B>
concept TabularBackup = Backup<B, double> || ActionBackup<B> || PolicyBackup<B>;

/// An exploration part that tells the probabilities it acts by.
template <class P>
concept KnownExploration =
    requires(const P part, const Vector<double> q, Vector<double> pi) { part.probabilities(q, Index{}, pi); };

namespace detail {

/// The types of a tabular agent's parts, defaults in place, and every check of them.
template <class... Parts>
struct TabularTypes {
  using GivenBackup = PartFor<roles::Backup, operators::Max, Parts...>;
  static constexpr bool backup_fits = TabularBackup<GivenBackup>;
  using FittingBackup = OrDefault<backup_fits, GivenBackup, operators::Max>;

  using GivenExploration = PartFor<roles::Exploration, operators::EpsilonGreedy, Parts...>;
  static constexpr bool exploration_fits = operators::ExplorationPart<GivenExploration, double, Index>;
  using Exploration = OrDefault<exploration_fits, GivenExploration, operators::EpsilonGreedy>;

  static constexpr bool policy_known = !PolicyBackup<FittingBackup> || KnownExploration<Exploration>;
  using Backup = OrDefault<policy_known, FittingBackup, operators::Max>;

  using GivenTraces = PartFor<roles::Traces, NoTraces, Parts...>;
  static constexpr bool traces_fit = TracesPart<GivenTraces>;
  using FittingTraces = OrDefault<traces_fit, GivenTraces, NoTraces>;
  static constexpr bool traces_fit_backup =
      !LastingTraces<FittingTraces> || ActionBackup<Backup> || PolicyBackup<Backup> || SelectingBackup<Backup>;
  using Traces = OrDefault<traces_fit_backup, FittingTraces, NoTraces>;

  /// Says in words what is wrong with the parts.
  static consteval bool check() {
    CheckRoles<roles::Backup, roles::Exploration, roles::Traces>::template of<Parts...>();
    static_assert(backup_fits,
                  "mellow: the part for roles::Backup does not fit: it needs operator()(q) const, operator()(other_q, "
                  "own_q) const, of_action(q, next_action) const or of_policy(q, probabilities) const -> value");
    static_assert(exploration_fits,
                  "mellow: the part for roles::Exploration does not fit: it needs choose(choice, step, rng) const -> "
                  "action (with its state first if it has one)");
    static_assert(policy_known,
                  "mellow: this backup needs an exploration part that tells probabilities(q, step, pi) const");
    static_assert(traces_fit,
                  "mellow: the part for roles::Traces does not fit: it needs lambda and visited(trace, learning_rate) "
                  "const -> trace");
    static_assert(traces_fit_backup,
                  "mellow: traces need a backup that follows the policy (Sarsa, ExpectedSarsa) or says which action it "
                  "takes with select(q) const (Max)");
    return true;
  }
};

}  // namespace detail

}  // namespace mellow::value

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tuple>

#include <mellow/value/dqn_parts.hpp>

namespace mellow::value {

/// The types of a deep Q agent's parts, defaults in place, with every check of them said in words.
template <class Net, class... Parts>
struct DqnTypes {
  using Scalar = typename Net::Scalar;

  static_assert((NamesRole<Parts> && ...), "mellow: a part given to Dqn names no role: add `using role = mellow::roles::Backup;` (or the role it fills)");
  template <class P>
  static constexpr bool known = FillsOneOf<P, roles::Backup, roles::Tracking, roles::Pull, roles::Exploration, roles::Replay, roles::Head,
                                           roles::Optimizer, roles::Initializer, roles::TargetNetwork, roles::Hook>;
  static_assert(((known<Parts> || !NamesRole<Parts>)&&...), "mellow: a part given to Dqn names a role that Dqn does not have");
  static_assert(count_parts<roles::Backup, Parts...> <= 1, "mellow: two parts given to Dqn fill roles::Backup; give one");
  static_assert(count_parts<roles::Tracking, Parts...> <= 1, "mellow: two parts given to Dqn fill roles::Tracking; give one");
  static_assert(count_parts<roles::Pull, Parts...> <= 1, "mellow: two parts given to Dqn fill roles::Pull; give one");
  static_assert(count_parts<roles::Exploration, Parts...> <= 1, "mellow: two parts given to Dqn fill roles::Exploration; give one");
  static_assert(count_parts<roles::Replay, Parts...> <= 1, "mellow: two parts given to Dqn fill roles::Replay; give one");
  static_assert(count_parts<roles::Head, Parts...> <= 1, "mellow: two parts given to Dqn fill roles::Head; give one");
  static_assert(count_parts<roles::Optimizer, Parts...> <= 1, "mellow: two parts given to Dqn fill roles::Optimizer; give one");
  static_assert(count_parts<roles::Initializer, Parts...> <= 1, "mellow: two parts given to Dqn fill roles::Initializer; give one");
  static_assert(count_parts<roles::TargetNetwork, Parts...> <= 1, "mellow: two parts given to Dqn fill roles::TargetNetwork; give one");

  // A part that does not fit is reported once, and its default takes its place so that nothing else is reported.
  template <bool fits, class Given, class Default>
  using OrDefault = std::conditional_t<fits, Given, Default>;

  using GivenBackup = PartFor<roles::Backup, operators::Max, Parts...>;
  static constexpr bool backup_fits = value::Backup<GivenBackup, Scalar>;
  static_assert(backup_fits, "mellow: the part for roles::Backup does not fit: it needs operator()(q) const or operator()(target_q, online_q) const -> value");
  using Backup = OrDefault<backup_fits, GivenBackup, operators::Max>;

  using GivenHead = PartFor<roles::Head, ScalarHead, Parts...>;
  static constexpr bool head_fits = HeadPart<GivenHead, Scalar, Backup>;
  static_assert(head_fits, "mellow: the part for roles::Head does not fit this backup or lacks greedy, random, values, targets or evaluate (HeadPart in value/dqn_parts.hpp)");
  using Head = OrDefault<head_fits, GivenHead, ScalarHead>;
  using Action = typename Head::Action;

  using GivenOptimizer = PartFor<roles::Optimizer, nn::Adam, Parts...>;
  static constexpr bool optimizer_fits = OptimizerPart<GivenOptimizer, Scalar>;
  static_assert(optimizer_fits, "mellow: the part for roles::Optimizer does not fit: it needs State<Scalar> with reset(n), step(state, theta, gradient) const and learning_rate");
  using Optimizer = OrDefault<optimizer_fits, GivenOptimizer, nn::Adam>;

  using GivenReplay = PartFor<roles::Replay, data::UniformReplay, Parts...>;
  static constexpr bool replay_fits = ReplayPart<GivenReplay, Scalar, Action>;
  static_assert(replay_fits, "mellow: the part for roles::Replay does not fit: it needs State<Scalar, Action>, make_state(features), push(state, transition) and sample(state, batch, rng)");
  using Replay = OrDefault<replay_fits, GivenReplay, data::UniformReplay>;

  using GivenExploration = PartFor<roles::Exploration, operators::EpsilonGreedy, Parts...>;
  static constexpr bool exploration_fits = ExplorationPart<GivenExploration, Scalar, Action>;
  static_assert(exploration_fits, "mellow: the part for roles::Exploration does not fit: it needs choose(choice, step, rng) const -> action (with its state first if it has one)");
  using Exploration = OrDefault<exploration_fits, GivenExploration, operators::EpsilonGreedy>;

  using GivenInitializer = PartFor<roles::Initializer, nn::PyTorchDefault, Parts...>;
  static constexpr bool initializer_fits = InitializerPart<GivenInitializer, Scalar>;
  static_assert(initializer_fits, "mellow: the part for roles::Initializer does not fit: it needs fill<Scalar>(segment, values, rng) const, or theta of the network's scalar type");
  using Initializer = OrDefault<initializer_fits, GivenInitializer, nn::PyTorchDefault>;

  using TargetNet = decltype(PartFor<roles::TargetNetwork, TargetNetwork<Net>, Parts...>::network);
  using Learner = value::Learner<Net, TargetNet, Head, Optimizer, Replay>;

  using GivenTracking = PartFor<roles::Tracking, PeriodicCopy, Parts...>;
  static constexpr bool tracking_fits = TrackingPart<GivenTracking, Learner>;
  static_assert(tracking_fits, "mellow: the part for roles::Tracking does not fit: it needs update(learner, rng) const -> bool (with its state first if it has one)");
  using Tracking = OrDefault<tracking_fits, GivenTracking, PeriodicCopy>;

  using GivenPull = PartFor<roles::Pull, NoPull, Parts...>;
  static constexpr bool pull_fits = PullPart<GivenPull, Learner>;
  static_assert(pull_fits, "mellow: the part for roles::Pull does not fit: it needs pull(learner, rng) const (with its state first if it has one)");
  using Pull = OrDefault<pull_fits, GivenPull, NoPull>;

  template <class P>
  static constexpr bool hook_fits = !Fills<P, roles::Hook> || ActsAtAMoment<P, StateOf<P, Scalar>, Learner>;
  static_assert((hook_fits<Parts> && ...), "mellow: a part for roles::Hook acts at no moment: it needs before_step, after_step or after_target_change(learner, rng) const");

  /// The part for Role among those given, or its default where none was given or the given one does not fit.
  template <class Role, class Wanted>
  static Wanted take(const Parts&... parts) {
    const auto chosen = choose_part<Role>(Wanted{}, parts...);
    if constexpr (std::same_as<std::remove_cvref_t<decltype(chosen)>, Wanted>) return chosen;
    else return Wanted{};
  }
};

}  // namespace mellow::value

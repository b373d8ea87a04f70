// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/value/dqn_parts.hpp>

namespace mellow::value {

/// The types of a deep Q agent's parts, defaults in place, and every check of them.
template <class Net, class... Parts>
struct DqnTypes {
  using Scalar = typename Net::Scalar;

  using GivenBackup = PartFor<roles::Backup, operators::Max, Parts...>;
  static constexpr bool backup_fits = value::Backup<GivenBackup, Scalar>;
  using Backup = OrDefault<backup_fits, GivenBackup, operators::Max>;

  using GivenHead = PartFor<roles::Head, ScalarHead, Parts...>;
  static constexpr bool head_fits = HeadPart<GivenHead, Scalar, Backup>;
  using Head = OrDefault<head_fits, GivenHead, ScalarHead>;
  using Action = typename Head::Action;

  using GivenOptimizer = PartFor<roles::Optimizer, nn::Adam, Parts...>;
  static constexpr bool optimizer_fits = nn::OptimizerPart<GivenOptimizer, Scalar>;
  using Optimizer = OrDefault<optimizer_fits, GivenOptimizer, nn::Adam>;

  using GivenReplay = PartFor<roles::Replay, data::UniformReplay, Parts...>;
  static constexpr bool replay_fits = ReplayPart<GivenReplay, Scalar, Action>;
  using Replay = OrDefault<replay_fits, GivenReplay, data::UniformReplay>;

  using GivenExploration = PartFor<roles::Exploration, operators::EpsilonGreedy, Parts...>;
  static constexpr bool exploration_fits = operators::ExplorationPart<GivenExploration, Scalar, Action>;
  using Exploration = OrDefault<exploration_fits, GivenExploration, operators::EpsilonGreedy>;

  using GivenInitializer = PartFor<roles::Initializer, nn::PyTorchDefault, Parts...>;
  static constexpr bool initializer_fits = nn::InitializerPart<GivenInitializer, Scalar>;
  using Initializer = OrDefault<initializer_fits, GivenInitializer, nn::PyTorchDefault>;

  using GivenTarget = PartFor<roles::TargetNetwork, TargetNetwork<Net>, Parts...>;
  static constexpr bool target_fits = TargetNetworkPart<GivenTarget>;
  using FittingTarget = OrDefault<target_fits, GivenTarget, TargetNetwork<Net>>;

  using GivenTracking = PartFor<roles::Tracking, PeriodicCopy, Parts...>;
  static constexpr bool tracking_fits =
      TrackingPart<GivenTracking, value::Learner<Net, decltype(FittingTarget::network), Head, Optimizer, Replay>>;
  using Tracking = OrDefault<tracking_fits, GivenTracking, PeriodicCopy>;

  using Target = OrDefault<tracking_fits, FittingTarget, TargetNetwork<Net>>;  // the default tracking follows no other
  using TargetNet = decltype(Target::network);
  using Learner = value::Learner<Net, TargetNet, Head, Optimizer, Replay>;

  using GivenPull = PartFor<roles::Pull, NoPull, Parts...>;
  static constexpr bool pull_fits = PullPart<GivenPull, Learner>;
  using Pull = OrDefault<pull_fits, GivenPull, NoPull>;

  template <class P>
  static constexpr bool moments_fit = [] {
    if constexpr (!Fills<P, roles::Replay>) return value::moments_fit<P, StateOf<P, Scalar>, Learner>();
    else if constexpr (replay_fits) return value::moments_fit<P, typename P::template State<Scalar, Action>, Learner>();
    else return true;
  }();
  template <class P>
  static constexpr bool hook_fits =
      !Fills<P, roles::Hook> || !moments_fit<P> || ActsAtAMoment<P, StateOf<P, Scalar>, Learner>;

  /// Says in words what is wrong with the parts. A function, since Clang gives up a class in which an assertion fails.
  static consteval bool check() {
    CheckRoles<roles::Backup, roles::Tracking, roles::Pull, roles::Exploration, roles::Replay, roles::Head,
               roles::Optimizer, roles::Initializer, roles::TargetNetwork, roles::Hook>::template of<Parts...>();
    static_assert(backup_fits,
                  "mellow: the part for roles::Backup does not fit: it needs operator()(q) const or "
                  "operator()(target_q, online_q) const -> value");
    static_assert(
        std::same_as<StateOf<Backup, Scalar>, NoState>,
        "mellow: the part for roles::Backup has a State, but a backup is a function of values alone: keep what "
        "changes in a part for roles::Hook");
    static_assert(head_fits,
                  "mellow: the part for roles::Head does not fit this backup (a head of distributions needs one that "
                  "selects an action, as Max and DoubleQ do) or lacks greedy, random, values, targets or evaluate "
                  "(HeadPart in value/dqn_parts.hpp)");
    static_assert(optimizer_fits,
                  "mellow: the part for roles::Optimizer does not fit: it needs State<Scalar> with "
                  "reset(nn::ParameterLayout), "
                  "step(state, theta, gradient) const and learning_rate");
    static_assert(replay_fits,
                  "mellow: the part for roles::Replay does not fit: it needs State<Scalar, Action>, "
                  "make_state(features), push(state, transition) and sample(state, batch, rng)");
    static_assert(exploration_fits,
                  "mellow: the part for roles::Exploration does not fit: it needs choose(choice, step, rng) const -> "
                  "action (with its state first if it has one)");
    static_assert(initializer_fits,
                  "mellow: the part for roles::Initializer does not fit: it needs fill<Scalar>(segment, values, rng) "
                  "const, or theta of the network's scalar type");
    static_assert(
        tracking_fits,
        "mellow: the part for roles::Tracking does not fit: it needs update(learner, rng) const -> bool (with its "
        "state first if it has one); PeriodicCopy and Polyak need a target network of the online one's type, Replicate "
        "a head with distance(outputs, wanted, actions, d_outputs) const");
    static_assert(target_fits,
                  "mellow: the part for roles::TargetNetwork does not fit: it needs a member `network` that is a "
                  "mellow::Network (wrap yours in value::TargetNetwork)");
    static_assert(pull_fits,
                  "mellow: the part for roles::Pull does not fit: it needs pull(learner, rng) const (with its state "
                  "first if it has one); Proximal needs a target network of the online one's type");
    static_assert(
        (moments_fit<Parts> && ...),
        "mellow: a part's after_sample, before_step, after_step or after_target_change would never be called: "
        "it must take (learner, rng), after its state if it has one, and be const");
    static_assert((hook_fits<Parts> && ...),
                  "mellow: a part for roles::Hook acts at no moment: it needs after_sample, before_step, after_step or "
                  "after_target_change(learner, rng) const");
    (ask<Parts>(), ...);
    return true;
  }

  /// Lets a part say in words what it needs of the others: `check<Learner>()`, if it has one.
  template <class P>
  static consteval void ask() {
    if constexpr (requires { P::template check<Learner>(); }) P::template check<Learner>();
  }

  /// The part for Role among those given, or its default where none was given or the given one does not fit.
  template <class Role, class Wanted>
  static Wanted take(const Parts&... parts) {
    return take_part<Role, Wanted>(parts...);
  }

  /// The target network by the same rule; its default is a copy of the online one.
  static TargetNet take_target(const Net& network, const Parts&... parts) {
    const auto chosen = choose_part<roles::TargetNetwork>(TargetNetwork<Net>{network}, parts...);
    if constexpr (std::same_as<std::remove_cvref_t<decltype(chosen)>, Target>) return chosen.network;
    else return network;
  }
};

}  // namespace mellow::value

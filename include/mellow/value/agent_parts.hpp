// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <concepts>
#include <tuple>
#include <type_traits>
#include <utility>

#include <mellow/core/parts.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/value/dqn_types.hpp>

namespace mellow::value {

namespace detail {
/// A tuple of the hooks among the parts, each with its state.
template <class Scalar, class... Parts>
using HeldHooks = decltype(std::apply(
    [](const auto&... hook) { return std::tuple<HeldPart<std::remove_cvref_t<decltype(hook)>, Scalar>...>(); },
    all_parts<roles::Hook>(std::declval<const Parts&>()...)));
}  // namespace detail

/// The parts of a deep Q agent that do not belong to its learner, each with what it changes during a run.
template <class Net, class... Parts>
struct AgentParts {
  using Types = DqnTypes<Net, Parts...>;    ///< of all parts
  using Learner = typename Types::Learner;  ///< what they act on
  using Scalar = typename Learner::Scalar;  ///< of parameters and values
  template <class Part>
  using Held = HeldPart<Part, Scalar>;  ///< a part with its state
  /// Those for roles::Hook, in the order in which they were given.
  using Hooks = detail::HeldHooks<Scalar, Parts...>;

  [[no_unique_address]] typename Types::Backup backup;  ///< which has no state
  Held<typename Types::Exploration> exploration;        ///< how actions are tried
  Held<typename Types::Tracking> tracking;              ///< how the target follows
  Held<typename Types::Pull> pull;                      ///< what draws parameters to the target's
  Hooks hooks;                                          ///< what else acts at moments

  /// Takes those that were given, and defaults for the others.
  explicit AgentParts(const Parts&... parts)
      : backup(Types::template take<roles::Backup, typename Types::Backup>(parts...)),
        exploration{Types::template take<roles::Exploration, typename Types::Exploration>(parts...)},
        tracking{Types::template take<roles::Tracking, typename Types::Tracking>(parts...)},
        pull{Types::template take<roles::Pull, typename Types::Pull>(parts...)},
        hooks(std::apply(
            [](const auto&... hook) { return std::tuple(Held<std::remove_cvref_t<decltype(hook)>>{hook}...); },
            all_parts<roles::Hook>(parts...))) {}

  /// Lets tracking, pull and hooks see the learner that they are to act on. Throws Error where one does not fit it.
  void begin(const Learner& learner) {
    tracking.begin(learner);
    pull.begin(learner);
    std::apply([&](auto&... hook) { (hook.begin(learner), ...); }, hooks);
  }

  /// Calls whatever acts at a moment, the learner's own parts too.
  template <class Moment>
  void at(const Moment& moment, Learner& learner, Rng& rng) {
    const auto tell = [&](const auto& part, auto& state) {
      if constexpr (CallableForPart<Moment, std::remove_cvref_t<decltype(part)>,
                                    std::remove_reference_t<decltype(state)>, Learner&, Rng&>)
        call_part(moment, part, state, learner, rng);
    };
    NoState none;
    tell(backup, none);
    tell(exploration.part, exploration.state);
    tell(learner.replay, learner.replay_state);
    tell(learner.head, learner.head_state);
    tell(learner.optimizer, learner.optimizer_state);
    tell(pull.part, pull.state);
    tell(tracking.part, tracking.state);
    std::apply([&](auto&... hook) { (tell(hook.part, hook.state), ...); }, hooks);
  }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("exploration", self.exploration.state);
    visit("tracking", self.tracking.state);
    visit("pull", self.pull.state);
    std::apply([&, index = 0](auto&... hook) mutable { (visit(fmt::format("hook{}", index++), hook.state), ...); },
               self.hooks);
  }
};

}  // namespace mellow::value

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <type_traits>

#include <mellow/core/network.hpp>
#include <mellow/core/parts.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/core/state.hpp>
#include <mellow/data/batch.hpp>
#include <mellow/data/transition.hpp>
#include <mellow/value/backups.hpp>

namespace mellow::value {

/// How often what happened.
struct Counters {
  Index steps = 0;           ///< transitions observed
  Index updates = 0;         ///< gradient steps
  Index target_changes = 0;  ///< times that the tracking part changed the target

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("steps", self.steps);
    visit("updates", self.updates);
    visit("target_changes", self.target_changes);
  }
};

/// Everything of a deep Q agent that its parts may see and change.
template <class Net, class TargetNet, class Head, class Optimizer, class Replay>
struct Learner {
  using Scalar = typename Net::Scalar;   ///< of parameters and values
  using Action = typename Head::Action;  ///< what the head chooses

  Net network;                                                   ///< the online one
  TargetNet target_network;                                      ///< the one that targets are made by
  Vector<Scalar> online;                                         ///< parameters of `network`
  Vector<Scalar> target;                                         ///< parameters of `target_network`
  Vector<Scalar> gradient;                                       ///< of the loss in `online`
  Head head;                                                     ///< what the outputs mean
  typename Head::template State<Scalar> head_state;              ///< and what it changes
  Optimizer optimizer;                                           ///< how parameters move
  typename Optimizer::template State<Scalar> optimizer_state;    ///< and what it changes
  Replay replay;                                                 ///< what is remembered
  typename Replay::template State<Scalar, Action> replay_state;  ///< and what it changes: the transitions
  data::Batch<Scalar, Action> batch;                             ///< what the present update learns from
  Matrix<Scalar> d_outputs;              ///< outputs x batch: of the loss in the online network's outputs
  Counters counters;                     ///< how often what happened
  typename Net::Tape tape;               ///< of the online network's training pass
  typename TargetNet::Tape target_tape;  ///< of the target network

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("online", self.online);
    visit("target", self.target);
    visit("head", self.head_state);
    visit("optimizer", self.optimizer_state);
    visit("replay", self.replay_state);
    visit("counters", self.counters);
  }
};

/// The moments at which a part may act on the learner: any part but an initialiser and a target network may have any of
/// these functions, with exactly these arguments; `state` is left out by one without state:
///
///     template <class Learner> void before_step(State<Scalar>& state, Learner& learner, Rng& rng) const;
namespace moments {
/// In each update, when the batch is drawn, before targets are made from it.
inline constexpr auto after_sample = [](const auto& part, auto&&... a) -> decltype(part.after_sample(a...)) {
  return part.after_sample(a...);
};
/// In each update, when the gradient is there and the parameters have not moved yet.
inline constexpr auto before_step = [](const auto& part, auto&&... a) -> decltype(part.before_step(a...)) {
  return part.before_step(a...);
};
/// In each update, when the parameters have moved.
inline constexpr auto after_step = [](const auto& part, auto&&... a) -> decltype(part.after_step(a...)) {
  return part.after_step(a...);
};
/// When the tracking part has changed the target.
inline constexpr auto after_target_change = [](const auto& part,
                                               auto&&... a) -> decltype(part.after_target_change(a...)) {
  return part.after_target_change(a...);
};
}  // namespace moments

namespace detail {
/// The moments' names. A class that derives from it and from a part finds a name twice, and so none, where the part has
/// a member of that name, whatever its kind and arguments.
struct MomentNames {
  int after_sample, before_step, after_step, after_target_change;
};
template <class Part>
struct NamedTwice : Part, MomentNames {};

template <class Part>
concept NamesAfterSample = !std::is_final_v<Part> && !requires { &NamedTwice<Part>::after_sample; };
template <class Part>
concept NamesBeforeStep = !std::is_final_v<Part> && !requires { &NamedTwice<Part>::before_step; };
template <class Part>
concept NamesAfterStep = !std::is_final_v<Part> && !requires { &NamedTwice<Part>::after_step; };
template <class Part>
concept NamesAfterTargetChange = !std::is_final_v<Part> && !requires { &NamedTwice<Part>::after_target_change; };
}  // namespace detail

/// Whether what a part names like a moment can be called then; with other arguments it never would be.
template <class Part, class State, class Learner>
consteval bool moments_fit() {
  const auto fits = [](bool named, bool callable) { return !named || callable; };
  return fits(detail::NamesAfterSample<Part>,
              CallableForPart<decltype(moments::after_sample), Part, State, Learner&, Rng&>) &&
         fits(detail::NamesBeforeStep<Part>,
              CallableForPart<decltype(moments::before_step), Part, State, Learner&, Rng&>) &&
         fits(detail::NamesAfterStep<Part>,
              CallableForPart<decltype(moments::after_step), Part, State, Learner&, Rng&>) &&
         fits(detail::NamesAfterTargetChange<Part>,
              CallableForPart<decltype(moments::after_target_change), Part, State, Learner&, Rng&>);
}

/// Whether a part acts at any moment.
template <class Part, class State, class Learner>
concept ActsAtAMoment = CallableForPart<decltype(moments::after_sample), Part, State, Learner&, Rng&> ||
                        CallableForPart<decltype(moments::before_step), Part, State, Learner&, Rng&> ||
                        CallableForPart<decltype(moments::after_step), Part, State, Learner&, Rng&> ||
                        CallableForPart<decltype(moments::after_target_change), Part, State, Learner&, Rng&>;

}  // namespace mellow::value

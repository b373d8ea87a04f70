// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>

#include <mellow/core/parts.hpp>
#include <mellow/core/spaces.hpp>
#include <mellow/data/uniform_replay.hpp>
#include <mellow/nn/adam.hpp>
#include <mellow/nn/initializers.hpp>
#include <mellow/nn/parts.hpp>
#include <mellow/operators/epsilon_greedy.hpp>
#include <mellow/operators/exploration.hpp>
#include <mellow/operators/max.hpp>
#include <mellow/value/learner.hpp>
#include <mellow/value/scalar_head.hpp>
#include <mellow/value/tracking.hpp>

/// What the deep Q family asks of the parts that fill its roles, besides operators::ExplorationPart,
/// nn::OptimizerPart and nn::InitializerPart. `Dqn` checks these and says in words what does not fit.
namespace mellow::value {

/// Leaves the online parameters to the optimiser.
struct NoPull {
  using role = roles::Pull;
};

/// A part and what it changes during a run.
template <class Part, class Scalar>
struct HeldPart {
  Part part;                      ///< as given
  StateOf<Part, Scalar> state{};  ///< what it changes

  /// Asks the part, if it knows how to: `require_fits(learner)` throws Error where it does not fit the other parts,
  /// `make_state(learner)` gives a state that is sized for them. Called once, when the agent is built.
  template <class Learner>
  void begin(const Learner& learner) {
    if constexpr (requires { part.require_fits(learner); }) part.require_fits(learner);
    if constexpr (requires { state = part.make_state(learner); }) state = part.make_state(learner);
  }
};

/// A target network of another type or shape than the online one; it needs a tracking part that knows how to follow.
template <Network Net>
struct TargetNetwork {
  using role = roles::TargetNetwork;
  /// Its shapes; its parameters are the learner's `target`.
  Net network;
};
/// `TargetNetwork{network}` knows its type.
template <Network Net>
TargetNetwork(Net) -> TargetNetwork<Net>;

namespace calls {
/// Of a tracking part.
inline constexpr auto update = [](const auto& part, auto&&... a) -> decltype(part.update(a...)) {
  return part.update(a...);
};
/// Of a pull.
inline constexpr auto pull = [](const auto& part, auto&&... a) -> decltype(part.pull(a...)) { return part.pull(a...); };
/// Of an exploration part.
using operators::calls::choose;
}  // namespace calls

/// Replay: `State<Scalar, Action>` from `make_state(features)`, `push(state, transition)`, `sample(state, batch, rng)`.
template <class P, class Scalar, class Action>
concept ReplayPart = requires(const P part, typename P::template State<Scalar, Action> state,
                              const Transition<Action> transition, data::Batch<Scalar, Action> batch, Rng rng) {
  { part.template make_state<Scalar, Action>(Index{}) } -> std::same_as<typename P::template State<Scalar, Action>>;
  part.push(state, transition);
  part.sample(state, batch, rng);
};

/// Head: the meaning of the network's outputs. `greedy(outputs)`, `random(count, rng)` -> Action; `values(outputs)`;
/// `require_fits(outputs, space)`; `targets(state, backup, batch, target_next, online_next)`;
/// `evaluate(state, batch, outputs, d_outputs)` -> loss. A head of discrete actions with several outputs an action also
/// has `actions(outputs)`, how many there are. One that `Replicate` is to follow has
/// `distance(outputs, wanted, actions, d_outputs)`.
template <class P, class Scalar, class B>
concept HeadPart = requires(const P part, typename P::template State<Scalar> state, const B backup,
                            const Matrix<Scalar> outputs, const Vector<Scalar> column, MatrixRef<Scalar> d_outputs,
                            data::Batch<Scalar, typename P::Action> batch, Rng rng) {
  { part.greedy(column) } -> std::convertible_to<typename P::Action>;
  { part.random(Index{}, rng) } -> std::convertible_to<typename P::Action>;
  part.values(outputs);
  part.template targets<Scalar>(state, backup, batch, outputs, outputs);
  { part.template evaluate<Scalar>(state, batch, outputs, d_outputs) } -> std::convertible_to<Scalar>;
};

/// Target network: a wrapper like `TargetNetwork`, whose member `network` is one.
template <class P>
concept TargetNetworkPart = Network<decltype(P::network)>;

/// Tracking: `update(state, learner, rng)` -> whether the target changed. Tracking, pull and hooks may also have
/// `require_fits(learner)` and `make_state(learner)`, which are called when the agent is built.
template <class P, class Learner>
concept TrackingPart =
    ReturnsForPart<bool, decltype(calls::update), P, StateOf<P, typename Learner::Scalar>, Learner&, Rng&>;

/// Pull: `pull(state, learner, rng)`, between gradient and step.
template <class P, class Learner>
concept PullPart = std::same_as<P, NoPull> ||
                   CallableForPart<decltype(calls::pull), P, StateOf<P, typename Learner::Scalar>, Learner&, Rng&>;

}  // namespace mellow::value

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>
#include <tuple>

#include <mellow/core/memory.hpp>
#include <mellow/nn/clip.hpp>
#include <mellow/operators/mask.hpp>
#include <mellow/value/acting_pass.hpp>
#include <mellow/value/agent_parts.hpp>
#include <mellow/value/dqn_options.hpp>
#include <mellow/value/dqn_types.hpp>
#include <mellow/value/learned.hpp>

namespace mellow::value {

/// Deep Q-learning (Mnih et al. 2015) with exchangeable parts, given in any order; each has a default that learns
/// CartPole.
///
/// Backup (`Max`), tracking (`PeriodicCopy`), pull (none), exploration (`EpsilonGreedy`), replay (`UniformReplay`),
/// head (`ScalarHead`), optimiser (`Adam`), initialiser (`PyTorchDefault`), target network (a copy of the online one),
/// and any number of hooks.
template <Network Net, class... Parts>
class Dqn {
  using Types = DqnTypes<Net, Parts...>;
  static_assert(Types::check());

 public:
  /// Of parameters and values.
  using Scalar = typename Net::Scalar;
  /// What its parts see.
  using Learner = typename Types::Learner;
  /// What the head chooses.
  using Action = typename Types::Action;

  /// Initialises the online network with `options.seed`; the target starts equal to it. Throws Error for numbers out of
  /// range.
  explicit Dqn(Net network, DqnOptions options = {}, const Parts&... parts);
  /// The same with default options.
  template <class First, class... Others>
    requires std::same_as<std::tuple<First, Others...>, std::tuple<Parts...>>
  explicit Dqn(Net network, const First& first, const Others&... others)
      : Dqn(std::move(network), DqnOptions{}, first, others...) {}

  /// An action for learning, one that the mask allows: explores as the exploration part says, on values with fresh noise
  /// where the network has any.
  Action act(const ConstVectorRef<float>& observation, Rng& rng, ActionMask mask = {}) {
    draw_noise(learner_.network, acting_.tape(), rng);
    Choice choice{*this, observation, mask};
    auto& [exploration, state] = parts_.exploration;
    return call_part(calls::choose, exploration, state, choice, learner_.counters.steps, rng);
  }

  /// The best action by the online network among those that the mask allows, without noise.
  Action greedy(const ConstVectorRef<float>& observation, ActionMask mask = {}) {
    silence(learner_.network, acting_.tape());
    return best(observation, mask);
  }

  /// Remembers a transition and learns when it is due; says what the last of its updates found, if there was one.
  ///
  /// Throws Error for observations or an action that the network does not fit.
  std::optional<Learned> observe(const Transition<Action>& transition, Rng& rng) {
    acting_.require_input(network(), transition.observation.size());
    acting_.require_input(network(), transition.next_observation.size());
    acting_.require_action(network(), learner_.head, transition.action);
    learner_.replay.push(learner_.replay_state, transition);
    const Index steps = ++learner_.counters.steps;
    if (steps < options_.learning_starts || steps % options_.update_every != 0) return std::nullopt;
    for (Index i = 1; i < options_.updates; ++i) learn(rng);
    return learn(rng);
  }

  /// One update on a batch from the replay. Throws Error for an empty replay or a loss that is not finite.
  Learned learn(Rng& rng) {
    Learner& l = learner_;
    l.replay.sample(l.replay_state, l.batch, rng);
    parts_.at(moments::after_sample, l, rng);
    draw_noise(l.target_network, l.target_tape, rng);
    const auto& target_next = l.target_network.forward(l.target, l.batch.next_observations, l.target_tape);
    const auto& online_next = online_next_outputs(target_next, rng);
    l.head.template targets<Scalar>(l.head_state, parts_.backup, l.batch, target_next, online_next);
    draw_noise(l.network, l.tape, rng);
    const auto& outputs = l.network.forward(l.online, l.batch.observations, l.tape);
    const double loss = l.head.template evaluate<Scalar>(l.head_state, l.batch, outputs, l.d_outputs);
    if (!std::isfinite(loss))
      throw Error("value::Dqn", fmt::format("the loss of update {} is not finite", l.counters.updates + 1), loss);
    Learned learned{.loss = loss, .mean_value = l.head.values(outputs).mean()};
    l.gradient.setZero();
    l.network.backward(l.online, l.tape, l.d_outputs, l.gradient);
    learned.gradient_norm = nn::clip_norm<Scalar>(l.gradient, static_cast<Scalar>(options_.max_gradient_norm));
    if (!std::isfinite(learned.gradient_norm))
      throw Error("value::Dqn", fmt::format("the gradient of update {} is not finite", l.counters.updates + 1),
                  learned.gradient_norm);
    parts_.at(moments::before_step, l, rng);
    if constexpr (!std::same_as<typename Types::Pull, NoPull>)
      call_part(calls::pull, parts_.pull.part, parts_.pull.state, l, rng);
    l.optimizer.step(l.optimizer_state, l.online, l.gradient);
    ++l.counters.updates;
    parts_.at(moments::after_step, l, rng);
    if (call_part(calls::update, parts_.tracking.part, parts_.tracking.state, l, rng)) {
      ++l.counters.target_changes;
      parts_.at(moments::after_target_change, l, rng);
    }
    return learned;
  }

  /// Throws Error where the network does not fit an environment's spaces.
  template <class ObservationSpace, class ActionSpace>
  void require_fits(const ObservationSpace& observations, const ActionSpace& actions) const;

  const Net& network() const { return learner_.network; }  ///< the online network's shapes
  const DqnOptions& options() const { return options_; }   ///< as given
  /// @{
  /// Everything that its parts see and change.
  const Learner& learner() const { return learner_; }
  Learner& learner() { return learner_; }
  /// @}
  const Vector<Scalar>& parameters() const { return learner_.online; }  ///< the online network's
  /// Sets the online parameters; the target is left as it is.
  void set_parameters(const ConstVectorRef<Scalar>& theta) {
    require(theta.size() == learner_.online.size(), "value::Dqn",
            fmt::format("the network has {} parameters", learner_.online.size()), theta.size());
    learner_.online = theta;
  }

  /// What a hook, the only one of its type, changes during the run: `agent.state<value::ResetOptimizer>().resets`.
  template <class Hook>
  const StateOf<Hook, Scalar>& state() const {
    constexpr bool given_once = Fills<Hook, roles::Hook> && (std::same_as<Hook, Parts> + ... + 0) == 1;
    static_assert(given_once, "mellow: state<Hook>() needs the type of a hook of this agent that was given once");
    if constexpr (given_once) return std::get<HeldPart<Hook, Scalar>>(parts_.hooks).state;
  }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("learner", self.learner_);
    AgentParts<Net, Parts...>::visit_state(self.parts_, visit);
  }

 private:
  /// The present choice as exploration sees it; the network runs only if it is asked.
  struct Choice {
    Dqn& agent;
    const ConstVectorRef<float>& observation;
    ActionMask mask;
    Action greedy() { return agent.best(observation, mask); }
    Action random(Rng& rng) { return agent.acting_.random(agent.network(), agent.learner_.head, mask, rng); }
    auto values() {
      const Learner& l = agent.learner_;
      return agent.acting_.values(l.network, l.online, l.head, observation, mask);
    }
    Action action(Index i) const { return operators::nth_allowed(mask, i); }
  };

  Action best(const ConstVectorRef<float>& observation, ActionMask mask) {
    return acting_.best(learner_.network, learner_.online, learner_.head, observation, mask);
  }

  template <class TargetOutputs>
  decltype(auto) online_next_outputs(const TargetOutputs& target_next, Rng& rng) {
    const auto online_next = [&]() -> decltype(auto) {
      draw_noise(learner_.network, online_next_tape_, rng);
      return learner_.network.forward(learner_.online, learner_.batch.next_observations, online_next_tape_);
    };
    if constexpr (!OnlineBackup<typename Types::Backup, Scalar>) return (target_next);  // not looked at
    else if constexpr (requires { parts_.backup.wants_online(); }) {
      using Outputs = std::remove_cvref_t<decltype(online_next())>;
      return parts_.backup.wants_online() ? Outputs(online_next()) : Outputs(target_next);
    } else return online_next();
  }

  DqnOptions options_;
  Learner learner_;
  AgentParts<Net, Parts...> parts_;
  detail::ActingPass<Net> acting_{"value::Dqn"};
  typename Net::Tape online_next_tape_;
};

/// Deduces the parts where there are no options.
template <Network Net, class First, class... Others>
  requires(!std::same_as<First, DqnOptions>)
Dqn(Net, First, Others...) -> Dqn<Net, First, Others...>;

template <Network Net, class... Parts>
Dqn<Net, Parts...>::Dqn(Net network, DqnOptions options, const Parts&... parts)
    : options_(options),
      learner_{.network = network,
               .target_network = Types::take_target(network, parts...),
               .online = {},
               .target = {},
               .gradient = {},
               .head = Types::template take<roles::Head, typename Types::Head>(parts...),
               .head_state = {},
               .optimizer = Types::template take<roles::Optimizer, typename Types::Optimizer>(parts...),
               .optimizer_state = {},
               .replay = Types::template take<roles::Replay, typename Types::Replay>(parts...),
               .replay_state = {},
               .batch = {},
               .d_outputs = {},
               .counters = {},
               .tape = {},
               .target_tape = {}},
      parts_(parts...) {
  options_.validate();
  (validate_part(parts), ...);
  Learner& l = learner_;
  Rng rng(options_.seed);
  l.online =
      nn::initialize(l.network, rng, Types::template take<roles::Initializer, typename Types::Initializer>(parts...));
  l.gradient.setZero(l.online.size());
  if constexpr (std::same_as<Net, typename Types::TargetNet>) l.target = l.online;
  if (l.target.size() != l.target_network.parameters()) l.target = nn::initialize(l.target_network, rng);
  if (l.target_network.inputs() != l.network.inputs())
    throw Error("value::Dqn",
                fmt::format("the target network must take {} inputs as the online one does", l.network.inputs()),
                l.target_network.inputs());
  l.optimizer_state.reset(l.network);
  l.replay_state = l.replay.template make_state<Scalar, Action>(l.network.inputs());
  within_memory("value::Dqn", "batches of this size do not fit into memory", options_.batch_size, [&] {
    l.batch.resize(l.network.inputs(), options_.batch_size);
    l.d_outputs.resize(l.network.outputs(), options_.batch_size);
  });
  l.batch.discount = static_cast<Scalar>(options_.discount);
  parts_.begin(l);
}

template <Network Net, class... Parts>
template <class ObservationSpace, class ActionSpace>
void Dqn<Net, Parts...>::require_fits(const ObservationSpace& observations, const ActionSpace& actions) const {
  static_assert(std::same_as<ObservationSpace, Box>, "mellow: Dqn needs observations that are vectors (mellow::Box)");
  if (observations.size() != network().inputs())
    throw Error(
        "value::Dqn",
        fmt::format("the network needs {} inputs, one a number of the environment's observation", observations.size()),
        network().inputs());
  static_assert(
      requires { learner_.head.require_fits(network().outputs(), actions); },
      "mellow: the head of this Dqn does not know the environment's actions (ScalarHead needs mellow::Discrete)");
  learner_.head.require_fits(network().outputs(), actions);
}

}  // namespace mellow::value

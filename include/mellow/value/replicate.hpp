// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <span>

#include <mellow/core/error.hpp>
#include <mellow/core/network.hpp>
#include <mellow/core/parts.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/core/types.hpp>
#include <mellow/data/batch.hpp>
#include <mellow/nn/adam.hpp>
#include <mellow/nn/parts.hpp>

namespace mellow::value {

/// Tracking in function space, the Replicate step of Lookahead-Replicate (Asadi et al. 2024): after every K_L updates of
/// the online network (Lookahead) the target network takes K_R gradient steps towards the online network's values,
///
///     theta <- theta - optimiser's step of  d/d theta  mean over batch and actions of  distance(v_theta, v_w),
///
/// each on a fresh batch of the replay, while the online parameters w rest. Values become equal, parameters need not:
/// the networks may be of different types (`TargetNetwork{...}`), with the same outputs. What the distance is, the head
/// says: cross-entropy of distributions, squared difference of values. Rewards and next states play no part.
///
/// What the paper leaves open: the target begins as a copy where the networks are of one shape; the optimiser's state is
/// kept from one Replicate to the next; batches come from the agent's own replay, without importance weights and without
/// a change of priorities (but a prioritised replay counts them among the batches drawn, the clock of its beta). The
/// agent's bound on the length of gradients is for the online network's alone. The online network's noise is silent in
/// what is learned from, the target network's is drawn. Choose `steps` by how far values move meanwhile: steps times
/// learning rate must be able to follow them.
template <nn::OptimizerPart<float> Optimizer = nn::Adam>
struct Replicate {
  using role = roles::Tracking;

  Index every = 250;        ///< K_L, updates of the online network in between, > 0
  Index steps = 25;         ///< K_R, gradient steps each time, > 0; a tenth of `every` in the paper
  bool all_actions = true;  ///< learn all actions of the states drawn, the paper's better variant, not only those taken
  Optimizer optimizer{};    ///< of the target network; the paper takes the online network's settings

  /// What it changes during a run.
  template <class Scalar>
  struct State {
    typename Optimizer::template State<Scalar> optimizer;  ///< of the target network
    /// @{
    /// Rewritten in every step: what is learned from, and gradients in the target network's outputs and parameters.
    data::Batch<Scalar> batch;
    Matrix<Scalar> d_outputs;
    Vector<Scalar> gradient;
    /// @}

    template <class Self, class Visit>
    static void visit_state(Self& self, Visit&& visit) {
      visit("optimizer", self.optimizer);
    }
  };

  /// Throws Error for a number out of range.
  void validate() const {
    require(every > 0, "value::Replicate", "every must be positive", every);
    require(steps > 0, "value::Replicate", "steps must be positive", steps);
    validate_part(optimizer);
  }

  /// Throws Error where the networks differ in their number of outputs.
  template <class Learner>
  void require_fits(const Learner& learner) const {
    if (learner.target_network.outputs() != learner.network.outputs())
      throw Error(
          "value::Replicate",
          fmt::format("the target network must have {} outputs as the online one has", learner.network.outputs()),
          learner.target_network.outputs());
  }

  /// A state for batches like the learner's.
  template <class Learner>
  auto make_state(const Learner& learner) const {
    State<typename Learner::Scalar> state;
    state.optimizer.reset(learner.target_network);
    state.batch.resize(learner.network.inputs(), learner.batch.size());
    state.batch.discount = learner.batch.discount;
    state.d_outputs.resize(learner.target_network.outputs(), learner.batch.size());
    state.gradient.resize(learner.target_network.parameters());
    return state;
  }

  /// Called after every update; says whether the target changed. Throws Error for a loss that is not finite.
  template <class Scalar, class Learner>
    requires std::same_as<typename Learner::Action, Index> && requires(const Learner& l, Matrix<Scalar>& m) {
      { l.head.template distance<Scalar>(m, m, std::span<const Index>(), m) } -> std::convertible_to<double>;
    }
  bool update(State<Scalar>& state, Learner& learner, Rng& rng) const {
    if (learner.counters.updates % every != 0) return false;
    for (Index i = 0; i < steps; ++i) step(state, learner, rng);
    return true;
  }

 private:
  template <class Scalar, class Learner>
  void step(State<Scalar>& state, Learner& l, Rng& rng) const {
    l.replay.sample(l.replay_state, state.batch, rng);
    silence(l.network, l.tape);
    draw_noise(l.target_network, l.target_tape, rng);
    const auto& wanted = l.network.forward(l.online, state.batch.observations, l.tape);
    const auto& outputs = l.target_network.forward(l.target, state.batch.observations, l.target_tape);
    const std::span<const Index> taken(state.batch.actions.data(), static_cast<std::size_t>(state.batch.size()));
    const double loss = l.head.template distance<Scalar>(
        outputs, wanted, all_actions ? std::span<const Index>() : taken, state.d_outputs);
    if (!std::isfinite(loss))
      throw Error("value::Replicate", fmt::format("the loss after {} updates is not finite", l.counters.updates), loss);
    state.gradient.setZero();
    l.target_network.backward(l.target, l.target_tape, state.d_outputs, state.gradient);
    optimizer.step(state.optimizer, l.target, state.gradient);
  }
};

}  // namespace mellow::value

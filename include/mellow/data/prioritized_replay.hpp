// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <mellow/core/parts.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/core/schedule.hpp>
#include <mellow/data/ring.hpp>
#include <mellow/data/sum_tree.hpp>

namespace mellow::data {

/// Proportional prioritised replay (Schaul et al. 2016): transition i is drawn with probability P(i) = p_i^alpha /
/// sum_k p_k^alpha, where p_i = |TD error| + epsilon when it was last learned from, and the largest so far while it is
/// new.
///
/// A batch of k is stratified: one draw from each k-th of the sum. Its weights (N P(i))^-beta, divided by their
/// maximum, take the bias out as beta tends to 1. Prefer it to `UniformReplay` where few transitions carry the news.
template <class Storage>
struct PrioritizedReplayOf {
  using role = roles::Replay;

  Index capacity = 50'000;                   ///< observations kept, more than `stack`
  double alpha = 0.6;                        ///< how much errors count, in [0, 1]; 0 is uniform
  Schedule beta = linear(0.4, 1.0, 50'000);  ///< how much of the bias is taken out, in [0, 1], by batches drawn
  double epsilon = 1e-6;                     ///< > 0: what has no error is still drawn at times
  Index steps = 1;                           ///< rewards summed before the bootstrap, > 0; fewer where an episode ends
  Index stack = 1;                           ///< frames of an observation, stored once each, > 0

  /// What the agent owns.
  template <class Scalar, class Action = Index>
  struct State {
    Ring<Storage, Scalar, Action> ring;  ///< the transitions
    SumTree priorities;                  ///< p^alpha of the transition that starts at each place, 0 where none does
    double largest = 1.0;                ///< largest p^alpha so far
    Index batches = 0;                   ///< drawn so far: beta's clock
    Vector<double> numbers;              ///< of a batch, while it is made

    template <class Self, class Visit>
    static void visit_state(Self& self, Visit&& visit) {
      visit("ring", self.ring);
      visit("priorities", self.priorities);
      visit("largest", self.largest);
      visit("batches", self.batches);
    }
  };

  /// Throws Error for a number out of range.
  void validate() const {
    constexpr auto where = "data::PrioritizedReplay";
    require_places(where, capacity, stack, steps);
    require(alpha >= 0 && alpha <= 1, where, "alpha must lie in [0, 1]", alpha);
    require(beta.minimum() >= 0, where, "beta must lie in [0, 1]", beta.minimum());
    require(beta.maximum() <= 1, where, "beta must lie in [0, 1]", beta.maximum());
    require(std::isfinite(epsilon) && epsilon > 0, where, "epsilon must be positive and finite", epsilon);
  }

  /// An empty replay for observations of `features` numbers.
  template <class Scalar, class Action = Index>
  State<Scalar, Action> make_state(Index features, Index action_size = 1) const {
    return {
        .ring = Ring<Storage, Scalar, Action>({capacity, features, stack, action_size}),
        .priorities = within_memory("data::PrioritizedReplay", "priorities of this many places do not fit into memory",
                                    capacity, [&] { return SumTree(capacity); }),
        .numbers = {}};
  }

  /// Remembers a transition at the largest priority so far.
  template <class Scalar, class Action>
  void push(State<Scalar, Action>& state, const Transition<Action>& transition) const {
    Index gone = state.ring.newest();
    state.priorities.set(state.ring.push(transition), state.largest);
    for (Index left = (state.ring.newest() - gone + capacity) % capacity + stack; left > 0; --left) {
      if (!state.ring.starts(gone) && state.priorities[gone] != 0) state.priorities.set(gone, 0.0);
      gone = state.ring.next(gone);
    }
  }

  /// Fills the batch with its weights. Throws Error where nothing was stored yet.
  template <class Scalar, class Action>
  void sample(State<Scalar, Action>& state, Batch<Scalar, Action>& batch, Rng& rng) const {
    state.ring.require_some("data::PrioritizedReplay");
    const double exponent = -beta(state.batches++), total = state.priorities.total();
    const double share = total / static_cast<double>(batch.size());
    state.numbers.resize(batch.size());
    for (Index i = 0; i < batch.size(); ++i) state.numbers[i] = (static_cast<double>(i) + rng.uniform()) * share;
    state.priorities.find(state.numbers, batch.indices);
    const double count = static_cast<double>(state.ring.size());
    for (Index i = 0; i < batch.size(); ++i) state.numbers[i] = count / total * state.priorities[batch.indices[i]];
    state.numbers = (exponent * state.numbers.array().log()).exp();
    batch.weights = state.numbers.template cast<Scalar>();
    batch.weights /= batch.weights.maxCoeff();
    state.ring.gather(batch, steps);
  }

  /// Sets the priorities of what was learned from by its TD errors, before anything else is pushed: places that no
  /// longer hold a transition are left alone, but a new transition at an old one's place would be taken for it.
  template <class Scalar, class Action>
  void set_priorities(State<Scalar, Action>& state, const Batch<Scalar, Action>& batch) const {
    state.numbers = (batch.errors.array().abs().template cast<double>() + epsilon).pow(alpha);
    for (Index i = 0; i < batch.size(); ++i)
      if (!state.ring.starts(batch.indices[i])) state.numbers[i] = 0.0;
    state.priorities.set(batch.indices, state.numbers);
    state.largest = std::max(state.largest, state.numbers.maxCoeff());
  }

  /// The moment at which an agent's errors become priorities.
  template <class Scalar, class Action, class Learner>
  void after_step(State<Scalar, Action>& state, Learner& learner, Rng&) const {
    set_priorities(state, learner.batch);
  }
};

using PrioritizedReplay = PrioritizedReplayOf<Float32>;     ///< numbers as they are
using PrioritizedUInt8Replay = PrioritizedReplayOf<UInt8>;  ///< a byte a number: pixels
using PrioritizedBitReplay = PrioritizedReplayOf<Bits>;     ///< a bit a number: zeros and ones

}  // namespace mellow::data

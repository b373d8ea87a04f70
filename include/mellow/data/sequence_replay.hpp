// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include <mellow/core/rng.hpp>
#include <mellow/data/ring.hpp>

namespace mellow::data {

/// Sequences of consecutive steps, for networks with memory: element t holds step t of every sequence, one a column. A
/// sequence that has ended before repeats its last step there with weight 0; the weights of the others are 1.
template <class Scalar, class Action = Index>
using SequenceBatch = std::vector<Batch<Scalar, Action>>;

/// Replay that draws sequences of `length` steps within an episode, each of which begins at any transition with equal
/// probability (Hausknecht & Stone 2015, bootstrapped random updates). Transitions come in the order of one
/// environment's steps, as for `UniformReplay`.
template <class Storage>
struct SequenceReplayOf {
  Index capacity = 50'000;  ///< observations kept, more than `stack`; the last one of an episode counts as well
  Index length = 8;         ///< steps of a sequence, > 0
  Index stack = 1;          ///< frames of an observation, stored once each, > 0

  /// What is remembered.
  template <class Scalar, class Action = Index>
  using State = Ring<Storage, Scalar, Action>;

  /// Throws Error for a number out of range.
  void validate() const {
    require(length > 0, "data::SequenceReplay", "length must be positive", length);
    require_places("data::SequenceReplay", capacity, stack);
  }

  /// An empty replay for observations of `features` numbers.
  template <class Scalar, class Action = Index>
  State<Scalar, Action> make_state(Index features, Index action_size = 1) const {
    return State<Scalar, Action>({capacity, features, stack, action_size});
  }

  /// Remembers a transition.
  template <class Scalar, class Action>
  void push(Ring<Storage, Scalar, Action>& ring, const Transition<Action>& transition) const {
    ring.push(transition);
  }

  /// Fills `length` batches of the size that the first of them has. Throws Error where nothing was stored yet.
  template <class Scalar, class Action>
  void sample(const Ring<Storage, Scalar, Action>& ring, SequenceBatch<Scalar, Action>& sequences, Rng& rng) const {
    ring.require_some("data::SequenceReplay");
    assert(!sequences.empty());
    sequences.resize(static_cast<std::size_t>(length), sequences.front());
    ring.draw(sequences.front().indices, rng);
    sequences.front().weights.setOnes();
    for (std::size_t t = 1; t < sequences.size(); ++t) {
      const Batch<Scalar, Action>& before = sequences[t - 1];
      for (Index i = 0; i < before.size(); ++i) {
        const bool goes_on = before.weights[i] != 0 && ring.continues(before.indices[i]);
        sequences[t].indices[i] = goes_on ? ring.next(before.indices[i]) : before.indices[i];
        sequences[t].weights[i] = goes_on ? Scalar(1) : Scalar(0);
      }
    }
    for (auto& batch : sequences) ring.gather(batch);
  }
};

using SequenceReplay = SequenceReplayOf<Float32>;     ///< numbers as they are
using UInt8SequenceReplay = SequenceReplayOf<UInt8>;  ///< a byte a number: pixels
using BitSequenceReplay = SequenceReplayOf<Bits>;     ///< a bit a number: zeros and ones

}  // namespace mellow::data

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/core/parts.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/data/ring.hpp>

namespace mellow::data {

/// Experience replay that draws uniformly, with replacement (Lin 1992; Mnih et al. 2015), and stores observations as
/// `Storage` says. Transitions come in the order of one environment's steps: where environments take turns each has a
/// replay of its own, since a step that does not go on where the last one ended begins an episode.
template <class Storage>
struct UniformReplayOf {
  using role = roles::Replay;

  Index capacity = 50'000;  ///< observations kept, more than `stack`; the last one of an episode counts as well
  Index steps = 1;          ///< rewards summed before the bootstrap (n-step returns), > 0; fewer where an episode ends
  Index stack = 1;          ///< frames of an observation (environments::FrameStack), stored once each, > 0

  /// What the agent owns.
  template <class Scalar, class Action = Index>
  using State = Ring<Storage, Scalar, Action>;

  /// Throws Error for a number out of range.
  void validate() const { require_places("data::UniformReplay", capacity, stack, steps); }

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

  /// Fills the batch. Throws Error where nothing was stored yet.
  template <class Scalar, class Action>
  void sample(const Ring<Storage, Scalar, Action>& ring, Batch<Scalar, Action>& batch, Rng& rng) const {
    ring.require_some("data::UniformReplay");
    ring.draw(batch.indices, rng);
    batch.weights.setOnes();
    ring.gather(batch, steps);
  }
};

using UniformReplay = UniformReplayOf<Float32>;  ///< numbers as they are
using UInt8Replay = UniformReplayOf<UInt8>;      ///< a byte a number: pixels
using BitReplay = UniformReplayOf<Bits>;         ///< a bit a number: zeros and ones

}  // namespace mellow::data

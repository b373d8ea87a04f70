// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/core/parts.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/data/ring.hpp>

namespace mellow::data {

/// Experience replay that draws uniformly, with replacement (Lin 1992; Mnih et al. 2015), and stores observations as
/// `Storage` says.
template <class Storage>
struct UniformReplayOf {
  using role = roles::Replay;

  Index capacity = 50'000;  ///< observations kept, at least 2; the last one of an episode counts as well

  template <class Scalar, class Action = Index>
  using State = Ring<Storage, Scalar, Action>;

  void validate() const { require(capacity >= 2, "data::UniformReplay", "capacity must be at least 2", capacity); }

  template <class Scalar, class Action = Index>
  State<Scalar, Action> make_state(Index features, Index action_size = 1) const {
    return {capacity, features, action_size};
  }

  template <class Scalar, class Action>
  void push(Ring<Storage, Scalar, Action>& ring, const Transition<Action>& transition) const {
    ring.push(transition);
  }

  /// Fills the batch. Throws Error where nothing was stored yet.
  template <class Scalar, class Action>
  void sample(const Ring<Storage, Scalar, Action>& ring, Batch<Scalar, Action>& batch, Rng& rng) const {
    if (ring.size() == 0) throw Error("data::UniformReplay", "cannot draw a batch from an empty replay");
    for (Index& place : batch.indices) {
      do place = rng.below(ring.places());
      while (!ring.starts(place));
    }
    ring.gather(batch);
  }
};

using UniformReplay = UniformReplayOf<Float32>;
using UInt8Replay = UniformReplayOf<UInt8>;  ///< a byte a number: pixels
using BitReplay = UniformReplayOf<Bits>;     ///< a bit a number: zeros and ones

}  // namespace mellow::data

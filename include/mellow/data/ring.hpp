// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cassert>
#include <cstring>
#include <limits>
#include <vector>

#include <mellow/core/error.hpp>
#include <mellow/core/memory.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/core/state.hpp>
#include <mellow/data/batch.hpp>
#include <mellow/data/ring_shape.hpp>
#include <mellow/data/storage.hpp>
#include <mellow/data/transition.hpp>

namespace mellow::data {

/// The newest steps of experience as a structure of arrays in which no observation, and no frame of one, is stored
/// twice.
///
/// A place holds an observation and what was done there; the next observation is that of the following place. So the
/// last observation of an episode takes a place of its own, at which no transition starts. A transition whose newest
/// frame, as stored, is not the one that came last (another environment's, say) begins anew; where environments may show
/// equal frames, give each a ring of its own. Full, the oldest places are overwritten.
template <class Storage, class Scalar, class Action = Index>
class Ring {
 public:
  /// An empty ring. Throws Error for a capacity that is too small or exceeds the memory, or frames that do not divide
  /// an observation.
  explicit Ring(const RingShape& shape);
  Ring() = default;

  Index size() const { return size_; }                ///< transitions that can be drawn
  Index places() const { return filled_; }            ///< places in use; every transition starts at one of them
  Index capacity() const { return shape_.capacity; }  ///< places in all
  Index stack() const { return shape_.stack; }        ///< frames of an observation
  Index newest() const { return head_; }              ///< place of the newest observation
  /// Whether a transition starts at a place.
  bool starts(Index place) const { return (flags(place) & transition_starts) != 0; }
  /// Whether the transition that starts at a place is followed by another one of its episode.
  bool continues(Index place) const { return (flags(place) & terminated) == 0 && starts(next(place)); }
  /// The place that holds what followed.
  Index next(Index place) const { return place + 1 == shape_.capacity ? 0 : place + 1; }

  /// Appends a transition and returns the place at which it starts.
  Index push(const Transition<Action>& t);

  /// Throws Error, in the name of `where`, while there is nothing to draw.
  void require_some(std::string_view where) const {
    if (size_ == 0) throw Error(where, "cannot draw a batch from an empty replay");
  }
  /// Fills `places` with places at which transitions start: each with equal probability, with replacement.
  void draw(Vector<Index>& places, Rng& rng) const {
    assert(size_ > 0);
    for (Index& place : places) {
      do place = rng.below(filled_);
      while (!starts(place));
    }
  }

  /// Gathers the transitions that start at batch.indices, each followed for `steps` steps or to the end of what is
  /// known of its episode: rewards are sum_k discount^k r_k, next observations those after the last of these steps,
  /// discounts the factor of their values.
  void gather(Batch<Scalar, Action>& batch, Index steps = 1) const;

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("observations", self.observations_);
    visit("actions", self.actions_);
    visit("rewards", self.rewards_);
    visit("flags", self.flags_);
    visit("allowed", self.allowed_);
    visit("mask_size", self.mask_size_);
    visit("head", self.head_);
    visit("filled", self.filled_);
    visit("size", self.size_);
    visit("open", self.open_);
  }

 private:
  using Flags = std::uint8_t;
  static constexpr Flags transition_starts = 1, terminated = 2, episode_begins = 4;

  static std::size_t slot(Index place) { return static_cast<std::size_t>(place); }
  Flags& flags(Index place) { return flags_[slot(place)]; }
  Flags flags(Index place) const { return flags_[slot(place)]; }
  Index previous(Index place) const { return (place == 0 ? shape_.capacity : place) - 1; }
  std::byte* at(Index place) { return observations_.data() + place * stride_; }
  const std::byte* at(Index place) const { return observations_.data() + place * stride_; }
  Index mask_bytes() const { return Bits::bytes(mask_size_); }

  void advance(const float* frame);
  void begin_episode(const float* observation);
  void drop_start(Index place);
  void store_mask(Index place, ActionMask allowed);
  void read(Index place, Scalar* observation) const;

  RingShape shape_{0, 0};
  Index frame_ = 0, stride_ = 0;  ///< numbers and bytes of a frame
  std::vector<std::byte> observations_, incoming_;
  Actions<Action, Scalar> actions_;
  Vector<Scalar> rewards_;
  std::vector<Flags> flags_;
  std::vector<std::uint8_t> allowed_;  ///< a mask a place, a bit an action; empty until the first mask comes
  Index mask_size_ = 0;                ///< actions of a mask
  Index head_ = 0;                     ///< place of the newest observation
  Index filled_ = 0;                   ///< places used at least once
  Index size_ = 0;                     ///< places at which a transition starts
  bool open_ = false;                  ///< whether the episode goes on at head_
};

template <class Storage, class Scalar, class Action>
Ring<Storage, Scalar, Action>::Ring(const RingShape& shape) : shape_(shape) {
  constexpr auto where = "data::Ring";
  require_places(where, shape.capacity, shape.stack);
  require(shape.features % shape.stack == 0, where,
          fmt::format("an observation must consist of {} equal frames", shape.stack), shape.features);
  frame_ = shape.features / shape.stack;
  stride_ = Storage::bytes(frame_);
  const std::string too_large =
      fmt::format("this many places of {} bytes an observation do not fit into memory: lower the capacity", stride_);
  require(shape.capacity <= std::numeric_limits<Index>::max() / std::max<Index>(stride_, 1), where, too_large,
          shape.capacity);
  within_memory(where, too_large, shape.capacity, [&] {
    incoming_.resize(slot(stride_));
    reset_for_random_reads(observations_, slot(shape.capacity * stride_));
    if constexpr (std::integral<Action>) reset_for_random_reads(actions_, shape.capacity, 1);
    else reset_for_random_reads(actions_, shape.action_size, shape.capacity);
    reset_for_random_reads(rewards_, shape.capacity, 1);
    reset_for_random_reads(flags_, slot(shape.capacity));
  });
}

template <class Storage, class Scalar, class Action>
Index Ring<Storage, Scalar, Action>::push(const Transition<Action>& t) {
  assert(t.observation.size() == shape_.features && t.next_observation.size() == shape_.features);
  const Index newest_frame = shape_.features - frame_;
  Storage::encode(t.observation.data() + newest_frame, frame_, incoming_.data());
  if (!open_ || std::memcmp(incoming_.data(), at(head_), incoming_.size()) != 0) begin_episode(t.observation.data());
  const Index place = head_;
  if constexpr (std::integral<Action>) actions_[place] = t.action;
  else actions_.col(place) = t.action.template cast<Scalar>();
  rewards_[place] = static_cast<Scalar>(t.reward);
  flags(place) = static_cast<Flags>(flags(place) | transition_starts | (t.terminated ? terminated : 0));
  ++size_;
  advance(t.next_observation.data() + newest_frame);
  if (mask_size_ > 0 || !t.next_allowed.empty()) store_mask(head_, t.next_allowed);
  open_ = !t.terminated && !t.truncated;
  return place;
}

/// Stores a frame after the newest one; what was there before is gone, and what was stacked on it.
template <class Storage, class Scalar, class Action>
void Ring<Storage, Scalar, Action>::advance(const float* frame) {
  if (filled_ > 0) head_ = next(head_);
  drop_start(head_);
  flags(head_) = 0;
  filled_ = std::max(filled_, head_ + 1);
  Index above = next(head_);
  for (Index k = 1; k < shape_.stack && (flags(above) & episode_begins) == 0; ++k, above = next(above))
    drop_start(above);
  Storage::encode(frame, frame_, at(head_));
}

/// Stores the frames of an observation that follows nothing stored: as many as differ from the oldest, which a stack
/// repeats at the beginning of an episode.
template <class Storage, class Scalar, class Action>
void Ring<Storage, Scalar, Action>::begin_episode(const float* observation) {
  const float* frame = observation;
  const float* const newest = observation + (shape_.stack - 1) * frame_;
  while (frame != newest && std::equal(frame, frame + frame_, frame + frame_)) frame += frame_;
  advance(frame);
  flags(head_) = episode_begins;
  while (frame != newest) advance(frame += frame_);
}

template <class Storage, class Scalar, class Action>
void Ring<Storage, Scalar, Action>::drop_start(Index place) {
  size_ -= starts(place);
  flags(place) = static_cast<Flags>(flags(place) & ~transition_starts);
}

template <class Storage, class Scalar, class Action>
void Ring<Storage, Scalar, Action>::store_mask(Index place, ActionMask allowed) {
  if (mask_size_ == 0) {
    mask_size_ = static_cast<Index>(allowed.size());
    allowed_.assign(slot(shape_.capacity * mask_bytes()), 0xff);
  }
  assert(allowed.empty() || static_cast<Index>(allowed.size()) == mask_size_);
  std::uint8_t* const mask = allowed_.data() + place * mask_bytes();
  std::fill(mask, mask + mask_bytes(), allowed.empty() ? 0xff : 0);
  for (std::size_t a = 0; a < allowed.size(); ++a)
    mask[a / 8] = static_cast<std::uint8_t>(mask[a / 8] | unsigned{allowed[a]} << (a % 8));
}

template <class Storage, class Scalar, class Action>
void Ring<Storage, Scalar, Action>::read(Index place, Scalar* observation) const {
  for (Index frame = shape_.stack - 1; frame >= 0; --frame) {
    Storage::decode(at(place), frame_, observation + frame * frame_);
    if (frame > 0 && (flags(place) & episode_begins) == 0) place = previous(place);
  }
}

template <class Storage, class Scalar, class Action>
void Ring<Storage, Scalar, Action>::gather(Batch<Scalar, Action>& batch, Index steps) const {
  for (const Index place : batch.indices) {  // places are far apart: asks the memory for all of them before it waits
    __builtin_prefetch(at(place));
    __builtin_prefetch(&rewards_[place]);
    __builtin_prefetch(&flags_[slot(place)]);
    if constexpr (std::integral<Action>) __builtin_prefetch(&actions_[place]);
    else __builtin_prefetch(&actions_(0, place));
  }
  if (mask_size_ > 0) batch.next_allowed.resize(mask_size_, batch.size());
  for (Index i = 0; i < batch.size(); ++i) {
    const Index place = batch.indices[i];
    assert(starts(place));
    read(place, batch.observations.col(i).data());
    if constexpr (std::integral<Action>) batch.actions[i] = actions_[place];
    else batch.actions.col(i) = actions_.col(place);

    Index last = place;
    Scalar reward = rewards_[last], discount = batch.discount;
    for (Index k = 1; k < steps && continues(last); ++k) {
      last = next(last);
      reward += discount * rewards_[last];
      discount *= batch.discount;
    }
    const Index after = next(last);
    batch.rewards[i] = reward;
    batch.discounts[i] = (flags(last) & terminated) != 0 ? Scalar(0) : discount;
    read(after, batch.next_observations.col(i).data());
    for (Index a = 0; a < mask_size_; ++a)
      batch.next_allowed(a, i) = (allowed_[slot(after * mask_bytes() + a / 8)] >> (a % 8) & 1) != 0;
  }
}

}  // namespace mellow::data

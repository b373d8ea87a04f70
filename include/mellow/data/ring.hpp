// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cassert>
#include <cstring>
#include <vector>

#include <mellow/core/error.hpp>
#include <mellow/core/state.hpp>
#include <mellow/data/batch.hpp>
#include <mellow/data/storage.hpp>
#include <mellow/data/transition.hpp>

namespace mellow::data {

/// The newest steps of experience as a structure of arrays in which no observation is stored twice.
///
/// A place holds an observation and what was done there; the next observation is that of the following place. So the
/// last observation of an episode takes a place of its own, at which no transition starts. A transition that does not
/// continue the one before it (another episode, another environment) is noticed and begins anew. Full, the oldest
/// places are overwritten.
template <class Storage, class Scalar, class Action = Index>
class Ring {
 public:
  /// Room for `capacity` places of `features` numbers each.
  Ring(Index capacity, Index features, Index action_size = 1)
      : capacity_(capacity), features_(features), stride_(Storage::bytes(features)) {
    require(capacity >= 2, "data::Ring", "capacity must be at least 2", capacity);
    const auto places = static_cast<std::size_t>(capacity);
    observations_.resize(places * static_cast<std::size_t>(stride_));
    incoming_.resize(static_cast<std::size_t>(stride_));
    if constexpr (std::integral<Action>) actions_.setZero(capacity);
    else actions_.setZero(action_size, capacity);
    rewards_.setZero(capacity);
    terminated_.resize(places);
    starts_.resize(places);
  }
  Ring() = default;

  Index size() const { return size_; }          ///< transitions that can be drawn
  Index places() const { return filled_; }      ///< places in use; every transition starts at one of them
  Index capacity() const { return capacity_; }  ///< places in all
  /// Whether a transition starts at a place.
  bool starts(Index place) const { return starts_[static_cast<std::size_t>(place)] != 0; }

  /// Appends a transition and returns the place at which it starts.
  Index push(const Transition<Action>& t) {
    assert(t.observation.size() == features_ && t.next_observation.size() == features_);
    Storage::encode(t.observation.data(), features_, incoming_.data());
    if (!open_ || std::memcmp(incoming_.data(), at(head_), incoming_.size()) != 0) {
      if (filled_ > 0) head_ = next(head_);
      claim(head_);
      std::memcpy(at(head_), incoming_.data(), incoming_.size());
    }
    const Index place = head_;
    if constexpr (std::integral<Action>) actions_[place] = t.action;
    else actions_.col(place) = t.action.template cast<Scalar>();
    rewards_[place] = static_cast<Scalar>(t.reward);
    terminated_[static_cast<std::size_t>(place)] = t.terminated;
    starts_[static_cast<std::size_t>(place)] = 1;
    ++size_;
    head_ = next(place);
    claim(head_);
    Storage::encode(t.next_observation.data(), features_, at(head_));
    open_ = !t.terminated && !t.truncated;
    return place;
  }

  /// Gathers the transitions that start at batch.indices into the batch.
  void gather(Batch<Scalar, Action>& batch) const {
    for (Index i = 0; i < batch.size(); ++i) {
      const Index place = batch.indices[i];
      assert(starts(place));
      Storage::decode(at(place), features_, batch.observations.col(i).data());
      Storage::decode(at(next(place)), features_, batch.next_observations.col(i).data());
      if constexpr (std::integral<Action>) batch.actions[i] = actions_[place];
      else batch.actions.col(i) = actions_.col(place);
      batch.rewards[i] = rewards_[place];
      batch.continues[i] = terminated_[static_cast<std::size_t>(place)] ? Scalar(0) : Scalar(1);
    }
  }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("observations", self.observations_);
    visit("actions", self.actions_);
    visit("rewards", self.rewards_);
    visit("terminated", self.terminated_);
    visit("starts", self.starts_);
    visit("head", self.head_);
    visit("filled", self.filled_);
    visit("size", self.size_);
    visit("open", self.open_);
  }

 private:
  Index next(Index place) const { return place + 1 == capacity_ ? 0 : place + 1; }
  std::byte* at(Index place) { return observations_.data() + place * stride_; }
  const std::byte* at(Index place) const { return observations_.data() + place * stride_; }

  void claim(Index place) {  // whatever started here is gone
    auto& start = starts_[static_cast<std::size_t>(place)];
    size_ -= start;
    start = 0;
    filled_ = std::max(filled_, place + 1);
  }

  Index capacity_ = 0, features_ = 0, stride_ = 0;
  std::vector<std::byte> observations_, incoming_;
  Actions<Action, Scalar> actions_;
  Vector<Scalar> rewards_;
  std::vector<std::uint8_t> terminated_, starts_;
  Index head_ = 0;     ///< place of the newest observation
  Index filled_ = 0;   ///< places used at least once
  Index size_ = 0;     ///< places at which a transition starts
  bool open_ = false;  ///< whether the episode goes on at head_
};

}  // namespace mellow::data

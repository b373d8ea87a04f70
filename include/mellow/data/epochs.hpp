// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <numeric>
#include <span>
#include <vector>

#include <mellow/core/error.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/core/types.hpp>

namespace mellow::data {

/// The order in which examples are learned from: all of them in a random order, then all in another, and so on. A draw
/// that reaches the end of an epoch goes on into the next, so that all draws are of the length that was asked for.
class Epochs {
 public:
  /// Of examples 0 .. size - 1. Throws Error unless size is positive.
  explicit Epochs(Index size) {
    require(size > 0, "data::Epochs", "there must be an example", size);
    order_.resize(static_cast<std::size_t>(size));
    std::iota(order_.begin(), order_.end(), Index{0});
    drawn_.reserve(order_.size());
  }

  Index size() const { return std::ssize(order_); }  ///< examples an epoch
  Index begun() const { return begun_; }             ///< epochs that were begun

  /// The next `count` examples, at most an epoch's; a view until the next draw. Allocates nothing.
  std::span<const Index> next(Index count, Rng& rng) {
    require(count > 0 && count <= size(), "data::Epochs", "a draw must have between one example and all of them",
            count);
    drawn_.clear();
    while (std::ssize(drawn_) < count) {
      if (next_ == 0) {
        rng.shuffle(std::span(order_));
        ++begun_;
      }
      drawn_.push_back(order_[static_cast<std::size_t>(next_)]);
      next_ = next_ + 1 == size() ? 0 : next_ + 1;
    }
    return drawn_;
  }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("order", self.order_);
    visit("next", self.next_);
    visit("begun", self.begun_);
  }

 private:
  std::vector<Index> order_, drawn_;
  Index next_ = 0, begun_ = 0;
};

}  // namespace mellow::data

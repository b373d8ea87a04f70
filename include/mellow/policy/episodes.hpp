// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <vector>

#include <mellow/core/environment.hpp>
#include <mellow/core/types.hpp>

namespace mellow::policy {

/// What an agent has seen and done since its last update, step after step; episodes lie one after another. It grows to
/// the longest batch there was and does not allocate again.
template <class Scalar>
class Episodes {
 public:
  /// For observations of `features` numbers and this many actions.
  Episodes(Index features, Index actions) : features_(features), action_count_(actions) {}

  /// Adds a step. An empty mask allows all actions.
  void push(const ConstVectorRef<float>& observation, Index action, double reward, ActionMask allowed, bool ended) {
    assert(observation.size() == features_ && (allowed.empty() || std::ssize(allowed) == action_count_));
    for (const float x : observation) observations_.push_back(static_cast<Scalar>(x));
    for (Index a = 0; a < action_count_; ++a)
      allowed_.push_back(allowed.empty() || allowed[static_cast<std::size_t>(a)] ? 1 : 0);
    actions_.push_back(action);
    rewards_.push_back(reward);
    if (ended) ends_.push_back(size());
  }

  /// Forgets the episodes that have ended, but keeps the memory.
  void forget_finished() {
    if (ends_.empty()) return;
    const Index n = ends_.back();
    const auto drop = [n](auto& values, Index each) { values.erase(values.begin(), values.begin() + n * each); };
    drop(observations_, features_);
    drop(allowed_, action_count_);
    drop(actions_, 1);
    drop(rewards_, 1);
    ends_.clear();
  }

  Index size() const { return static_cast<Index>(actions_.size()); }   ///< steps
  Index finished() const { return static_cast<Index>(ends_.size()); }  ///< episodes that have ended

  /// The observations of n steps from `begin` on: features x n, in place.
  Eigen::Map<const Matrix<Scalar>> observations(Index begin, Index n) const {
    return {observations_.data() + begin * features_, features_, n};
  }
  /// What was done in a step.
  Index action(Index step) const { return actions_[static_cast<std::size_t>(step)]; }

  /// Writes which actions a step allowed; returns a view of it, empty where it allowed all.
  ActionMask allowed(Index step, Eigen::Array<bool, Eigen::Dynamic, 1>& storage) const {
    storage.resize(action_count_);
    const auto* row = allowed_.data() + step * action_count_;
    std::transform(row, row + action_count_, storage.data(), [](std::uint8_t x) { return x != 0; });
    if (storage.all()) return {};
    return {storage.data(), static_cast<std::size_t>(action_count_)};
  }

  /// Writes the discounted return of every step of the episodes that have ended,
  ///
  ///     G_t = r_t + discount G_{t+1},    0 after an episode's end
  ///
  /// as long as those episodes together. A truncated episode counts as it is: what it might have earned is not known.
  void returns(double discount, std::vector<double>& out) const {
    out.resize(ends_.empty() ? 0 : static_cast<std::size_t>(ends_.back()));
    Index begin = 0;
    for (const Index end : ends_) {
      double next = 0.0;
      for (auto t = static_cast<std::size_t>(end); t-- > static_cast<std::size_t>(begin);)
        out[t] = next = rewards_[t] + discount * next;
      begin = end;
    }
  }

  /// Mean over the episodes that have ended of a number of their first step; `values` has one for each step.
  double mean_of_first(const std::vector<double>& values) const {
    double sum = 0.0;
    Index begin = 0;
    for (const Index end : ends_) {
      sum += values[static_cast<std::size_t>(begin)];
      begin = end;
    }
    return sum / static_cast<double>(finished());
  }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("observations", self.observations_);
    visit("allowed", self.allowed_);
    visit("actions", self.actions_);
    visit("rewards", self.rewards_);
    visit("ends", self.ends_);
  }

 private:
  Index features_, action_count_;
  std::vector<Scalar> observations_;   // features x steps
  std::vector<std::uint8_t> allowed_;  // actions x steps
  std::vector<Index> actions_;         // steps
  std::vector<double> rewards_;        // steps
  std::vector<Index> ends_;            // where the next episode begins
};

}  // namespace mellow::policy

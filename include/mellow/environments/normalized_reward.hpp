// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>

#include <mellow/core/running_moments.hpp>
#include <mellow/environments/wrapper.hpp>

namespace mellow::environments {

/// Divides rewards by the deviation of the discounted return so far, so that returns are of the order of 1; no further
/// than `clip` from 0. `training::train` and `evaluate` report the original rewards.
template <class E>
class NormalizedReward : public Wrapper<E> {
 public:
  static constexpr bool carries_over = true;  ///< an episode goes on from what those before it taught

  /// `discount` in [0, 1], `clip` > 0; Error otherwise.
  explicit NormalizedReward(E environment, double discount = 0.99, double clip = 10.0)
      : Wrapper<E>(std::move(environment)), discount_(discount), clip_(clip) {
    require(discount >= 0 && discount <= 1, "NormalizedReward", "discount must lie in [0, 1]", discount);
    require(clip > 0, "NormalizedReward", "clip must be positive", clip);
  }

  /// Begins an episode.
  template <class Generator>
  void reset(Generator& rng) {
    return_ = 0;
    this->environment_.reset(rng);
  }
  /// Acts once; the reward is the normalised one.
  template <class Action, class Generator>
  Step step(const Action& action, Generator& rng) {
    constexpr double epsilon = 1e-8;
    Step result = this->environment_.step(action, rng);
    reward_ = result.reward;
    return_ = discount_ * return_ + reward_;
    moments_.add(Eigen::Matrix<double, 1, 1>(return_));
    result.reward = std::clamp(reward_ / std::sqrt(moments_.variance(0) + epsilon), -clip_, clip_);
    return result;
  }

  double original_reward() const { return reward_; }          ///< of the last step
  const RunningMoments& moments() const { return moments_; }  ///< of the discounted return so far, over all steps

  template <class Self, class Visit>
    requires Visitable<E>
  static void visit_state(Self& self, Visit&& visit) {
    Wrapper<E>::visit_state(self, visit);
    visit("moments", self.moments_);
    visit("return", self.return_);
    visit("reward", self.reward_);
  }

 private:
  double discount_, clip_;
  RunningMoments moments_{1};
  double return_ = 0, reward_ = 0;
};

}  // namespace mellow::environments

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/core/mask_reader.hpp>
#include <mellow/environments/wrapper.hpp>

namespace mellow::environments {

/// Repeats each action `count` times, or until the episode ends or the action is no longer allowed, and adds up the
/// rewards.
template <class E>
class ActionRepeat : public Wrapper<E> {
 public:
  /// Throws Error for a count that is not positive.
  ActionRepeat(E environment, Index count)
      : Wrapper<E>(std::move(environment)), count_(count), masks_(this->environment_) {
    require(count > 0, "ActionRepeat", "count must be positive", count);
  }

  /// Acts `count` times.
  template <class Action, class Generator>
  Step step(const Action& action, Generator& rng) {
    Step total;
    original_reward_ = 0;
    for (Index i = 0; i < count_ && !total.terminated && !total.truncated; ++i) {
      if (i > 0 && !allows(action)) break;
      const Step one = this->environment_.step(action, rng);
      total = {total.reward + one.reward, one.terminated, one.truncated};
      if constexpr (RescalesRewards<E>) original_reward_ += this->environment_.original_reward();
    }
    return total;
  }

  /// The sum of the rewards before any wrapper changed them, where one does.
  double original_reward() const
    requires RescalesRewards<E>
  {
    return original_reward_;
  }

  template <class Self, class Visit>
    requires Visitable<E>
  static void visit_state(Self& self, Visit&& visit) {
    Wrapper<E>::visit_state(self, visit);
    visit("original_reward", self.original_reward_);
  }

 private:
  template <class Action>
  bool allows([[maybe_unused]] const Action& action) {
    if constexpr (MaskedEnvironment<E>) {
      const ActionMask mask = masks_.of(this->environment_);
      return mask.empty() || mask[static_cast<std::size_t>(action)];
    } else return true;
  }

  Index count_;
  double original_reward_ = 0;
  MaskReader<E> masks_;
};

}  // namespace mellow::environments

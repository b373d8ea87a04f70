// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <mellow/environments/wrapper.hpp>

namespace mellow::environments {

/// Lets an agent with discrete actions act in an environment whose actions are vectors: `levels` equally spaced values
/// from the lower to the upper bound in every dimension, in all combinations; the first dimension changes fastest.
template <class E>
class DiscretizedActions : public Wrapper<E> {
 public:
  /// Throws Error for less than two levels, unbounded actions, or more combinations than fit an Index.
  DiscretizedActions(E environment, Index levels)
      : Wrapper<E>(std::move(environment)), space_(this->environment_.action_space()), levels_(levels) {
    constexpr auto where = "DiscretizedActions";
    require(levels >= 2, where, "levels must be at least 2", levels);
    for (Index i = 0; i < space_.size(); ++i) {
      require(std::isfinite(space_.low[i]) && std::isfinite(space_.high[i]), where,
              "the actions must be bounded; dimension without a bound", i);
      require(count_ <= std::numeric_limits<Index>::max() / levels, where, "too many combinations; levels", levels);
      count_ *= levels;
    }
    action_.resize(space_.size());
  }

  /// The number of combinations.
  Discrete action_space() const { return Discrete(count_); }

  /// The vector that an action stands for.
  Vector<float> vector(Index action) const {
    Vector<float> result(space_.size());
    write(action, result);
    return result;
  }

  /// Acts once.
  template <class Generator>
  Step step(Index action, Generator& rng) {
    write(action, action_);
    return this->environment_.step(action_, rng);
  }

 private:
  void write(Index action, VectorRef<float> out) const {
    for (Index i = 0; i < space_.size(); ++i, action /= levels_)
      out[i] = space_.low[i] + (space_.high[i] - space_.low[i]) * static_cast<float>(action % levels_) /
                                   static_cast<float>(levels_ - 1);
  }

  Box space_;
  Index levels_, count_ = 1;
  Vector<float> action_;
};

}  // namespace mellow::environments

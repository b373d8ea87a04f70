// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <mellow/environments/wrapper.hpp>

namespace mellow::environments {

/// Shows each number of an observation between -1 and 1, by the bounds of the environment's space:
///
///     2 (observation - low) / (high - low) - 1
///
/// A network sees a number whose range is narrow (the velocity of the mountain car, 0.07 at most) as well as the others.
/// Nothing is learned and nothing changes, unlike in `NormalizedObservation`, so that weights alone suffice to act.
template <class E>
class RescaledObservation : public Wrapper<E> {
 public:
  /// Throws Error for a dimension without finite bounds, or with equal ones.
  explicit RescaledObservation(E environment) : Wrapper<E>(std::move(environment)) {
    const Box space = this->environment_.observation_space();
    for (Index i = 0; i < space.size(); ++i)
      require(std::isfinite(space.low[i]) && std::isfinite(space.high[i]) && space.low[i] < space.high[i],
              "RescaledObservation", "the observations must have finite bounds that differ; dimension without", i);
    scale_ = 2.0f * (space.high - space.low).cwiseInverse();
    middle_ = 0.5f * (space.low + space.high);
  }

  /// From -1 to 1 in every dimension.
  Box observation_space() const { return {scale_.size(), -1.0f, 1.0f}; }

  /// Writes the rescaled observation; rounding does not lead out of the bounds.
  void observe(VectorRef<float> out) const {
    this->environment_.observe(out);
    out = ((out - middle_).array() * scale_.array()).max(-1.0f).min(1.0f);
  }

 private:
  Vector<float> scale_, middle_;
};

}  // namespace mellow::environments

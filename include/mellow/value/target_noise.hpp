// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <mellow/core/error.hpp>
#include <mellow/core/parts.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/core/types.hpp>

namespace mellow::value {

/// Adds normal noise to every target that is learned from, fresh in each update: what learning does where updates are
/// noisier than here.
///
///     r_i <- r_i + deviation xi_i,     xi_i ~ N(0, 1)
///
/// The reward carries it into the target of every head (a distribution is shifted as a whole), of the present batch
/// alone: what is remembered stays as it is.
struct TargetNoise {
  using role = roles::Hook;

  double deviation = 1.0;  ///< of the noise, in units of the return, >= 0 and finite; 0 draws nothing

  /// Throws Error for a number out of range.
  void validate() const {
    require(std::isfinite(deviation) && deviation >= 0, "value::TargetNoise",
            "deviation must be finite and not negative", deviation);
  }

  /// Called when a batch was drawn.
  template <class Learner>
  void after_sample(Learner& learner, Rng& rng) const {
    if (deviation == 0) return;
    for (auto& reward : learner.batch.rewards)
      reward += static_cast<typename Learner::Scalar>(deviation * rng.normal());
  }
};

}  // namespace mellow::value

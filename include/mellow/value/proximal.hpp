// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <mellow/core/error.hpp>
#include <mellow/core/parts.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/core/types.hpp>
#include <mellow/value/tracking.hpp>

namespace mellow::value {

/// The pull of DQN Pro and Rainbow Pro (Asadi et al. 2022, algorithm 1): each update draws the online parameters w
/// towards the target's, theta, which keeps noisy updates from leading far away from the last solution.
///
///     w <- (1 - mu) w + mu theta,   then the optimiser's step by the gradient at the old w;   mu = learning_rate(0) / c
///
/// With plain gradient descent that is a step on h(theta, w) + |w - theta|^2 / (2 c). With other optimisers the term
/// stays out of the moments, as AdamW's decay does; gradient clipping is over by then and does not see it either. mu is
/// made of the optimiser's first learning rate and stays where a schedule lowers the rate. Smaller c pulls more:
/// c = learning_rate K / 2.5, for targets that change every K updates, is the strength that the authors use on Atari.
struct Proximal {
  using role = roles::Pull;

  double c = 0.2;  ///< > 0 and at least the first learning rate; infinity: no pull, the agent is as without it

  /// Throws Error for a number out of range.
  void validate() const { require(c > 0, "value::Proximal", "c must be positive", c); }

  /// Throws Error where mu does not lie in [0, 1], or the learning rate begins at 0 and so would pull nothing ever, or
  /// online and target network are not of one shape.
  template <detail::OneNetworkType Learner>
  void require_fits(const Learner& learner) const {
    detail::require_same_shape("value::Proximal", learner);
    const double rate = learner.optimizer.learning_rate(0);
    if (!(rate <= c))
      throw Error("value::Proximal", fmt::format("c = {} must not be below the first learning rate", c), rate);
    if (!(rate > 0) && std::isfinite(c))
      throw Error("value::Proximal", fmt::format("with c = {} the first learning rate must be positive", c), rate);
  }

  /// The share mu by which parameters move to the target's in an update, in [0, 1].
  template <class Learner>
  double share(const Learner& learner) const {
    return learner.optimizer.learning_rate(0) / c;
  }

  /// Called between gradient and step.
  template <detail::OneNetworkType Learner>
  void pull(Learner& learner, Rng&) const {
    if (const double mu = share(learner); mu > 0)  // infinite parameters stay as they are without a pull
      learner.online += static_cast<typename Learner::Scalar>(mu) * (learner.target - learner.online);
  }
};

/// The pull as a part of the loss, "Rainbow Pro (new)" of the authors' code:
///
///     gradient <- gradient + weight (w - theta),     the gradient of weight |w - theta|^2 / 2
///
/// It passes through the optimiser's moments, where `Proximal` does not, and did worse in most of the authors' games.
/// It is added after the loss's gradient was clipped, and is no part of the loss that is reported or that sets
/// priorities (in the authors' code it is, and importance weights scale it).
struct ProximalPenalty {
  using role = roles::Pull;

  double weight = 0.005;  ///< >= 0 and finite; 0: no pull, the agent is as without it

  /// Throws Error for a number out of range.
  void validate() const {
    require(std::isfinite(weight) && weight >= 0, "value::ProximalPenalty", "weight must be finite and not negative",
            weight);
  }

  /// Throws Error where online and target network are not of one shape.
  template <detail::OneNetworkType Learner>
  void require_fits(const Learner& learner) const {
    detail::require_same_shape("value::ProximalPenalty", learner);
  }

  /// Called between gradient and step.
  template <detail::OneNetworkType Learner>
  void pull(Learner& learner, Rng&) const {
    if (weight > 0)
      learner.gradient += static_cast<typename Learner::Scalar>(weight) * (learner.online - learner.target);
  }
};

}  // namespace mellow::value

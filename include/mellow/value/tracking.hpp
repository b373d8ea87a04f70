// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>

#include <mellow/core/error.hpp>
#include <mellow/core/parts.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/core/types.hpp>

namespace mellow::value {

namespace detail {
template <class Learner>
concept OneNetworkType = std::same_as<decltype(Learner::network), decltype(Learner::target_network)>;

template <class Learner>
void require_same_shape(std::string_view part, const Learner& learner) {
  if (learner.target.size() != learner.online.size())
    throw Error(part,
                fmt::format("online and target network must have the same parameters ({})", learner.online.size()),
                learner.target.size());
}
}  // namespace detail

/// target <- online every so many updates (Mnih et al. 2015).
struct PeriodicCopy {
  using role = roles::Tracking;

  Index every = 250;  ///< updates, > 0

  /// Throws Error for a number out of range.
  void validate() const { require(every > 0, "value::PeriodicCopy", "every must be positive", every); }

  /// Throws Error where the networks differ in their number of parameters.
  template <detail::OneNetworkType Learner>
  void require_fits(const Learner& learner) const {
    detail::require_same_shape("value::PeriodicCopy", learner);
  }

  /// Called after every update; says whether the target changed.
  template <detail::OneNetworkType Learner>
  bool update(Learner& learner, Rng&) const {
    if (learner.counters.updates % every != 0) return false;
    learner.target = learner.online;
    return true;
  }
};

/// target <- (1 - tau) target + tau online after every update (Lillicrap et al. 2016).
struct Polyak {
  using role = roles::Tracking;

  double tau = 0.005;  ///< in (0, 1]

  /// Throws Error for a number out of range.
  void validate() const { require(tau > 0 && tau <= 1, "value::Polyak", "tau must lie in (0, 1]", tau); }

  /// Throws Error where the networks differ in their number of parameters.
  template <detail::OneNetworkType Learner>
  void require_fits(const Learner& learner) const {
    detail::require_same_shape("value::Polyak", learner);
  }

  /// Called after every update; says that the target changed.
  template <detail::OneNetworkType Learner>
  bool update(Learner& learner, Rng&) const {
    learner.target += static_cast<typename Learner::Scalar>(tau) * (learner.online - learner.target);
    return true;
  }
};

}  // namespace mellow::value

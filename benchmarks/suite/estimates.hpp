// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include <mellow/core/rng.hpp>
#include <mellow/statistics/aggregates.hpp>
#include <mellow/statistics/bootstrap.hpp>
#include <mellow/statistics/estimate.hpp>
#include <mellow/statistics/share.hpp>

#include "paper.hpp"

/// What the papers' claims are written with.
namespace mellow::suite {

/// A number in which nothing is random.
inline statistics::Estimate certain(double x) { return {x, x, x}; }

using statistics::share;

/// Mean over runs.
inline statistics::Estimate mean_of(const std::vector<double>& runs, Rng& rng) {
  return statistics::bootstrap(runs, statistics::Mean{}, rng);
}

/// Mean over runs of a - b, where a run of both has the same seed.
inline statistics::Estimate difference_of(const std::vector<double>& a, const std::vector<double>& b, Rng& rng) {
  return statistics::paired_difference(a, b, statistics::Mean{}, rng);
}

/// Of a criterion that could be tested.
inline Verdict verdict(bool holds) { return holds ? Verdict::Holds : Verdict::DoesNotHold; }

}  // namespace mellow::suite

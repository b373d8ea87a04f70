// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <mellow/core/types.hpp>
#include <mellow/statistics/estimate.hpp>

#include "paper.hpp"

/// What the papers' claims are written with.
namespace mellow::suite {

/// A number in which nothing is random.
inline statistics::Estimate certain(double x) { return {x, x, x}; }

/// A share of independent trials, with Wilson's interval at 95 % (1927).
inline statistics::Estimate share(Index successes, Index trials) {
  const double n = static_cast<double>(trials), p = static_cast<double>(successes) / n, z = 1.959963984540054;
  const double scale = 1 + z * z / n, centre = (p + z * z / (2 * n)) / scale;
  const double reach = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / scale;
  return {p, successes == 0 ? 0.0 : centre - reach, successes == trials ? 1.0 : centre + reach};
}

/// Of a criterion that could be tested.
inline Verdict verdict(bool holds) { return holds ? Verdict::Holds : Verdict::DoesNotHold; }

}  // namespace mellow::suite

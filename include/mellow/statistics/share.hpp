// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <mellow/core/error.hpp>
#include <mellow/core/types.hpp>
#include <mellow/statistics/estimate.hpp>

namespace mellow::statistics {

/// A share of independent trials, with Wilson's interval at 95 % (1927), which also holds near 0 and 1. Throws Error
/// where there are no trials or not from 0 to all of them are successes.
inline Estimate share(Index successes, Index trials) {
  constexpr auto where = "statistics::share";
  require(trials > 0, where, "there must be a trial", trials);
  require(successes >= 0 && successes <= trials, where, "successes must be from 0 to the number of trials", successes);
  const double n = static_cast<double>(trials), p = static_cast<double>(successes) / n, z = 1.959963984540054;
  const double scale = 1 + z * z / n, centre = (p + z * z / (2 * n)) / scale;
  const double reach = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / scale;
  return {p, successes == 0 ? 0.0 : centre - reach, successes == trials ? 1.0 : centre + reach};
}

}  // namespace mellow::statistics

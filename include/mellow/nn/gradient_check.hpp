// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>

#include <mellow/core/types.hpp>

namespace mellow::nn {

/// Largest disagreement between `gradient` and the central differences of `function` at `x`, all in double:
///
///     max_i |g_i - (f(x + h e_i) - f(x - h e_i)) / 2h| / max(1, |g_i|),   h = step * max(1, |x_i|)
///
/// A right gradient of a smooth function gives about 1e-9. Stay clear of kinks: ReLU inputs within h of 0 give a false
/// alarm.
template <class Function>
double gradient_check(Function&& function, Vector<double> x, const ConstVectorRef<double>& gradient,
                      double step = 1e-6) {
  assert(x.size() == gradient.size());
  double worst = 0.0;
  for (Index i = 0; i < x.size(); ++i) {
    const double at = x[i], h = step * std::max(1.0, std::abs(at));
    x[i] = at + h;
    const double above = function(std::as_const(x));
    x[i] = at - h;
    const double below = function(std::as_const(x));
    x[i] = at;
    const double error = std::abs(gradient[i] - (above - below) / (2.0 * h)) / std::max(1.0, std::abs(gradient[i]));
    worst = std::isnan(error) ? error : std::max(worst, error);
    if (std::isnan(worst)) break;
  }
  return worst;
}

}  // namespace mellow::nn

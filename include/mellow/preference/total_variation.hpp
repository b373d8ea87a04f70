// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <mellow/preference/generators.hpp>

namespace mellow::preference {

/// f = |t - 1| / 2, total variation: f' = sign(t - 1) / 2, h = sign(a) / 2, dh/da = 0. Not DPO-inducing: f' is finite at
/// 0. Displacement-resistant.
///
/// For the table of divergences, not for training: its f' is a step, so that a loss of its scores says only on which
/// side of the reference a response lies and has no gradient. Nor do optimal policies follow from f': it is a
/// `Generator` and not an `InvertibleGenerator`.
struct TotalVariation {
  Score score(double a) const { return {half_sign(a), 0.0}; }       ///< h and dh/da
  double f(double t) const { return 0.5 * std::abs(t - 1.0); }      ///< the generator
  double derivative(double t) const { return half_sign(t - 1.0); }  ///< f', 0 at the kink
  double minimizer() const { return 1.0; }                          ///< 1
  double least_slope() const { return -0.5; }                       ///< finite: a response may have none

 private:
  static double half_sign(double x) { return x > 0.0 ? 0.5 : x < 0.0 ? -0.5 : 0.0; }
};

}  // namespace mellow::preference

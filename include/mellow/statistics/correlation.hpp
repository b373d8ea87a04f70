// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <optional>

#include <mellow/core/error.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/core/types.hpp>
#include <mellow/statistics/bootstrap.hpp>
#include <mellow/statistics/estimate.hpp>

namespace mellow::statistics {

/// Pearson's correlation of pairs of numbers (x_i, y_i): their covariance over the product of their standard
/// deviations, from -1 to 1. Nothing where x or y does not vary. Throws Error for columns of unlike lengths, of none,
/// or with a number that is not finite.
inline std::optional<double> correlation(const ConstVectorRef<double>& x, const ConstVectorRef<double>& y) {
  constexpr auto where = "statistics::correlation";
  if (x.size() != y.size() || x.size() == 0)
    throw Error(where, "both columns need the same numbers, one at least",
                fmt::format("{} and {}", x.size(), y.size()));
  require(x.allFinite() && y.allFinite(), where, "the numbers must be finite", x.allFinite() ? y.sum() : x.sum());
  const auto centred = [](const ConstVectorRef<double>& of) -> Vector<double> {
    const double scale = of.cwiseAbs().maxCoeff();  // so that squares neither overflow nor vanish
    if (scale == 0 || (of.array() == of[0]).all()) return {};
    const Vector<double> scaled = of / scale;
    return scaled.array() - scaled.mean();
  };
  const Vector<double> a = centred(x), b = centred(y);
  if (a.size() == 0 || b.size() == 0) return std::nullopt;
  const double both = a.norm() * b.norm();
  if (!(both > 0)) return std::nullopt;
  return std::clamp(a.dot(b) / both, -1.0, 1.0);
}

/// The same with an interval: the bootstrap, which resamples pairs and draws those anew in which x or y does not vary.
/// Throws Error also for fewer than three pairs, of which most resamples do not vary, and for options out of range.
inline std::optional<Estimate> bootstrap_correlation(const ConstVectorRef<double>& x, const ConstVectorRef<double>& y,
                                                     Rng& rng, const BootstrapOptions& options = {}) {
  constexpr auto where = "statistics::bootstrap_correlation";
  options.validate();
  const auto value = correlation(x, y);
  if (!value) return std::nullopt;
  require(x.size() > 2, where, "an interval needs three pairs", x.size());
  Vector<double> a(x.size()), b(y.size());
  auto values = detail::draw_many(options.resamples, where, [&] {
    while (true) {
      draw_runs(x.size(), 1, rng, [&](Index i, Index run, Index) {
        a[i] = x[run];
        b[i] = y[run];
      });
      if (const auto drawn = correlation(a, b)) return *drawn;
    }
  });
  return detail::percentile_estimate(*value, values, options.confidence, where);
}

}  // namespace mellow::statistics

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <vector>

#include <mellow/core/rng.hpp>
#include <mellow/statistics/aggregates.hpp>
#include <mellow/statistics/bootstrap.hpp>
#include <mellow/statistics/estimate.hpp>
#include <mellow/statistics/share.hpp>
#include <mellow/tools/plot.hpp>

#include "paper.hpp"

/// What the papers' claims are written with.
namespace mellow::suite {

/// Six digits, more than two seeds have in common: what is left of a figure in results that others compare with theirs.
inline double rounded(double x) { return std::strtod(fmt::format("{:.6g}", x).c_str(), nullptr); }

/// A number in which nothing is random.
inline statistics::Estimate certain(double x) { return {x, x, x}; }

using statistics::share;

/// Mean over runs.
inline statistics::Estimate mean_of(const std::vector<double>& runs, Rng& rng) {
  return statistics::bootstrap(runs, statistics::Mean{}, rng);
}

/// a - b run by run, where a run of both has the same seed.
inline std::vector<double> less(std::vector<double> a, const std::vector<double>& b) {
  std::ranges::transform(a, b, a.begin(), std::minus{});
  return a;
}

/// Mean over runs of a - b, where a run of both has the same seed.
inline statistics::Estimate difference_of(const std::vector<double>& a, const std::vector<double>& b, Rng& rng) {
  return statistics::paired_difference(a, b, statistics::Mean{}, rng);
}

/// How many of n runs something holds of, which their number says.
template <class Holds>
Index count_runs(std::size_t n, const Holds& holds) {
  Index count = 0;
  for (std::size_t i = 0; i < n; ++i) count += holds(i);
  return count;
}

/// How many runs of `a` lie below those of `b`, where a run of both has the same seed.
inline Index count_below(const std::vector<double>& a, const std::vector<double>& b) {
  return count_runs(a.size(), [&](std::size_t i) { return a[i] < b[i]; });
}

/// Adds a point with its interval to a line.
inline void add_point(tools::Series& line, double x, const statistics::Estimate& y) {
  line.x.push_back(x);
  line.y.push_back(y.value);
  line.low.push_back(y.low);
  line.high.push_back(y.high);
}

/// Of a criterion that could be tested.
inline Verdict verdict(bool holds) { return holds ? Verdict::Holds : Verdict::DoesNotHold; }

/// Of the claim that something lies above a bound.
inline Verdict above(const statistics::Estimate& x, double bound) {
  return x.low > bound ? Verdict::Holds : x.high < bound ? Verdict::DoesNotHold : Verdict::Open;
}

/// Of the claim that it lies below.
inline Verdict below(const statistics::Estimate& x, double bound) {
  return x.high < bound ? Verdict::Holds : x.low > bound ? Verdict::DoesNotHold : Verdict::Open;
}

/// Of the claim that it lies between two bounds.
inline Verdict between(const statistics::Estimate& x, double low, double high) {
  if (x.low > low && x.high < high) return Verdict::Holds;
  return x.low > high || x.high < low ? Verdict::DoesNotHold : Verdict::Open;
}

/// Of the claim that there is no difference, where one within +-margin counts as none.
inline Verdict within(const statistics::Estimate& difference, double margin) {
  return between(difference, -margin, margin);
}

}  // namespace mellow::suite

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <mellow/core/root_finding.hpp>
#include <mellow/core/types.hpp>
#include <mellow/preference/inverse_slope.hpp>

namespace mellow::preference {

/// The problem that preference losses stand for, with finitely many responses to one prompt.
struct RlhfProblem {
  Vector<double> reference{};  ///< pi_ref(y) > 0, summing to 1
  Vector<double> rewards{};    ///< r(y), finite, as many
  double beta = 0.1;           ///< weight of the divergence, > 0

  /// Throws Error for numbers out of range.
  void validate(std::string_view where) const {
    require(reference.size() > 0, where, "there must be a response", reference.size());
    if (rewards.size() != reference.size())
      throw Error(where, fmt::format("rewards must have {} numbers", reference.size()), rewards.size());
    require((reference.array() > 0).all(), where, "reference must be positive", reference.minCoeff());
    require(std::abs(reference.sum() - 1.0) <= 1e-9, where, "reference must sum to 1", reference.sum());
    require(rewards.array().isFinite().all(), where, "rewards must be finite; their sum is not", rewards.sum());
    require(std::isfinite(beta) && beta > 0, where, "beta must be positive and finite", beta);
  }
};

/// An optimal policy of an `RlhfProblem`.
struct OptimalPolicy {
  Vector<double> policy{};  ///< pi*(y)
  Vector<double> ratios{};  ///< u(y) = pi*(y) / pi_ref(y)
  double multiplier = 0;    ///< nu: r(y) - beta f'(u(y)) wherever the penalty reaches and pi*(y) > 0
  double value = 0;         ///< of the objective
};

namespace detail {

/// The sum over `penalised` of pi_ref(y) u(y) where f'(u(y)) = (r(y) - nu) / beta, and its derivative in -nu.
template <InvertibleGenerator G>
std::pair<double, double> penalised_mass(const G& g, const RlhfProblem& problem, std::span<const Index> penalised,
                                         double nu) {
  double mass = 0, slope = 0;
  for (const Index y : penalised) {
    const double u = inverse_slope(g, std::min((problem.rewards[y] - nu) / problem.beta, g.greatest_slope()));
    mass += problem.reference[y] * u;
    if (u > 0.0) slope += problem.reference[y] * u / (problem.beta * g.score(std::log(u)).slope);
  }
  return {mass, slope};
}

template <InvertibleGenerator G>
OptimalPolicy solve(const G& g, const RlhfProblem& problem, std::span<const Index> penalised, double least_nu,
                    std::string_view where) {
  double greatest = -infinity, least = infinity;
  for (const Index y : penalised) {
    greatest = std::max(greatest, problem.rewards[y]);
    least = std::min(least, problem.rewards[y]);
  }
  const double at_one = problem.beta * g.derivative(1.0);
  // Below this, f' does not reach the greatest reward's slope on its increasing part.
  const double reached = std::isinf(g.greatest_slope()) ? -infinity : greatest - problem.beta * g.greatest_slope();
  // Above the high end no ratio exceeds 1. Where the penalty reaches all responses none is below 1 under the low end.
  const double high = std::max(greatest - at_one, least_nu);
  const double low = std::max(reached, std::isinf(least_nu) ? std::min(least - at_one, high) : least_nu);
  const auto missing = [&](double nu) {
    const auto [mass, slope] = penalised_mass(g, problem, penalised, nu);
    return std::pair{1.0 - mass, slope};
  };
  const double at_low = missing(low).first;
  OptimalPolicy found{.policy = Vector<double>::Zero(problem.reference.size()),
                      .ratios = Vector<double>::Zero(problem.reference.size()),
                      .multiplier = low};
  if (at_low > 1e-8 && low > least_nu)
    throw Error(where, "the optimum lies where f' no longer increases; beta must be greater", problem.beta);
  if (at_low < 0.0) found.multiplier = missing(high).first < 0.0 ? high : find_root(missing, low, high);
  for (const Index y : penalised) {
    found.ratios[y] =
        inverse_slope(g, std::min((problem.rewards[y] - found.multiplier) / problem.beta, g.greatest_slope()));
    found.policy[y] = problem.reference[y] * found.ratios[y];
  }
  return found;
}

template <InvertibleGenerator G>
double objective(const G& g, const RlhfProblem& problem, std::span<const Index> penalised, const OptimalPolicy& at) {
  double value = at.policy.dot(problem.rewards);
  for (const Index y : penalised) value -= problem.beta * problem.reference[y] * g.f(at.ratios[y]);
  return value;
}

}  // namespace detail

/// The policy that maximises sum_y pi(y) r(y) - beta sum_y pi_ref(y) f(pi(y) / pi_ref(y)) over all policies, from its
/// KKT conditions: r(y) - beta f'(u(y)) = nu, or u(y) = 0 where even f'(0) is above. With `ReverseKl`: pi_ref exp(r /
/// beta), normalised.
///
/// Of a generator that is not convex it is the solution on the increasing part of f'. Throws Error for numbers out of
/// range and where there is no such solution.
template <InvertibleGenerator G>
OptimalPolicy optimal_policy(const G& g, const RlhfProblem& problem) {
  constexpr auto where = "preference::optimal_policy";
  problem.validate(where);
  std::vector<Index> all(static_cast<std::size_t>(problem.reference.size()));
  for (std::size_t y = 0; y < all.size(); ++y) all[y] = static_cast<Index>(y);
  OptimalPolicy found = detail::solve(g, problem, all, -detail::infinity, where);
  found.value = detail::objective(g, problem, all, found);
  return found;
}

/// The same where the penalty reaches the responses `in_sample` alone, those that occur in a pair: the weaker problem
/// that leads to the same loss (Asadi et al. 2026). What mass they do not take goes to the best response out of sample,
/// the first of equals, whose reward is then nu.
///
/// Throws Error as `optimal_policy` does, and unless the responses in sample are distinct and exist.
template <InvertibleGenerator G>
OptimalPolicy in_sample_optimal_policy(const G& g, const RlhfProblem& problem, std::span<const Index> in_sample) {
  constexpr auto where = "preference::in_sample_optimal_policy";
  problem.validate(where);
  require(!in_sample.empty(), where, "there must be a response in sample", in_sample.size());
  std::vector<bool> seen(static_cast<std::size_t>(problem.reference.size()), false);
  for (const Index y : in_sample) {
    if (y < 0 || y >= problem.reference.size())
      throw Error(where, fmt::format("in_sample must lie in [0, {})", problem.reference.size()), y);
    require(!seen[static_cast<std::size_t>(y)], where, "in_sample must be distinct", y);
    seen[static_cast<std::size_t>(y)] = true;
  }
  Index best = -1;
  for (Index y = 0; y < problem.reference.size(); ++y)
    if (!seen[static_cast<std::size_t>(y)] && (best < 0 || problem.rewards[y] > problem.rewards[best])) best = y;
  const double outside = best < 0 ? -detail::infinity : problem.rewards[best];
  OptimalPolicy found = detail::solve(g, problem, in_sample, outside, where);
  if (best >= 0) {
    const double rest = 1.0 - found.policy.sum();
    found.policy[best] = rest > 1e-12 ? rest : 0.0;
    found.ratios[best] = found.policy[best] / problem.reference[best];
  }
  found.value = detail::objective(g, problem, in_sample, found);
  return found;
}

}  // namespace mellow::preference

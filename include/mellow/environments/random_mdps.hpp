// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <mellow/core/rng.hpp>
#include <mellow/environments/dense_mdp.hpp>
#include <mellow/environments/tabular_mdp.hpp>

namespace mellow::environments {

/// A random model of 2 to 10 states and 2 to 5 actions (Asadi & Littman 2017, section 7.1). Each entry of a transition
/// matrix is uniform in [0, 0.01], plus N(1, 0.1) in half of the cases, plus N(100, 1) in a tenth; negative ones become
/// 0 and rows are normalised. Rewards are drawn by the same process for each state and action and scaled to a maximum
/// of 0.5.
inline DenseMdp random_mdp(Rng& rng) {
  const Index states = 2 + rng.below(9), actions = 2 + rng.below(4);
  const auto entry = [&] {
    double x = rng.uniform(0.0, 0.01);
    if (rng.uniform() < 0.5) x += rng.normal(1.0, std::sqrt(0.1));
    if (rng.uniform() < 0.1) x += rng.normal(100.0, 1.0);
    return std::max(0.0, x);
  };
  std::vector<DenseMdp::TransitionMatrix> transitions;
  for (Index a = 0; a < actions; ++a) {
    DenseMdp::TransitionMatrix p(states, states);
    for (Index s = 0; s < states; ++s) {
      do {
        for (Index next = 0; next < states; ++next) p(s, next) = entry();
      } while (p.row(s).sum() == 0.0);
      p.row(s) /= p.row(s).sum();
    }
    transitions.push_back(std::move(p));
  }
  Matrix<double> rewards(actions, states);
  do {
    for (Index s = 0; s < states; ++s)
      for (Index a = 0; a < actions; ++a) rewards(a, s) = entry();
  } while (rewards.maxCoeff() == 0.0);
  rewards *= 0.5 / rewards.maxCoeff();
  return {std::move(transitions), std::move(rewards)};
}

/// The size of a Garnet problem.
struct GarnetOptions {
  Index states = 100;   ///< > 0
  Index actions = 4;    ///< > 0
  Index branching = 5;  ///< next states of each action, from 1 to `states`
};

/// A Garnet problem (Archibald, McKinnon & Thomas 1995; Bhatnagar et al. 2009): each action leads to `branching`
/// distinct random states, with probabilities that cut the unit interval at uniform points, and has a standard normal
/// reward. Episodes start anywhere and do not end. Throws Error for options out of range.
inline TabularMdp garnet(const GarnetOptions& options, Rng& rng) {
  detail::require_size("garnet", options.states, options.actions);
  require(options.branching > 0 && options.branching <= options.states, "garnet",
          "branching must lie between 1 and the number of states", options.branching);
  std::vector<Index> order(static_cast<std::size_t>(options.states));
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<Index>(i);
  const auto n = static_cast<std::size_t>(options.branching);
  const auto outcomes = [&](Index, Index) {
    std::vector<double> cuts{0.0};
    for (std::size_t i = 1; i < n; ++i) cuts.push_back(rng.uniform());
    cuts.push_back(1.0);
    std::sort(cuts.begin(), cuts.end());
    const double reward = rng.normal();
    std::vector<Outcome> result;
    for (std::size_t i = 0; i < n; ++i) {  // the first n of a Fisher-Yates shuffle
      std::swap(order[i], order[i + static_cast<std::size_t>(rng.below(static_cast<std::int64_t>(order.size() - i)))]);
      result.push_back({cuts[i + 1] - cuts[i], order[i], reward, false});
    }
    return result;
  };
  return TabularMdp(options.states, options.actions, outcomes,
                    Vector<double>::Constant(options.states, 1.0 / static_cast<double>(options.states)));
}

}  // namespace mellow::environments

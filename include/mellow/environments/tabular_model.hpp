// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <concepts>
#include <ranges>
#include <string_view>

#include <mellow/core/error.hpp>
#include <mellow/core/types.hpp>

namespace mellow::environments {

/// One thing that may happen after an action in a state.
struct Outcome {
  double probability = 1.0;  ///< in [0, 1]
  Index next = 0;            ///< the state it leads to
  double reward = 0.0;       ///< finite
  bool terminated = false;   ///< the episode ends there: no value lies beyond
};

/// A Markov decision process of finitely many states 0 .. states()-1 and actions 0 .. actions()-1, whose probabilities
/// are known:
///
///     states(), actions()        how many
///     outcomes(state, action)    a range of Outcome; their probabilities sum to 1
///     start()                    probability of each state to begin an episode in: states
///
/// `TabularMdp` stores outcomes, `DenseMdp` matrices; planners take either, `Tabular` makes an environment of either.
template <class M>
concept TabularModel = requires(const M model, Index state, Index action) {
  { model.states() } -> std::convertible_to<Index>;
  { model.actions() } -> std::convertible_to<Index>;
  { model.start() } -> std::convertible_to<const Vector<double>&>;
  requires std::convertible_to<std::ranges::range_value_t<decltype(model.outcomes(state, action))>, Outcome>;
};

/// r + discount v(next), in expectation over what an action may lead to.
template <TabularModel M, class Values>
double lookahead(const M& model, Index state, Index action, double discount, const Values& v) {
  double total = 0.0;
  for (const Outcome& outcome : model.outcomes(state, action))
    total += outcome.probability * (outcome.reward + (outcome.terminated ? 0.0 : discount * v[outcome.next]));
  return total;
}

namespace detail {

/// Probabilities that are given in decimals may miss 1 by this much.
inline constexpr double probability_tolerance = 1e-9;

inline void require_size(std::string_view where, Index states, Index actions) {
  require(states > 0, where, "a model needs at least one state", states);
  require(actions > 0, where, "a model needs at least one action", actions);
}

inline void require_start(std::string_view where, const Vector<double>& start, Index states) {
  if (start.size() != states)
    throw Error(where, fmt::format("start needs a probability for each of {} states", states), start.size());
  for (Index s = 0; s < states; ++s)
    if (!(start[s] >= 0.0))
      throw Error(where, fmt::format("the start probability of state {} must not be negative", s), start[s]);
  require(std::abs(start.sum() - 1.0) <= probability_tolerance, where, "start probabilities must sum to 1",
          start.sum());
}

}  // namespace detail

}  // namespace mellow::environments

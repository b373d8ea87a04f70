// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include <mellow/environments/tabular_mdp.hpp>

namespace mellow::environments {

/// The numbers of a chain.
struct ChainOptions {
  double left_reward = 0.0;   ///< of leaving at the left end
  double right_reward = 1.0;  ///< of leaving at the right end
  double slip = 0.0;          ///< probability that a move goes the other way, in [0, 1]
};

/// A chain of states with a way out at either end; action 0 goes left, 1 right, episodes start in the middle. Acting at
/// random makes it the random walk (Sutton & Barto 2018, example 6.2), whose values are (state + 1) / (states + 1) by
/// default. Throws Error for no states or a slip out of range.
inline TabularMdp chain(Index states, const ChainOptions& options = {}) {
  require(states > 0, "chain", "states must be positive", states);
  require(options.slip >= 0 && options.slip <= 1, "chain", "slip must lie in [0, 1]", options.slip);
  const auto move = [&](Index s, Index direction, double probability) -> Outcome {
    if (s + direction < 0) return {probability, s, options.left_reward, true};
    if (s + direction >= states) return {probability, s, options.right_reward, true};
    return {probability, s + direction, 0.0, false};
  };
  const auto outcomes = [&](Index s, Index a) -> std::vector<Outcome> {
    const Index direction = a == 1 ? 1 : -1;
    if (options.slip == 0) return {move(s, direction, 1.0)};
    return {move(s, direction, 1.0 - options.slip), move(s, -direction, options.slip)};
  };
  return TabularMdp(states, 2, outcomes, Vector<double>::Unit(states, states / 2));
}

/// States in a row with a wall at the left end: action 0 goes left, 1 right, entering the last one pays 1 and ends.
/// Episodes start in any of the others. Throws Error for less than two states.
inline TabularMdp walled_chain(Index states) {
  require(states > 1, "walled_chain", "states must be at least 2", states);
  const auto outcomes = [states](Index s, Index a) -> std::vector<Outcome> {
    const Index next = std::clamp<Index>(s + (a == 1 ? 1 : -1), 0, states - 1);
    const bool ends = next == states - 1;
    return {{1.0, next, ends ? 1.0 : 0.0, ends}};
  };
  Vector<double> start = Vector<double>::Constant(states, 1.0 / static_cast<double>(states - 1));
  start[states - 1] = 0;
  return TabularMdp(states, 2, outcomes, start);
}

/// The numbers of the counter-example.
struct BoltzmannCounterExampleOptions {
  double reward_b = 0.033;  ///< of action 1, whose two outcomes pay the same
};

/// The model on which planning under a Boltzmann softmax has two fixed points (Asadi & Littman 2017, figure 1; discount
/// 0.98): one state with a choice. Action 0 pays 0.122 and goes on with probability 0.66, action 1 pays `reward_b` and
/// goes on with 0.99.
///
/// With the printed reward 0.033, two fixed points coexist for beta in [16.874, 17.045] (take 17); the figures of the
/// paper fit 0.0335 at beta = 16.55.
inline TabularMdp boltzmann_counter_example(const BoltzmannCounterExampleOptions& options = {}) {
  return TabularMdp(1, 2, [&](Index, Index a) -> std::vector<Outcome> {
    const double stays = a == 0 ? 0.66 : 0.99, reward = a == 0 ? 0.122 : options.reward_b;
    return {{stays, 0, reward, false}, {1.0 - stays, 0, reward, true}};
  });
}

}  // namespace mellow::environments

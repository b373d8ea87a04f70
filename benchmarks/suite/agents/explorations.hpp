// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/operators/boltzmann.hpp>
#include <mellow/operators/epsilon_greedy.hpp>
#include <mellow/operators/explore.hpp>
#include <mellow/operators/mellowmax_policy.hpp>

#include "../any_part.hpp"
#include "../settings.hpp"

namespace mellow::suite {

/// How to explore, chosen by name; for all agents that learn action values.
struct Explorations {
  using Part = AnyExploration<operators::EpsilonGreedy, operators::Explore<operators::Boltzmann>,
                              operators::Explore<operators::MellowmaxPolicy>>;

  std::size_t choice = 0;
  operators::EpsilonGreedy epsilon_greedy{};
  operators::Boltzmann boltzmann{};
  operators::MellowmaxPolicy mellowmax{};

  void describe(Settings& settings) {
    settings.add_choice("exploration", choice, {"epsilon_greedy", "boltzmann", "mellowmax"}, "how actions are tried");
    settings.begin_alternative("exploration", "epsilon_greedy");
    settings.add("epsilon", epsilon_greedy.epsilon, "probability of a random action, by environment steps");
    settings.begin_alternative("exploration", "boltzmann");
    settings.add("beta", boltzmann.beta, "inverse temperature");
    settings.begin_alternative("exploration", "mellowmax");
    settings.add("omega", mellowmax.omega, "sharpness of the mellowmax whose policy is followed");
    settings.end_alternative();
  }

  Part part() const {
    if (choice == 1) return {{.chosen = operators::explore(boltzmann)}};
    if (choice == 2) return {{.chosen = operators::explore(mellowmax)}};
    return {{.chosen = epsilon_greedy}};
  }
};

}  // namespace mellow::suite

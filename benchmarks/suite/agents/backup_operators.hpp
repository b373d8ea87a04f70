// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/operators/boltzmann.hpp>
#include <mellow/operators/epsilon_mix.hpp>
#include <mellow/operators/max.hpp>
#include <mellow/operators/mean.hpp>
#include <mellow/operators/mellowmax.hpp>

#include "../settings.hpp"

namespace mellow::suite {

/// The operator that a backup applies to the next state's action values, chosen by name; for all agents that bootstrap.
struct BackupOperators {
  /// `Any<...>` of these operators, and of an agent's own backups after them.
  template <template <class...> class Any, class... Others>
  using Part = Any<operators::Max, operators::Mellowmax, operators::Boltzmann, operators::EpsilonMix, operators::Mean,
                   Others...>;

  std::size_t choice = 0;
  operators::Mellowmax mellowmax{};
  operators::Boltzmann boltzmann{};
  operators::EpsilonMix epsilon_mix{};

  /// `others` names the agent's own backups.
  void describe(Settings& settings, const std::vector<std::string>& others = {}) {
    std::vector<std::string> names{"max", "mellowmax", "boltzmann", "epsilon_mix", "mean"};
    names.insert(names.end(), others.begin(), others.end());
    settings.add_choice("backup", choice, names, "value of the next state from its actions'");
    settings.begin_alternative("backup", "mellowmax");
    settings.add("omega", mellowmax.omega, "sharpness; not 0");
    settings.begin_alternative("backup", "boltzmann");
    settings.add("beta", boltzmann.beta, "inverse temperature");
    settings.begin_alternative("backup", "epsilon_mix");
    settings.add("epsilon", epsilon_mix.epsilon, "share of the mean");
    settings.end_alternative();
  }

  /// The backup that was chosen; `others` are the agent's own.
  template <template <class...> class Any, class... Others>
  Part<Any, Others...> part(const Others&... others) const {
    const Part<Any, Others...> all[]{{{.chosen = operators::Max{}}},  {{.chosen = mellowmax}},
                                     {{.chosen = boltzmann}},         {{.chosen = epsilon_mix}},
                                     {{.chosen = operators::Mean{}}}, {{.chosen = others}}...};
    return all[choice];
  }
};

}  // namespace mellow::suite

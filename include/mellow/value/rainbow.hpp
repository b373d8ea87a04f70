// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <tuple>
#include <utility>

#include <mellow/core/network.hpp>
#include <mellow/core/parts.hpp>
#include <mellow/data/prioritized_replay.hpp>
#include <mellow/operators/epsilon_greedy.hpp>
#include <mellow/value/backups.hpp>
#include <mellow/value/categorical_head.hpp>
#include <mellow/value/dqn.hpp>

namespace mellow::value {

/// Rainbow (Hessel et al. 2018): `Dqn` with double Q-learning, a categorical distribution (C51), prioritised replay and
/// three-step returns; its network should be noisy (`nn::NoisyDense`), which then explores alone, and dueling
/// (`nn::Dueling`).
///
///     auto agent = value::rainbow(network, {.update_every = 4}, value::CategoricalHead{.v_min = -100, .v_max = 100});
///
/// A part that is given takes the place of Rainbow's own in its role, so that each can be left out:
///
///     without double Q-learning       operators::Max{}
///     without distributions           ScalarHead{}, and one output an action
///     without priorities              data::UniformReplay{.steps = 3}
///     without three-step returns      data::PrioritizedReplay{.alpha = 0.5}
///     without noise, or dueling       another network; epsilon-greedy explores where it is not noisy
///
/// and any other may be added: `Proximal`, `ResetOptimizer`, `Replicate`. The simplified Rainbow of Dopamine (Castro et
/// al. 2018) is the one without double Q-learning, noise and dueling.
template <Network Net, class... Parts>
auto rainbow(Net network, DqnOptions options, const Parts&... parts) {
  operators::EpsilonGreedy exploration;
  if constexpr (NoisyNetwork<Net>) exploration.epsilon = 0.0;
  const auto own = [&]<class Role>(Role, const auto& part) {
    if constexpr ((Fills<Parts, Role> || ...)) return std::tuple<>();
    else return std::tuple(part);
  };
  return std::apply([&](const auto&... all) { return Dqn(std::move(network), options, all...); },
                    std::tuple_cat(own(roles::Backup{}, DoubleQ{}), own(roles::Head{}, CategoricalHead{}),
                                   own(roles::Replay{}, data::PrioritizedReplay{.alpha = 0.5, .steps = 3}),
                                   own(roles::Exploration{}, exploration), std::tuple<const Parts&...>(parts...)));
}

/// The same with default options.
template <Network Net, class... Parts>
  requires(!std::same_as<std::tuple_element_t<0, std::tuple<Parts..., int>>, DqnOptions>)
auto rainbow(Net network, const Parts&... parts) {
  return rainbow(std::move(network), DqnOptions{}, parts...);
}

}  // namespace mellow::value

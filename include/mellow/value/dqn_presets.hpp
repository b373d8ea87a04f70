// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mellow/core/nearest.hpp>
#include <mellow/environments/acrobot.hpp>
#include <mellow/environments/any.hpp>
#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/discretized_actions.hpp>
#include <mellow/environments/mountain_car.hpp>
#include <mellow/environments/mountain_car_continuous.hpp>
#include <mellow/environments/normalized_reward.hpp>
#include <mellow/environments/pendulum.hpp>
#include <mellow/environments/puddle_world.hpp>
#include <mellow/environments/rescaled_observation.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/value/dqn.hpp>

namespace mellow::value {

/// A deep Q agent tuned for one environment: double Q-learning (`DoubleQ`) on a target that follows by `Polyak`
/// averages, and the numbers of both, of the network and of the run.
///
///     const auto preset = value::dqn_preset("acrobot");
///     auto agent = preset.make_agent(seed);
///     training::train(agent, preset.environment, {.steps = preset.steps, .seed = seed});
struct DqnPreset {
  std::string name;                              ///< by which it is asked for: "acrobot"
  std::string task;                              ///< the environment's name in Gymnasium: "Acrobot-v1"
  environments::Any<Box, Discrete> environment;  ///< with its time limit
  std::optional<double> solved;            ///< mean return that counts as solved; nothing where Gymnasium names none
  double reaches;                          ///< mean greedy return of its best weights (docs/presets.md)
  Index steps;                             ///< environment steps to learn from
  std::vector<Index> hidden{64, 64};       ///< widths of the network's hidden layers
  DqnOptions options{};                    ///< numbers of the agent
  nn::Adam optimizer{};                    ///< its learning rate
  operators::EpsilonGreedy exploration{};  ///< its epsilon
  data::UniformReplay replay{};            ///< its capacity
  Polyak tracking{};                       ///< its tau
  ScalarHead head{.loss = TdLoss::squared()};  ///< its loss

  /// A fresh agent with these settings, whose parameters are drawn with `seed`.
  auto make_agent(std::uint64_t seed) const {
    std::vector<Index> widths{environment.observation_space().size()};
    widths.insert(widths.end(), hidden.begin(), hidden.end());
    widths.push_back(environment.action_space().n);
    DqnOptions seeded = options;
    seeded.seed = seed;
    return Dqn(nn::Mlp(std::move(widths)), seeded, DoubleQ{}, optimizer, exploration, replay, tracking, head);
  }
};

/// All presets, tuned on other seeds than those of the figure they reach; how, and of Acrobot's one exception: see
/// docs/presets.md.
inline std::vector<DqnPreset> dqn_presets() {
  using namespace environments;
  return {
      {.name = "cartpole",
       .task = "CartPole-v1",
       .environment = TimeLimit(CartPole{}, 500),
       .solved = 475.0,
       .reaches = 498.7,
       .steps = 50'000},
      {.name = "acrobot",
       .task = "Acrobot-v1",
       .environment = TimeLimit(Acrobot{}, 500),
       .solved = -100.0,
       .reaches = -80.3,
       .steps = 80'000,
       .options = {.batch_size = 128, .update_every = 2},
       .optimizer = {.learning_rate = linear(1e-3, 1e-4, 40'000)}},
      {.name = "mountain-car",
       .task = "MountainCar-v0",
       .environment = TimeLimit(RescaledObservation(MountainCar{}), 200),
       .solved = -110.0,
       .reaches = -98.7,
       .steps = 120'000,
       .options = {.update_every = 2},
       .replay = {.steps = 5}},  // with one step, the goal's news spreads too slowly
      {.name = "mountain-car-continuous",
       .task = "MountainCarContinuous-v0, full force either way",
       .environment = TimeLimit(DiscretizedActions(RescaledObservation(MountainCarContinuous{}), 2), 999),
       .solved = 90.0,
       .reaches = 93.3,
       .steps = 60'000,
       .options = {.update_every = 2},
       .replay = {.steps = 5}},
      {.name = "pendulum",
       .task = "Pendulum-v1, five torques",
       .environment = TimeLimit(DiscretizedActions(Pendulum{}, 5), 200),
       .solved = std::nullopt,
       .reaches = -148.9,
       .steps = 30'000,
       .head = {.loss = TdLoss::huber()}},
      {.name = "puddle-world",
       .task = "the puddle world",
       .environment = TimeLimit(NormalizedReward(RescaledObservation(PuddleWorld{})), 200),
       .solved = std::nullopt,
       .reaches = -22.3,
       .steps = 80'000,
       .options = {.update_every = 2}},
  };
}

/// The names of all presets.
inline std::vector<std::string> dqn_preset_names() {
  std::vector<std::string> names;
  for (const DqnPreset& preset : dqn_presets()) names.push_back(preset.name);
  return names;
}

/// The preset of this name. Throws Error, with the known names and the nearest of them, where there is none.
inline DqnPreset dqn_preset(std::string_view name) {
  std::string list;
  for (DqnPreset& preset : dqn_presets()) {
    if (preset.name == name) return std::move(preset);
    list += (list.empty() ? "" : ", ") + preset.name;
  }
  const std::string near = nearest(name, dqn_preset_names());
  throw Error("value::dqn_preset",
              fmt::format("the name must be one of {}{}", list, near.empty() ? "" : "; did you mean " + near + "?"),
              name);
}

}  // namespace mellow::value

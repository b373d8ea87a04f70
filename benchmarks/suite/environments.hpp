// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <mellow/core/error.hpp>
#include <mellow/environments/acrobot.hpp>
#include <mellow/environments/any.hpp>
#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/chains.hpp>
#include <mellow/environments/gridworlds.hpp>
#include <mellow/environments/minatar/asterix.hpp>
#include <mellow/environments/minatar/breakout.hpp>
#include <mellow/environments/minatar/freeway.hpp>
#include <mellow/environments/minatar/seaquest.hpp>
#include <mellow/environments/minatar/space_invaders.hpp>
#include <mellow/environments/mountain_car.hpp>
#include <mellow/environments/mountain_car_continuous.hpp>
#include <mellow/environments/passenger_taxi.hpp>
#include <mellow/environments/pendulum.hpp>
#include <mellow/environments/puddle_world.hpp>
#include <mellow/environments/rectangle_puddle_world.hpp>
#include <mellow/environments/rounded_cart_pole.hpp>
#include <mellow/environments/tabular.hpp>

#include "language_task.hpp"
#include "settings.hpp"

namespace mellow::suite {

/// @{
/// The kinds of environments that agents know.
using Control = environments::Any<Box, Discrete>;
using Continuous = environments::Any<Box, Box>;
using Table = environments::Any<Discrete, Discrete>;
/// @}
/// An environment of one of these kinds, or a task for language models.
using AnyEnvironment = std::variant<Control, Continuous, Table, LanguageEnvironment>;

/// An environment that can be asked for by name.
struct EnvironmentEntry {
  std::string_view name;         ///< Gymnasium's id where it is Gymnasium's
  std::string_view description;  ///< one line
  Index time_limit;              ///< steps an episode; 0: none
  std::optional<double> solved;  ///< mean return that counts as solved
  bool is_language = false;      ///< whether it is a task for language models, which has no steps
};

/// All of them.
const std::vector<EnvironmentEntry>& environment_list();

/// A state of an environment, as it is before wrappers change it.
struct Sight {
  Vector<float> numbers{};  ///< its observation, where that is a vector
  Index state = 0;          ///< its observation, where that is an index
  double reward = 0;        ///< of the step that led to it
  bool begins = false;      ///< whether an episode begins with it
};

/// Who looks on.
using Onlooker = std::function<void(const Sight&)>;

/// An environment's numbers and wrappers.
struct EnvironmentConfig {
  EnvironmentEntry entry;                                          ///< which
  Index time_limit;                                                ///< steps an episode; 0: none
  environments::CartPoleOptions cart_pole{};                       ///< of the cart-poles
  environments::minatar::Options minatar{};                        ///< of MinAtar's games
  double gravity = 9.8;                                            ///< of rounded-cart-pole
  environments::BoltzmannCounterExampleOptions counter_example{};  ///< of counter-example
  bool slippery = true;                                            ///< of the frozen lakes
  double slip = 0.0;                                               ///< of passenger-taxi and chain
  Index states = 19;                                               ///< of chain
  double goal_x = 1.0, goal_y = 1.0;                               ///< of rectangle-puddle-world
  bool rescale_observations = false;                               ///< to [-1, 1] by the space's bounds
  bool normalize_observations = false;                             ///< by running mean and variance
  bool normalize_rewards = false;                                  ///< by the running variance of the return
  Index action_levels = 0;        ///< makes continuous actions discrete: values a dimension; 0: leaves them
  Index action_copies = 1;        ///< of every discrete action
  Index action_repeat = 1;        ///< steps an action is held
  LanguageTaskConfig language{};  ///< of the tasks for language models

  /// Of a name. Throws Error, with the nearest one, where there is none.
  explicit EnvironmentConfig(std::string_view name);

  /// Adds the numbers that the environment itself has.
  void describe(Settings& settings);
  /// Adds the wrappers as well.
  void describe_wrappers(Settings& settings);

  /// The environment, wrapped; an onlooker, where there is one, is told of every state. It changes no result.
  AnyEnvironment make(const Onlooker& onlooker = {}) const;
};

/// Calls `use(environment)` with the environment of its own type, without its time limit and wrappers.
template <class Use>
void with_bare_environment(const EnvironmentConfig& config, const Use& use) {
  using namespace environments;
  const std::string_view name = config.entry.name;
  if (name.starts_with("CartPole")) use(CartPole(config.cart_pole));
  else if (name == "Acrobot-v1") use(Acrobot());
  else if (name.starts_with("MinAtar/Asterix-")) use(minatar::Asterix(config.minatar));
  else if (name.starts_with("MinAtar/Breakout-")) use(minatar::Breakout(config.minatar));
  else if (name.starts_with("MinAtar/Freeway-")) use(minatar::Freeway(config.minatar));
  else if (name.starts_with("MinAtar/Seaquest-")) use(minatar::Seaquest(config.minatar));
  else if (name.starts_with("MinAtar/SpaceInvaders-")) use(minatar::SpaceInvaders(config.minatar));
  else if (name == "MountainCar-v0") use(MountainCar());
  else if (name == "MountainCarContinuous-v0") use(MountainCarContinuous());
  else if (name == "Pendulum-v1") use(Pendulum());
  else if (name == "FrozenLake-v1") use(Tabular(frozen_lake(frozen_lake_4x4(), config.slippery)));
  else if (name == "FrozenLake8x8-v1") use(Tabular(frozen_lake(frozen_lake_8x8(), config.slippery)));
  else if (name == "cliff-walking") use(Tabular(cliff_walking()));
  else if (name == "passenger-taxi") use(Tabular(passenger_taxi({.slip = config.slip})));
  else if (name == "chain") {
    require(config.states <= 10'000'000, "env.states", "must be at most 10000000, some 2 GB", config.states);
    use(Tabular(chain(config.states, {.slip = config.slip})));
  } else if (name == "counter-example") use(Tabular(boltzmann_counter_example(config.counter_example)));
  else if (name == "puddle-world") use(PuddleWorld());
  else if (name == "rectangle-puddle-world") use(RectanglePuddleWorld({config.goal_x, config.goal_y}));
  else if (name == "rounded-cart-pole") use(RoundedCartPole(config.gravity));
  else if (config.entry.is_language) throw Error("environment", "is for language models: it has no steps", name);
  else throw Error("environment", "is listed, but not made", name);
}

}  // namespace mellow::suite

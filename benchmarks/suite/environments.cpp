// SPDX-License-Identifier: Apache-2.0
#include "environments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>
#include <utility>

#include <mellow/core/nearest.hpp>
#include <mellow/environments/action_repeat.hpp>
#include <mellow/environments/discretized_actions.hpp>
#include <mellow/environments/duplicate_actions.hpp>
#include <mellow/environments/normalized_observation.hpp>
#include <mellow/environments/normalized_reward.hpp>
#include <mellow/environments/rescaled_observation.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/environments/wrapper.hpp>

namespace mellow::suite {
namespace {

/// MinAtar itself has none. But a Seaquest player who never dives, or a Breakout player who never misses, would keep an
/// evaluation from ending.
constexpr Index minatar_limit = 10'000;

EnvironmentEntry entry_of(std::string_view name) {
  std::vector<std::string> known;
  for (const EnvironmentEntry& entry : environment_list()) {
    if (entry.name == name) return entry;
    known.emplace_back(entry.name);
  }
  const auto near = nearest(name, known);
  throw Error("environment",
              fmt::format("there is none of this name{}",
                          near.empty() ? " (`mellow_bench list` names all)" : "; did you mean " + near + "?"),
              name);
}

/// Tells an onlooker of every state. Its own state is what it wraps, so that checkpoints of runs without it fit.
template <class E>
class Watched : public environments::Wrapper<E> {
 public:
  Watched(E environment, Onlooker onlooker)
      : environments::Wrapper<E>(std::move(environment)), onlooker_(std::move(onlooker)) {}

  template <class Generator>
  void reset(Generator& rng) {
    this->environment_.reset(rng);
    tell(0, true);
  }
  template <class Action, class Generator>
  Step step(const Action& action, Generator& rng) {
    const Step result = this->environment_.step(action, rng);
    tell(result.reward, false);
    return result;
  }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    E::visit_state(self.environment_, visit);
  }

 private:
  void tell(double reward, bool begins) const {
    Sight sight{.reward = reward, .begins = begins};
    if constexpr (std::same_as<ObservationSpace<E>, Box>) {
      sight.numbers.resize(this->environment_.observation_space().size());
      this->environment_.observe(sight.numbers);
    } else {
      this->environment_.observe(sight.state);
    }
    onlooker_(sight);
  }

  Onlooker onlooker_;
};

template <class O, class A>
environments::Any<O, A> wrapped(environments::Any<O, A> environment, const EnvironmentConfig& config,
                                const Onlooker& onlooker) {
  using namespace environments;
  using Kind = Any<O, A>;
  if (onlooker) environment = Kind::rewrap(Watched<Kind>(std::move(environment), onlooker));
  if constexpr (std::same_as<O, Box>) {
    if (config.rescale_observations) environment = Kind::rewrap(RescaledObservation(std::move(environment)));
    if (config.normalize_observations) environment = Kind::rewrap(NormalizedObservation(std::move(environment)));
  } else if (config.rescale_observations || config.normalize_observations) {
    throw Error("environment", "its observations are indices, which cannot be rescaled", config.entry.name);
  }
  if (config.normalize_rewards) environment = Kind::rewrap(NormalizedReward(std::move(environment)));
  if constexpr (std::same_as<A, Discrete>) {
    if (config.action_copies != 1)
      environment = Kind::rewrap(DuplicateActions(std::move(environment), config.action_copies));
  } else if (config.action_copies != 1) {
    throw Error("environment", "action_copies needs discrete actions: set action_levels", config.entry.name);
  }
  if (config.action_repeat != 1) environment = Kind::rewrap(ActionRepeat(std::move(environment), config.action_repeat));
  require(config.time_limit >= 0, "time_limit", "must not be negative", config.time_limit);
  if (config.time_limit > 0) environment = Kind::rewrap(TimeLimit(std::move(environment), config.time_limit));
  return environment;
}

}  // namespace

const std::vector<EnvironmentEntry>& environment_list() {
  static const std::vector<EnvironmentEntry> list{
      {"CartPole-v1", "keep a pole upright on a cart", 500, 475.0},
      {"CartPole-v0", "the same for 200 steps", 200, 195.0},
      {"Acrobot-v1", "swing a double pendulum up by its middle joint", 500, -100.0},
      {"MountainCar-v0", "drive an under-powered car out of a valley", 200, -110.0},
      {"MountainCarContinuous-v0", "the same with a continuous force, which costs", 999, 90.0},
      {"Pendulum-v1", "swing a pendulum up and hold it, by a continuous torque", 200, std::nullopt},
      {"FrozenLake-v1", "cross a frozen lake of 4 x 4 cells", 100, 0.70},
      {"FrozenLake8x8-v1", "cross a frozen lake of 8 x 8 cells", 200, 0.85},
      {"cliff-walking", "walk along a cliff (actions: left, down, right, up)", 200, std::nullopt},
      {"passenger-taxi", "collect three passengers in a maze (Dearden et al. 1998)", 0, std::nullopt},
      {"chain", "walk to the rewarding end of a chain", 1000, std::nullopt},
      {"counter-example", "one choice on which a Boltzmann backup has two fixed points", 0, std::nullopt},
      {"puddle-world", "reach a corner around two puddles (Sutton 1996)", 1000, std::nullopt},
      {"rectangle-puddle-world", "the same with rectangular puddles and a goal of one's own", 1000, std::nullopt},
      {"rounded-cart-pole", "cart-pole with rounded states", 200, std::nullopt},
      {"MinAtar/Asterix-v0", "collect gold among enemies on a grid; all six actions", minatar_limit, std::nullopt},
      {"MinAtar/Asterix-v1", "the same with the five actions that do something", minatar_limit, std::nullopt},
      {"MinAtar/Breakout-v0", "break bricks with a ball and a paddle; six actions", minatar_limit, std::nullopt},
      {"MinAtar/Breakout-v1", "the same with three actions", minatar_limit, std::nullopt},
      {"MinAtar/Freeway-v0", "lead a chicken across eight lanes; six actions", minatar_limit, std::nullopt},
      {"MinAtar/Freeway-v1", "the same with three actions", minatar_limit, std::nullopt},
      {"MinAtar/Seaquest-v0", "rescue divers with a submarine; six actions", minatar_limit, std::nullopt},
      {"MinAtar/Seaquest-v1", "the same, since all six do something", minatar_limit, std::nullopt},
      {"MinAtar/SpaceInvaders-v0", "shoot marching aliens; six actions", minatar_limit, std::nullopt},
      {"MinAtar/SpaceInvaders-v1", "the same with four actions", minatar_limit, std::nullopt},
      {"long-addition", "add two numbers, digit by digit, from an imperfect teacher", 0, std::nullopt, true},
      {"json-lines", "completions or preference pairs of a file: --data FILE", 0, std::nullopt, true},
  };
  return list;
}

EnvironmentConfig::EnvironmentConfig(std::string_view name) : entry(entry_of(name)), time_limit(entry.time_limit) {
  minatar.minimal_actions = name.ends_with("-v1");
  if (name == "passenger-taxi") slip = environments::PassengerTaxiOptions{}.slip;
}

void EnvironmentConfig::describe(Settings& settings) {
  const std::string_view name = entry.name;
  if (entry.is_language) return language.describe(settings, name);
  settings.add("time_limit", time_limit, "steps an episode; 0: none");
  if (name.starts_with("CartPole")) {
    settings.add("gravity", cart_pole.gravity, "m/s^2");
    settings.add("cart_mass", cart_pole.cart_mass, "kg");
    settings.add("pole_mass", cart_pole.pole_mass, "kg");
    settings.add("half_length", cart_pole.half_length, "of the pole, m");
    settings.add("force", cart_pole.force, "of a push, N");
    settings.add("time_step", cart_pole.time_step, "s");
    settings.add("position_limit", cart_pole.position_limit, "fails beyond it, m");
    settings.add("angle_limit", cart_pole.angle_limit, "fails beyond it, rad");
    settings.add_choice("integrator", cart_pole.integrator, {"euler", "semi_implicit"}, "how a time step is taken");
    settings.add("sutton_barto_reward", cart_pole.sutton_barto_reward, "0 a step and -1 on failure, not 1 a step");
  }
  if (name.starts_with("MinAtar/")) {
    settings.add("sticky_action_probability", minatar.sticky_action_probability, "that a step repeats the last action");
    settings.add("difficulty_ramping", minatar.difficulty_ramping,
                 "whether Asterix, Seaquest and Space Invaders get faster");
  }
  if (name == "rounded-cart-pole") settings.add("gravity", gravity, "m/s^2");
  if (name == "counter-example") settings.add("reward_b", counter_example.reward_b, "of the action that mostly stays");
  if (name.starts_with("FrozenLake")) settings.add("slippery", slippery, "whether moves may go aside");
  if (name == "chain") settings.add("states", states, "length of the chain");
  if (name == "chain" || name == "passenger-taxi") settings.add("slip", slip, "probability that a move goes astray");
  if (name == "rectangle-puddle-world") {
    settings.add("goal_x", goal_x, "where the goal is");
    settings.add("goal_y", goal_y, "where the goal is");
  }
}

void EnvironmentConfig::describe_wrappers(Settings& settings) {
  if (entry.is_language) return;
  settings.add("rescale_observations", rescale_observations, "to [-1, 1] by the bounds of their space");
  settings.add("normalize_observations", normalize_observations, "by running mean and variance");
  settings.add("normalize_rewards", normalize_rewards, "by the running variance of the return");
  settings.add("action_levels", action_levels, "makes continuous actions discrete: values a dimension; 0: no");
  settings.add("action_copies", action_copies, "of every discrete action, side by side");
  settings.add("action_repeat", action_repeat, "steps for which an action is held");
}

AnyEnvironment EnvironmentConfig::make(const Onlooker& onlooker) const {
  if (entry.is_language) return LanguageEnvironment{std::string(entry.name), language};
  require(action_levels >= 0, "action_levels", "must not be negative", action_levels);
  std::optional<AnyEnvironment> made;
  with_bare_environment(*this, [&](auto environment) {
    using environments::Any;
    using E = decltype(environment);
    using Held = Any<ObservationSpace<E>, ActionSpace<E>>;
    if constexpr (std::same_as<Held, Continuous>) {
      if (action_levels > 0) {
        made =
            wrapped(Control(environments::DiscretizedActions(std::move(environment), action_levels)), *this, onlooker);
        return;
      }
    } else if (action_levels > 0) {
      throw Error("environment", "its actions are discrete already", entry.name);
    }
    made = wrapped(Held(std::move(environment)), *this, onlooker);
  });
  return *made;
}

}  // namespace mellow::suite

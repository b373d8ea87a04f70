// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include <mellow/core/legacy_numpy_generator.hpp>
#include <mellow/core/numpy_generator.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/tools/command_line.hpp>
#include <mellow/tools/read_number.hpp>
#include <mellow/training/evaluate.hpp>

#include "commands.hpp"
#include "environments.hpp"

namespace mellow::suite {
namespace {

/// The actions of a file: a heading a0[,a1..], then one action a line.
std::vector<std::vector<double>> read_actions(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) throw Error(path.string(), "cannot read the actions");
  std::vector<std::vector<double>> actions;
  std::size_t width = 0, number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    if (line.ends_with('\r')) line.pop_back();
    const std::string where = fmt::format("{}:{}", path.string(), number);
    std::vector<double> action;
    std::size_t column = 0;
    for (std::size_t begin = 0; begin <= line.size(); ++column) {
      const auto end = std::min(line.find(',', begin), line.size());
      const std::string_view cell = std::string_view(line).substr(begin, end - begin);
      begin = end + 1;
      if (number == 1) {
        if (cell != fmt::format("a{}", column)) throw Error(where, "the heading must be a0[,a1..]", line);
        continue;
      }
      const auto value = tools::read_number<double>(cell);
      if (!value || !std::isfinite(*value))
        throw Error(where, "an action must be finite numbers with commas between them", line);
      action.push_back(*value);
    }
    if (number == 1) width = column;
    else if (column != width) throw Error(where, fmt::format("an action must have {} numbers", width), line);
    else actions.push_back(std::move(action));
  }
  if (number == 0) throw Error(path.string(), "is empty; it needs a heading a0[,a1..]");
  return actions;
}

/// What to do at each step.
struct Actions {
  std::vector<std::vector<double>> given;  // unless random
  std::string file;                        // where from
  bool random;
  Index steps;
};

Index take_action(const Discrete& space, const std::vector<double>& numbers, const std::string& where) {
  const double number = numbers.at(0);
  const auto action = static_cast<Index>(number);
  if (static_cast<double>(action) != number || action < 0 || action >= space.n)
    throw Error(where, fmt::format("an action must be a whole number from 0 to {}", space.n - 1), number);
  return action;
}

Vector<float> take_action(const Box&, const std::vector<double>& numbers, const std::string&) {
  Vector<float> action(static_cast<Index>(numbers.size()));
  for (Index i = 0; i < action.size(); ++i) action[i] = static_cast<float>(numbers[static_cast<std::size_t>(i)]);
  return action;
}

Index action_size(const Discrete&) { return 1; }
Index action_size(const Box& space) { return space.size(); }

/// The shortest texts that read back exactly.
void append(std::string& row, Index value) { row += fmt::format(",{}", value); }
void append(std::string& row, const Vector<float>& values) {
  for (const float value : values) row += fmt::format(",{}", value);
}

/// Gymnasium's generator is NumPy's, MinAtar's NumPy's older one; environments that Gymnasium does not have may need more
/// than that can draw.
template <class Generator, class E>
void trace_steps(E environment, std::uint64_t seed, const Actions& actions) {
  Generator generator(seed);
  Rng rng(seed);
  const auto space = environment.action_space();
  const Index width = action_size(space);
  if (!actions.random && !actions.given.empty() && std::ssize(actions.given.front()) != width)
    throw Error("mellow_bench trace", fmt::format("the environment's actions have {} numbers", width),
                actions.given.front().size());
  auto observation = training::make_observation(environment);
  std::string row = "kind,episode,step";
  for (Index i = 0; i < width; ++i) row += fmt::format(",a{}", i);
  Index numbers = 1;
  if constexpr (std::same_as<ObservationSpace<E>, Box>) numbers = environment.observation_space().size();
  for (Index i = 0; i < numbers; ++i) row += fmt::format(",o{}", i);
  fmt::print("{},reward,terminated,truncated\n", row);

  Index episode = 0, step = 0;
  const auto begin = [&] {
    environment.reset(generator);
    environment.observe(observation);
    step = 0;
    row = fmt::format("reset,{},0{}", episode, std::string(static_cast<std::size_t>(width), ','));
    append(row, observation);
    fmt::print("{},,,\n", row);
  };
  begin();
  for (Index i = 0; i < actions.steps; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const Action<E> action = actions.random
                                 ? space.sample(rng)
                                 : take_action(space, actions.given[at], fmt::format("{}:{}", actions.file, at + 2));
    const Step taken = environment.step(action, generator);
    environment.observe(observation);
    row = fmt::format("step,{},{}", episode, ++step);
    append(row, action);
    append(row, observation);
    fmt::print("{},{},{:d},{:d}\n", row, taken.reward, taken.terminated, taken.truncated);
    if (taken.terminated || taken.truncated) {
      ++episode;
      begin();
    }
  }
}

}  // namespace

void trace(int argc, const char* const* argv) {
  std::string name;
  std::uint64_t seed = 0;
  std::filesystem::path file;
  bool random = false;
  Index steps = 1'000;
  std::vector<std::string> assignments;
  CommandLine(
      "Prints an environment's steps as CSV, to compare it with another implementation: a row `reset` where an "
      "episode begins, as after Gymnasium's reset(seed=SEED), and a row `step` for each action.")
      .argument("ENV", name, "which (`mellow_bench list` names all)")
      .option("--seed", seed, "of the first reset, as Gymnasium's; later episodes continue its generator")
      .option("--actions", file, "a CSV file of actions: a heading a0[,a1..], then one action a line")
      .option("--random", random, "draws the actions instead, uniformly")
      .option("--steps", steps, "how many, with --random", {.minimum = 0})
      .option("--set", assignments, "NAME=VALUE, a number of the environment; an unknown name is told the nearest one")
      .parse(argc, argv);
  if (random != file.empty()) throw Error("mellow_bench trace", "needs either --actions FILE or --random");
  EnvironmentConfig config(name);
  Settings settings;
  config.describe(settings);
  settings.set(assignments);
  Actions actions{.given = {}, .file = file.string(), .random = random, .steps = steps};
  if (!random) {
    actions.given = read_actions(file);
    actions.steps = std::ssize(actions.given);
  }
  with_bare_environment(config, [&]<class E>(E environment) {
    const auto in_time = [&](auto limited) {
      if constexpr (std::same_as<E, environments::PuddleWorld> || std::same_as<E, environments::RectanglePuddleWorld>)
        trace_steps<Rng>(std::move(limited), seed, actions);
      else if constexpr (requires { E::channel_names; })
        trace_steps<LegacyNumpyGenerator>(std::move(limited), seed, actions);
      else trace_steps<NumpyGenerator>(std::move(limited), seed, actions);
    };
    if (config.time_limit != 0) in_time(environments::TimeLimit(std::move(environment), config.time_limit));
    else in_time(std::move(environment));
  });
}

}  // namespace mellow::suite

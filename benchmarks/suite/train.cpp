// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string_view>
#include <thread>

#include <mellow/core/nearest.hpp>
#include <mellow/tools/command_line.hpp>
#include <mellow/tools/event_file.hpp>

#include "campaign.hpp"
#include "commands.hpp"
#include "output_folder.hpp"
#include "ranks.hpp"

namespace mellow::suite {
namespace {

SinkChoice read_sinks(std::string_view text) {
  SinkChoice choice;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find(',', begin), text.size());
    const std::string_view name = text.substr(begin, end - begin);
    begin = end + 1;
    if (name == "jsonl") choice.json_lines = true;
    else if (name == "tensorboard") choice.tensorboard = true;
    else if (name != "csv") {
      const auto near = nearest(name, {"csv", "jsonl", "tensorboard"});
      throw Error(
          "--sinks",
          fmt::format("a sink is csv, jsonl or tensorboard{}", near.empty() ? "" : "; did you mean " + near + "?"),
          name);
    }
  }
  if (choice.tensorboard && !tools::EventFile::is_available())
    throw Error("--sinks", "mellow was built without Protocol Buffers, which event files need", "tensorboard");
  return choice;
}

}  // namespace

void train(int argc, const char* const* argv) {
  std::string agent_name, environment_name, preset_name;
  Campaign campaign;
  campaign.options.steps = 0;
  Index jobs = std::max(1u, std::thread::hardware_concurrency());
  bool settings_only = false;
  std::vector<std::string> assignments;
  std::string sinks = "csv", data;
  campaign.options.evaluate_every = -1;
  campaign.checkpoint_every = 0;
  CommandLine(
      "Trains an agent in an environment, or a language model in a task or on a file, from several seeds and says what "
      "it reaches. A run that was interrupted or killed goes on where its last checkpoint was, when the same command "
      "is "
      "given again.")
      .option("--agent", agent_name, "which (`mellow_bench list` names all)")
      .option("--env", environment_name, "where (`mellow_bench list` names all)")
      .option("--data", data, "a file of JSON lines for a language model: --env json-lines --set env.file=FILE")
      .option("--preset", preset_name, "settings that suit: agent, environment, steps and numbers")
      .option("--set", assignments,
              "NAME=VALUE, a number or a part of the agent, or env.NAME=VALUE; of one name the last one counts")
      .option("--settings", settings_only, "lists what can be set, with the present values, and exits")
      .option("--steps", campaign.options.steps,
              "environment steps of a run, or updates; 0: the preset's, or 50 000, or 1 000 updates", {.minimum = 0})
      .option("--seeds", campaign.seeds, "how many runs", {.minimum = 1})
      .option("--first-seed", campaign.first_seed, "seed of the first run; the others follow")
      .option("--jobs", jobs, "runs at a time; the results do not depend on it", {.minimum = 1})
      .option("--data-parallel", campaign.data_parallel,
              "MPI's ranks share each run, the gradients of a language model's batches summed; else the seeds")
      .option("--evaluate-every", campaign.options.evaluate_every,
              "steps between evaluations; 0: never; -1: 1 000, or 100 updates", {.minimum = -1})
      .option("--evaluation-episodes", campaign.options.evaluation_episodes, "episodes an evaluation", {.minimum = 1})
      .option("--test-episodes", campaign.test_episodes, "fresh episodes, or prompts, that judge the weights",
              {.minimum = 1})
      .option("--checkpoint-every", campaign.checkpoint_every, "steps between checkpoints; 0: 10 000, or 100 updates",
              {.minimum = 0})
      .option("--sinks", sinks, "where metrics go, with commas between: csv (always), jsonl, tensorboard")
      .option("--output", campaign.folder, "folder of the campaign; empty: results/PRESET, or results/AGENT-ENV")
      .parse(argc, argv);

  if (!data.empty()) {
    if (!environment_name.empty() && environment_name != "json-lines")
      throw Error("--env", "must be json-lines, or left out, beside --data", environment_name);
    environment_name = "json-lines";
    if (std::ranges::any_of(assignments, [](const std::string& one) { return one.starts_with("env.file="); }))
      throw Error("--set", "env.file is what --data says; give one of them", data);
    assignments.push_back("env.file=" + data);
  }
  if (!preset_name.empty()) {
    const Preset& preset = preset_of(preset_name);
    const auto take = [&](std::string& name, std::string_view of_preset, const char* option) {
      if (!name.empty() && name != of_preset)
        throw Error(option, fmt::format("the preset {} is for {}", preset.name, of_preset), name);
      name = of_preset;
    };
    take(agent_name, preset.agent, "--agent");
    take(environment_name, preset.environment, "--env");
    assignments.insert(assignments.begin(), preset.assignments.begin(), preset.assignments.end());
    if (campaign.options.steps == 0) campaign.options.steps = preset.steps;
  }
  campaign.sinks = read_sinks(sinks);
  if (campaign.first_seed > std::numeric_limits<std::uint64_t>::max() - static_cast<std::uint64_t>(campaign.seeds - 1))
    throw Error("--first-seed", fmt::format("leaves no room for {} seeds", campaign.seeds), campaign.first_seed);
  if (agent_name.empty()) throw Error("--agent", "is missing (`mellow_bench list` names all)");
  if (environment_name.empty()) throw Error("--env", "is missing (`mellow_bench list` names all)");

  const auto agent = agent_of(agent_name).make();
  EnvironmentConfig environment(environment_name);
  const bool updates = environment.entry.is_language;
  if (campaign.options.steps == 0) campaign.options.steps = updates ? 1'000 : 50'000;
  if (campaign.options.evaluate_every < 0) campaign.options.evaluate_every = updates ? 100 : 1'000;
  if (campaign.checkpoint_every == 0) campaign.checkpoint_every = updates ? 100 : 10'000;
  Settings settings;
  agent->describe(settings);
  settings.set_prefix("env.");
  environment.describe(settings);
  environment.describe_wrappers(settings);
  settings.set(assignments);
  if (settings_only) {
    fmt::print("{}", settings.help());
    return;
  }
  if (campaign.data_parallel && !updates) throw Error("--data-parallel", "is for language models", agent_name);
  campaign.agent = agent_name;
  campaign.environment = environment_name;
  campaign.settings = settings.values();
  campaign.keep_environment = environment.normalize_observations;
  if (campaign.folder.empty() && !preset_name.empty()) campaign.folder = std::filesystem::path("results") / preset_name;
  if (campaign.folder.empty()) {
    std::string task = std::filesystem::path(environment.language.file).stem().string();
    if (task.empty()) task = environment_name;
    std::ranges::replace(task, '/', '-');  // of ids such as MinAtar/Breakout-v0
    campaign.folder = std::filesystem::path("results") / fmt::format("{}-{}", agent_name, task);
  }
  campaign.folder = without_detours(campaign.folder);
  const AnyEnvironment made = environment.make();
  campaign.words = agent->words(made);
  const auto runs = run(campaign, *agent, made, jobs);
  if (ranks::rank() == 0) report(campaign, runs);
}

}  // namespace mellow::suite

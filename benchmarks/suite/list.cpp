// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <mellow/tools/command_line.hpp>

#include "agent.hpp"
#include "commands.hpp"
#include "environments.hpp"
#include "paper.hpp"

namespace mellow::suite {

void list(int argc, const char* const* argv) {
  CommandLine("Names what there is.").parse(argc, argv);
  const auto line = [](std::string_view name, std::string_view text) { fmt::print("  {:<24}  {}\n", name, text); };
  fmt::print("Agents (--agent; `mellow_bench train --agent NAME --settings` lists what can be set):\n");
  for (const auto& agent : agent_list()) line(agent.name, agent.description);
  for (const bool language : {false, true}) {
    fmt::print("\n{} (--env):\n", language ? "Tasks for language models" : "Environments");
    for (const auto& environment : environment_list())
      if (environment.is_language == language)
        line(environment.name, environment.solved
                                   ? fmt::format("{}; solved at {}", environment.description, *environment.solved)
                                   : environment.description);
  }
  fmt::print("\nPresets (--preset):\n");
  for (const auto& preset : preset_list())
    line(preset.name, fmt::format("{} in {}, {} {}", preset.agent, preset.environment, preset.steps,
                                  EnvironmentConfig(preset.environment).entry.is_language ? "updates" : "steps"));
  fmt::print("\nPapers (mellow_bench reproduce NAME):\n");
  for (const auto& paper : papers()) line(paper.name, paper.title);
}

}  // namespace mellow::suite

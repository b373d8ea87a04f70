// SPDX-License-Identifier: Apache-2.0
// mellow_bench: trains, reproduces papers, measures speed and writes reports.
#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <mellow/core/error.hpp>
#include <mellow/core/nearest.hpp>
#include <mellow/tools/build_info.hpp>
#include <mellow/tools/command_line.hpp>
#include <mellow/version.hpp>

#include "commands.hpp"
#include "ranks.hpp"

namespace {

struct Command {
  std::string_view name, help;
  void (*run)(int argc, const char* const* argv);
};

constexpr std::array commands{
    Command{"list", "agents, environments, papers and presets, a line each", mellow::suite::list},
    Command{"train", "runs of an agent in an environment, over seeds", mellow::suite::train},
    Command{"reproduce", "the claims of a paper, measured", mellow::suite::reproduce},
    Command{"report", "one page over all results below a folder, as HTML and Markdown", mellow::suite::report},
    Command{"watch", "a trained agent plays: in the terminal, as GIF or PNG", mellow::suite::watch},
    Command{"diagnose", "what a training on preference pairs did to their probability, from a file of yours",
            mellow::suite::diagnose},
    Command{"speed", "the speed programs, compared with earlier figures", mellow::suite::speed},
    Command{"trace", "the steps of an environment as CSV", mellow::suite::trace},
};

void help() {
  fmt::print(
      "mellow_bench trains agents, reproduces papers, diagnoses preference training, measures speed and writes "
      "reports.\n\n"
      "Usage: mellow_bench COMMAND [options]\n\n");
  for (const auto& [name, text, run] : commands) fmt::print("  {:<10}  {}\n", name, text);
  fmt::print(
      "\n`mellow_bench COMMAND --help` explains a command. For instance:\n\n"
      "  mellow_bench train --agent dqn --env CartPole-v1 --seeds 20\n"
      "  mellow_bench watch results/dqn-CartPole-v1/seed-0\n"
      "  mellow_bench reproduce mellowmax --quick\n"
      "  mellow_bench report results\n");
}

}  // namespace

int main(int argc, char** argv) {
  const mellow::suite::ranks::Session session(argc, argv);
  return mellow::run_main([&] {
    const std::string_view name = argc > 1 ? argv[1] : "--help";
    if (name == "--help" || name == "-h") {
      help();
      return;
    }
    if (name == "--version") {
      fmt::print("mellow {}, {}, {}{}\n", mellow::version, mellow::tools::compiler, mellow::tools::instruction_set,
                 mellow::suite::ranks::with_mpi ? ", MPI" : "");
      return;
    }
    std::vector<std::string> known;
    for (const Command& command : commands) {
      known.emplace_back(command.name);
      if (command.name != name) continue;
      if (mellow::suite::ranks::size() > 1 && name != "train")
        throw mellow::Error("mpirun", "only `mellow_bench train` works in several processes");
      const std::string program = fmt::format("mellow_bench {}", name);
      std::vector<const char*> arguments(argv + 1, argv + argc);
      arguments.front() = program.c_str();
      command.run(static_cast<int>(arguments.size()), arguments.data());
      return;
    }
    const std::string near = mellow::nearest(name, known);
    fmt::print(stderr, "error: {}: unknown command ({})\n", name,
               near.empty() ? "--help lists all" : "did you mean " + near + "?");
    std::exit(2);
  });
}

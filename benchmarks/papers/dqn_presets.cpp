// SPDX-License-Identifier: Apache-2.0
// What each DQN preset reaches: several seeds of one setting; the weights kept by evaluation and the last ones, each
// tested on 100 fresh episodes. The table of docs/presets.md.
#include <algorithm>
#include <chrono>
#include <vector>

#include <mellow/tools/command_line.hpp>
#include <mellow/tools/csv.hpp>
#include <mellow/tools/interrupt.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/dqn_presets.hpp>

using namespace mellow;

int main(int argc, char** argv) {
  return run_main([&] {
    Index seeds = 5, first_seed = 0;
    std::vector<std::string> names = value::dqn_preset_names();
    names.push_back("all");
    std::string name = "all";
    std::filesystem::path output = "results/dqn_presets";
    CommandLine("Trains each DQN preset from several seeds and prints what it reaches.")
        .option("--preset", name, "which", names)
        .option("--seeds", seeds, "number of runs of each", {.minimum = 1})
        .option("--first-seed", first_seed, "seed of the first run; the others follow")
        .option("--output", output, "folder for results.csv")
        .parse(argc, argv);

    tools::Interrupt interrupt;
    tools::CsvWriter csv(output / "results.csv",
                         {"preset", "seed", "best_step", "best_weights_return", "last_weights_return", "seconds"});
    for (const value::DqnPreset& preset : value::dqn_presets()) {
      if (name != "all" && name != preset.name) continue;
      std::vector<double> best, last, seconds;
      for (Index run_index = 0; run_index < seeds && !tools::Interrupt::requested(); ++run_index) {
        const auto seed = static_cast<std::uint64_t>(first_seed + run_index);
        const auto start = std::chrono::steady_clock::now();
        auto agent = preset.make_agent(seed);
        const auto run = training::train(agent, preset.environment, {.steps = preset.steps, .seed = seed});
        seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
        const auto test = [&] {
          return training::mean(training::evaluate(agent, preset.environment, 100, Rng(seed, training::streams::test)));
        };
        last.push_back(test());
        agent.set_parameters(run.best_parameters);
        best.push_back(test());
        csv.row({preset.name, seed, run.best_step, best.back(), last.back(), seconds.back()});
        fmt::print("  {:<14} seed {:>3}: best weights {:>7.1f} (step {:>6}), last {:>7.1f}, {:.1f} s\n", preset.name,
                   seed, best.back(), run.best_step, last.back(), seconds.back());
        std::fflush(stdout);
      }
      if (best.empty()) break;
      fmt::print(
          "{:<14} best weights: mean {:.1f}, worst {:.1f}; last weights: mean {:.1f}, worst {:.1f}; {:.1f} s a run\n",
          preset.name, training::mean(best), *std::ranges::min_element(best), training::mean(last),
          *std::ranges::min_element(last), training::mean(seconds));
    }
    csv.finish();
  });
}

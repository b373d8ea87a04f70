// SPDX-License-Identifier: Apache-2.0
// How reliably the default DQN learns CartPole-v1: several seeds of one setting; the weights kept by evaluation and the
// last ones, each tested on 100 fresh episodes.
#include <vector>

#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/tools/command_line.hpp>
#include <mellow/tools/csv.hpp>
#include <mellow/tools/interrupt.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/dqn.hpp>

using namespace mellow;

int main(int argc, char** argv) {
  return run_main([&] {
    Index seeds = 20, first_seed = 0, steps = 50'000;
    double solved = 475.0;
    std::filesystem::path output = "results/dqn_cart_pole";
    CommandLine("Trains the default DQN on CartPole-v1 from several seeds and counts how many solve it.")
        .option("--seeds", seeds, "number of runs", {.minimum = 1})
        .option("--first-seed", first_seed, "seed of the first run; the others follow")
        .option("--steps", steps, "environment steps a run", {.minimum = 1})
        .option("--solved", solved, "mean greedy return over 100 fresh episodes that counts as solved")
        .option("--output", output, "folder for results.csv")
        .parse(argc, argv);

    tools::Interrupt interrupt;
    tools::CsvWriter csv(output / "results.csv", {"seed", "best_step", "best_weights_return", "last_weights_return"});
    const environments::TimeLimit environment(environments::CartPole{}, 500);
    Index runs = 0, best_solved = 0, last_solved = 0;
    fmt::print("{:>4} {:>10} {:>14} {:>14}\n", "seed", "best step", "best weights", "last weights");
    for (; runs < seeds && !tools::Interrupt::requested(); ++runs) {
      const auto seed = static_cast<std::uint64_t>(first_seed + runs);
      value::Dqn agent(nn::Mlp{{4, 64, 64, 2}}, {.seed = seed});
      const auto run = training::train(agent, environment, {.steps = steps, .seed = seed});
      const auto test = [&] {
        return training::mean(training::evaluate(agent, environment, 100, Rng(seed, training::streams::test)));
      };
      const double last = test();
      agent.set_parameters(run.best_parameters);
      const double best = test();
      best_solved += best >= solved;
      last_solved += last >= solved;
      csv.row({seed, run.best_step, best, last});
      fmt::print("{:>4} {:>10} {:>14.1f} {:>14.1f}\n", seed, run.best_step, best, last);
      std::fflush(stdout);
    }
    csv.finish();
    fmt::print("Of {} runs of {} steps, {} solve it (>= {}) with the best weights and {} with the last.\n", runs, steps,
               best_solved, solved, last_solved);
  });
}

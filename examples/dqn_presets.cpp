// SPDX-License-Identifier: Apache-2.0
// Deep Q-learning with settings tuned for an environment: `--preset acrobot` learns it, keeps the best weights, and
// tests them on fresh episodes beside what the preset reached when it was measured.
#include <mellow/tools/command_line.hpp>
#include <mellow/tools/recorder.hpp>
#include <mellow/tools/weights.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/dqn_presets.hpp>

using namespace mellow;

int main(int argc, char** argv) {
  return run_main([&] {
    std::string name = "cartpole";
    Index steps = 0;
    std::uint64_t seed = 0;
    std::filesystem::path output = "results/dqn_presets";
    CommandLine("Trains DQN with settings tuned for an environment and tests the best weights on 100 fresh episodes.")
        .option("--preset", name, "what is learned", value::dqn_preset_names())
        .option("--steps", steps, "environment steps to learn from; 0: the preset's", {.minimum = 0})
        .option("--seed", seed, "the same seed gives the same run")
        .option("--output", output, "folder for metrics, plot and weights")
        .parse(argc, argv);

    const value::DqnPreset preset = value::dqn_preset(name);
    if (steps == 0) steps = preset.steps;
    auto agent = preset.make_agent(seed);
    tools::Recorder recorder(output, {.steps = steps,
                                      .title = "DQN on " + preset.task,
                                      .reference = tools::ReferenceLine{preset.reaches, "what the preset reaches"}});
    training::OnImprovement keep(
        [&] { tools::save_weights(output / "weights.safetensors", agent.network(), agent.parameters()); });
    const auto run = training::train(agent, preset.environment, {.steps = steps, .seed = seed}, recorder, keep);

    const auto test = [&] {
      return training::mean(training::evaluate(agent, preset.environment, 100, Rng(seed, training::streams::test)));
    };
    const double last = test();
    agent.set_parameters(run.best_parameters);
    const double best = test();
    fmt::print("{}: learned from {} steps in {} episodes. Mean greedy return over 100 fresh episodes:\n", preset.task,
               run.steps, run.episodes);
    fmt::print("  best weights (from step {}): {:.1f}{}\n", run.best_step, best,
               preset.solved && best >= *preset.solved ? ", solved" : "");
    fmt::print("  last weights: {:.1f}\n", last);
    fmt::print("  the preset reaches: {:.1f} in {} steps (mean of 5 seeds)\n", preset.reaches, preset.steps);
    fmt::print("Plot:    {}\nMetrics: {}\nWeights: {}\n", (output / "learning_curve.png").string(),
               (output / "metrics.csv").string(), (output / "weights.safetensors").string());
  });
}

// SPDX-License-Identifier: Apache-2.0
// DQN learns to balance a pole: trains on CartPole-v1, keeps the best weights, and tests them on fresh episodes.
#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/tools/command_line.hpp>
#include <mellow/tools/recorder.hpp>
#include <mellow/tools/weights.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/dqn.hpp>

using namespace mellow;

int main(int argc, char** argv) {
  return run_main([&] {
    Index steps = 50'000;
    std::uint64_t seed = 0;
    double learning_rate = nn::Adam{}.learning_rate(0);
    std::filesystem::path output = "results/dqn";
    CommandLine("Trains DQN on CartPole-v1 and tests the best weights on 100 fresh episodes.")
        .option("--steps", steps, "environment steps to learn from", {.minimum = 1})
        .option("--seed", seed, "the same seed gives the same run")
        .option("--learning-rate", learning_rate, "of Adam")
        .option("--output", output, "folder for metrics, plot and weights")
        .parse(argc, argv);

    environments::TimeLimit environment(environments::CartPole{}, 500);
    value::Dqn agent(nn::Mlp{{4, 64, 64, 2}}, {.seed = seed}, nn::Adam{.learning_rate = learning_rate});

    tools::Recorder recorder(
        output, {.steps = steps, .title = "DQN on CartPole-v1", .reference = tools::ReferenceLine{475, "solved: 475"}});
    training::OnImprovement keep(
        [&] { tools::save_weights(output / "weights.safetensors", agent.network(), agent.parameters()); });
    const auto run = training::train(agent, environment, {.steps = steps, .seed = seed}, recorder, keep);

    const auto test = [&] {
      return training::mean(training::evaluate(agent, environment, 100, Rng(seed, training::streams::test)));
    };
    const double last = test();
    agent.set_parameters(run.best_parameters);
    const double best = test();
    fmt::print("Learned from {} steps in {} episodes. Mean greedy return over 100 fresh episodes:\n", run.steps,
               run.episodes);
    fmt::print("  best weights (from step {}): {:.1f}{}\n", run.best_step, best, best >= 475 ? ", solved" : "");
    fmt::print("  last weights: {:.1f}\n", last);
    fmt::print("Plot:    {}\nMetrics: {}\nWeights: {}\n", (output / "learning_curve.png").string(),
               (output / "metrics.csv").string(), (output / "weights.safetensors").string());
  });
}

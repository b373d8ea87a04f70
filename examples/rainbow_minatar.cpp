// SPDX-License-Identifier: Apache-2.0
// Rainbow learns MinAtar's Breakout: noisy, dueling layers above a convolution, a distribution of the return for every
// action, three-step returns, prioritised replay, double Q-learning; and DQN Pro's pull for one more line.
#include <mellow/environments/minatar/breakout.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/nn/convolution.hpp>
#include <mellow/nn/dueling.hpp>
#include <mellow/nn/flatten.hpp>
#include <mellow/nn/noisy.hpp>
#include <mellow/nn/sequential.hpp>
#include <mellow/tools/command_line.hpp>
#include <mellow/tools/recorder.hpp>
#include <mellow/tools/weights.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/proximal.hpp>
#include <mellow/value/rainbow.hpp>

using namespace mellow;
using environments::minatar::Breakout;

namespace {

/// 16 filters, then a value and advantages, each a distribution over so many atoms.
auto rainbow_network(Index channels, Index actions, Index atoms) {
  const nn::Convolution<> filters({10, 10, channels}, {.filters = 16, .kernel = 3, .padding = nn::Padding::Same});
  const nn::Flatten<> flatten(filters.output_image());
  return nn::Sequential(
      filters, nn::ReLU{}, flatten,
      nn::Dueling(nn::NoisyDense<>(flatten.outputs(), atoms), nn::NoisyDense<>(flatten.outputs(), actions * atoms)));
}

}  // namespace

int main(int argc, char** argv) {
  return run_main([&] {
    Index steps = 100'000;
    std::uint64_t seed = 0;
    double pull = std::numeric_limits<double>::infinity();
    std::filesystem::path output = "results/rainbow_minatar";
    CommandLine("Trains Rainbow on MinAtar's Breakout and tests the best weights on 100 fresh episodes.")
        .option("--steps", steps, "frames to learn from", {.minimum = 1})
        .option("--seed", seed, "the same seed gives the same run")
        .option("--pull", pull,
                "c of DQN Pro's pull towards the target network, which makes it Rainbow Pro; 0.025 suits")
        .option("--output", output, "folder for metrics, plot and weights")
        .parse(argc, argv);

    const environments::TimeLimit environment(Breakout({.minimal_actions = true}), 1'000);
    const value::CategoricalHead head{.v_min = -100, .v_max = 100};
    auto agent = value::rainbow(rainbow_network(4, 3, head.atoms), {.batch_size = 32, .update_every = 4, .seed = seed},
                                head, data::PrioritizedBitReplay{.capacity = 100'000, .alpha = 0.5, .steps = 3},
                                nn::Adam{.learning_rate = 2.5e-4, .epsilon = 3.125e-4}, value::Proximal{.c = pull});

    tools::Recorder recorder(output, {.steps = steps, .title = "Rainbow on MinAtar's Breakout"});
    training::OnImprovement keep(
        [&] { tools::save_weights(output / "weights.safetensors", agent.network(), agent.parameters()); });
    const auto run =
        training::train(agent, environment, {.steps = steps, .evaluate_every = 5'000, .seed = seed}, recorder, keep);
    agent.set_parameters(run.best_parameters);

    fmt::print("Learned from {} frames. Mean return over 100 fresh episodes: {:.1f} (a random player's is 0.5)\n",
               run.steps,
               training::mean(training::evaluate(agent, environment, 100, Rng(seed, training::streams::test))));
    fmt::print("Plot:    {}\nWeights: {}\n", (output / "learning_curve.png").string(),
               (output / "weights.safetensors").string());
  });
}

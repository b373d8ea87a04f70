// SPDX-License-Identifier: Apache-2.0
// Weights go to a file and back: trains DQN once, saves it, and plays from the file alone. What `play` needs is
// a network, a file and the greedy policy: nothing of the training code. PyTorch loads the file as the state_dict of
// Sequential(Linear(4, 64), ReLU(), ...) and writes one that `play` takes (examples/play_in_pytorch.py).
#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/tools/command_line.hpp>
#include <mellow/tools/safetensors.hpp>
#include <mellow/tools/weights.hpp>
#include <mellow/value/greedy_policy.hpp>

// For `train` alone:
#include <mellow/tools/recorder.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/dqn.hpp>

using namespace mellow;

/// The deployment: loads weights and returns the reward of one episode.
double play(const std::filesystem::path& weights, Rng& rng) {
  const nn::Mlp network({4, 64, 64, 2});
  value::GreedyPolicy policy(network, tools::load_weights(weights, network));
  environments::TimeLimit environment(environments::CartPole{}, 500);
  Vector<float> observation(4);
  double total = 0.0;
  Step step;
  for (environment.reset(rng); !step.terminated && !step.truncated; total += step.reward) {
    environment.observe(observation);
    step = environment.step(policy.greedy(observation), rng);
  }
  return total;
}

/// Learns, and keeps the weights of the best evaluation in a file.
void train(const std::filesystem::path& weights, Index steps, std::uint64_t seed) {
  value::Dqn agent(nn::Mlp({4, 64, 64, 2}), {.seed = seed});
  tools::Recorder recorder(weights.parent_path(), {.steps = steps, .title = "DQN on CartPole-v1"});
  training::OnImprovement save([&] {
    tools::save_weights(weights, agent.network(), agent.parameters(), {{"environment", "CartPole-v1"}});
  });
  training::train(agent, environments::TimeLimit(environments::CartPole{}, 500), {.steps = steps, .seed = seed},
                  recorder, save);
}

int main(int argc, char** argv) {
  return run_main([&] {
    Index steps = 50'000, episodes = 10;
    std::uint64_t seed = 0;
    std::filesystem::path output = "results/save_and_load", weights;
    CommandLine("Trains DQN on CartPole-v1, saves its weights, and plays from the file.")
        .option("--steps", steps, "environment steps to learn from", {.minimum = 1})
        .option("--episodes", episodes, "episodes to play", {.minimum = 1})
        .option("--seed", seed, "the same seed gives the same run")
        .option("--weights", weights, "file to play from instead of training")
        .option("--output", output, "folder for metrics, plot and weights")
        .parse(argc, argv);

    if (weights.empty()) train(weights = output / "weights.safetensors", steps, seed);
    for (const tools::Tensor& tensor : tools::load_safetensors(weights).tensors) {
      fmt::print("  {:<9}", tensor.name);
      for (const auto extent : tensor.shape) fmt::print("{:>4}", extent);
      fmt::print("\n");
    }
    Rng rng(seed, 4);
    fmt::print("Returns of {} episodes played from {}:", episodes, weights.string());
    for (Index i = 0; i < episodes; ++i) fmt::print(" {}", play(weights, rng));
    fmt::print("\n");
  });
}

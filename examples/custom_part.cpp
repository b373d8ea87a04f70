// SPDX-License-Identifier: Apache-2.0
// Your own part: a backup that mixes the best and the mean action value, in place of DQN's maximum. A part is a plain
// struct that names its role; DQN takes parts in any order and uses its defaults for the rest.
#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/tools/command_line.hpp>
#include <mellow/tools/recorder.hpp>
#include <mellow/tools/weights.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/dqn.hpp>

using namespace mellow;

/// (1 - caution) max_a q(a) + caution mean_a q(a): the value of the policy that is random with probability `caution`.
struct CautiousMax {
  using role = roles::Backup;

  double caution = 0.1;  ///< in [0, 1]; 0 is Q-learning

  /// Called once when the agent is built.
  void validate() const { require(caution >= 0 && caution <= 1, "CautiousMax", "caution must lie in [0, 1]", caution); }

  /// `q`: the target network's values of the next state, one an action.
  template <class Derived>
  typename Derived::Scalar operator()(const Eigen::DenseBase<Derived>& q) const {
    const auto c = static_cast<typename Derived::Scalar>(caution);
    return (1 - c) * q.maxCoeff() + c * q.mean();
  }
};

int main(int argc, char** argv) {
  return run_main([&] {
    Index steps = 50'000;
    std::uint64_t seed = 0;
    CautiousMax backup;
    std::filesystem::path output = "results/custom_part";
    CommandLine("Trains DQN on CartPole-v1 with a backup of your own.")
        .option("--steps", steps, "environment steps to learn from", {.minimum = 1})
        .option("--seed", seed, "the same seed gives the same run")
        .option("--caution", backup.caution, "share of the mean in the backup; 0 is Q-learning")
        .option("--output", output, "folder for metrics, plot and weights")
        .parse(argc, argv);

    const environments::TimeLimit environment(environments::CartPole{}, 500);
    value::Dqn agent(nn::Mlp{{4, 64, 64, 2}}, {.seed = seed}, backup);

    tools::Recorder recorder(output, {.steps = steps, .title = "DQN with a cautious backup on CartPole-v1"});
    training::OnImprovement keep(
        [&] { tools::save_weights(output / "weights.safetensors", agent.network(), agent.parameters()); });
    const auto run = training::train(agent, environment, {.steps = steps, .seed = seed}, recorder, keep);
    agent.set_parameters(run.best_parameters);

    fmt::print(
        "Caution {}: mean greedy return over 100 fresh episodes {:.1f}, best weights from step {}.\n", backup.caution,
        training::mean(training::evaluate(agent, environment, 100, Rng(seed, training::streams::test))), run.best_step);
    fmt::print("Plot: {}\n", (output / "learning_curve.png").string());
  });
}

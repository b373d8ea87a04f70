// SPDX-License-Identifier: Apache-2.0
// REINFORCE learns to balance a pole with a softmax policy, or with the maximum-entropy policy of mellowmax.
#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/policy/reinforce.hpp>
#include <mellow/tools/command_line.hpp>
#include <mellow/tools/recorder.hpp>
#include <mellow/tools/weights.hpp>
#include <mellow/training/run.hpp>

using namespace mellow;

struct Settings {
  Index steps = 200'000;
  std::uint64_t seed = 0;
  std::string head = "softmax";
  double sharpness = 0;
  std::filesystem::path output = "results/reinforce";
};

/// Trains a policy with this head and tests its best weights.
template <class Head>
void learn(const Settings& s, const Head& head) {
  const environments::TimeLimit environment(environments::CartPole{}, 500);
  policy::Reinforce agent(nn::Mlp{{4, 16, 2}}, {.seed = s.seed}, head);

  tools::Recorder recorder(s.output, {.steps = s.steps,
                                      .title = "REINFORCE on CartPole-v1, " + s.head,
                                      .reference = tools::ReferenceLine{475, "solved: 475"}});
  training::OnImprovement keep(
      [&] { tools::save_weights(s.output / "weights.safetensors", agent.network(), agent.parameters()); });
  const auto run =
      training::train(agent, environment, {.steps = s.steps, .evaluate_every = 5'000, .seed = s.seed}, recorder, keep);

  agent.set_parameters(run.best_parameters);
  const double best = training::mean(training::evaluate(agent, environment, 100, Rng(s.seed, training::streams::test)));
  fmt::print("Learned from {} steps in {} episodes, {} updates.\n", run.steps, run.episodes, agent.updates());
  fmt::print("Mean return of the last 100 episodes, acting by the policy: {:.1f}\n", run.mean_return);
  fmt::print("Mean greedy return over 100 fresh episodes, best weights (from step {}): {:.1f}{}\n", run.best_step, best,
             best >= 475 ? ", solved" : "");
  fmt::print("Plot:    {}\nMetrics: {}\nWeights: {}\n", (s.output / "learning_curve.png").string(),
             (s.output / "metrics.csv").string(), (s.output / "weights.safetensors").string());
}

int main(int argc, char** argv) {
  return run_main([&] {
    Settings s;
    CommandLine("Trains REINFORCE on CartPole-v1 and tests the best weights on 100 fresh episodes.")
        .option("--steps", s.steps, "environment steps to learn from", {.minimum = 1})
        .option("--seed", s.seed, "the same seed gives the same run")
        .option("--head", s.head, "the policy of the network's outputs", {"softmax", "mellowmax"})
        .option("--sharpness", s.sharpness, "beta of the softmax, omega of the mellowmax; 0: 1 and 5", {.minimum = 0.0})
        .option("--output", s.output, "folder for metrics, plot and weights")
        .parse(argc, argv);
    if (s.head == "softmax") learn(s, policy::SoftmaxHead{.beta = s.sharpness > 0 ? s.sharpness : 1});
    else learn(s, policy::MellowmaxHead{.omega = s.sharpness > 0 ? s.sharpness : 5});
  });
}

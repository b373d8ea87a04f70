// SPDX-License-Identifier: Apache-2.0
// Resetting the optimiser when the loss changes (Asadi, Fakoor & Sabach 2023): Adam on a sequence of quadratics, where
// its moments come from the problem before, and in DQN, where each change of the target begins a new problem.
#include <cmath>
#include <filesystem>
#include <optional>

#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/nn/adam.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/tools/atomic_file.hpp>
#include <mellow/tools/command_line.hpp>
#include <mellow/tools/plot.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/dqn.hpp>
#include <mellow/value/reset_optimizer.hpp>
#include <mellow/value/target_change_diagnosis.hpp>

using namespace mellow;

namespace {

/// Share of the loss that Adam leaves after `steps` steps on a |w - c|^2 / 2, mean over 100 such problems in a row: c is
/// normal, a = 10^u with u uniform in +- decades. Before each, Adam forgets what is given.
double loss_left(const std::optional<nn::Moments>& forget, Index steps, double decades, Rng rng) {
  const nn::Adam adam{.learning_rate = 0.02};
  nn::Adam::State<double> state;
  state.reset(20);
  Eigen::Vector<double, 20> w = Eigen::Vector<double, 20>::Zero(), c, gradient;
  double sum = 0;
  for (int problem = 0; problem < 100; ++problem) {
    for (double& x : c) x = rng.normal();
    const double a = std::pow(10, rng.uniform(-decades, decades)), before = (w - c).squaredNorm();
    if (forget) state.forget(*forget);
    for (Index k = 0; k < steps; ++k) {
      gradient = a * (w - c);
      adam.step(state, w, gradient);
    }
    sum += (w - c).squaredNorm() / before;
  }
  return sum / 100;
}

/// Trains DQN on CartPole-v1 and says what changes of its target did.
template <class... Parts>
void learn(const char* name, Index steps, std::uint64_t seed, const Parts&... parts) {
  value::Dqn agent(nn::Mlp{{4, 64, 64, 2}}, {.seed = seed}, parts..., value::TargetChangeDiagnosis{});
  const environments::TimeLimit cart_pole(environments::CartPole{}, 500);
  const auto run = training::train(agent, cart_pole, {.steps = steps, .seed = seed});
  const auto& found = agent.template state<value::TargetChangeDiagnosis>();
  fmt::print("{:<20}{:>12.1f}", name, run.best_return);
  for (const auto& mean : {found.cosine_before, found.cosine_including, found.cosine_after, found.step_norms[0]})
    fmt::print("{:>12.3f}", mean.mean());
  fmt::print("\n");
}

}  // namespace

int main(int argc, char** argv) {
  return run_main([&] {
    Index steps = 20'000;
    std::uint64_t seed = 0;
    std::filesystem::path output = "results/optimizer_reset";
    CommandLine("Shows what resetting the optimiser does when the loss changes.")
        .option("--steps", steps, "environment steps of DQN", {.minimum = 1})
        .option("--seed", seed, "the same seed gives the same numbers")
        .option("--output", output, "folder for the plot")
        .parse(argc, argv);
    tools::create_folder(output);
    const std::vector<std::optional<nn::Moments>> settings{
        {}, nn::Moments{}, nn::Moments{.second = false}, nn::Moments{.first = false}, nn::Moments::counters_only()};
    const std::vector<std::string> names{"kept", "all reset", "first moment", "second moment", "counters"};
    tools::Plot plot{.title = "Adam on losses whose scale jumps", .x_label = "steps on each", .log_x = true};
    plot.y_label = "share of the loss that is left", plot.log_y = true;
    for (const auto& name : names) plot.series.push_back({.label = name});
    for (const double decades : {2.0, 0.0}) {
      fmt::print("Share of the loss that is left, {}:\n{:>5}", decades > 0 ? "scales 0.01 to 100" : "scale 1", "K");
      for (const auto& name : names) fmt::print("{:>15}", name);
      for (const Index k : {20, 50, 100, 200, 500}) {
        fmt::print("\n{:>5}", k);
        for (std::size_t i = 0; i < settings.size(); ++i) {
          const double left = loss_left(settings[i], k, decades, Rng(seed));
          fmt::print("{:>15.3g}", left);
          if (decades > 0) plot.series[i].x.push_back(static_cast<double>(k)), plot.series[i].y.push_back(left);
        }
      }
      fmt::print("\n\n");
    }
    tools::save_plot(output / "quadratics", plot);
    fmt::print(
        "DQN on CartPole-v1: cosine of momentum and gradient in the last update of an old target, also once the\n"
        "momentum has taken the gradient in, and in the first of a new one; length of the first step there.\n");
    fmt::print("{:<20}{:>12}{:>12}{:>12}{:>12}{:>12}\n", "", "best return", "before", "with it", "after", "first step");
    learn("kept", steps, seed);
    learn("reset at each change", steps, seed, value::ResetOptimizer{});
    fmt::print("Plot: {}\n", (output / "quadratics.png").string());
  });
}

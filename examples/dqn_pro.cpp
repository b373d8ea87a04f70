// SPDX-License-Identifier: Apache-2.0
// DQN Pro (Asadi et al. 2022): updates that are noisy lead the online network astray, a pull towards the target holds it
// back. In a table: value iteration on a frozen lake whose backups are noisy. In DQN: CartPole with noisy targets.
#include <cmath>
#include <filesystem>

#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/gridworlds.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/models/proximal_iteration.hpp>
#include <mellow/models/value_iteration.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/tools/atomic_file.hpp>
#include <mellow/tools/command_line.hpp>
#include <mellow/tools/plot.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/dqn.hpp>
#include <mellow/value/proximal.hpp>
#include <mellow/value/target_movement.hpp>
#include <mellow/value/target_noise.hpp>

using namespace mellow;

namespace {

/// The largest error of a state's value after each of 3000 noisy backups, of which a share b is held back.
tools::Series noisy_planning(const environments::TabularMdp& lake, const Vector<double>& best, double b, Rng rng) {
  tools::Series errors{.label = fmt::format("b = {}", b)};
  Vector<double> v = Vector<double>::Zero(lake.states());
  for (Index k = 1; k <= 3'000; ++k) {
    Vector<double> u = models::optimality_backup(lake, v, 0.99);
    for (Index s = 0; s < u.size(); ++s)
      if (best[s] > 0) u[s] += 0.1 * rng.normal();  // holes and the goal have no value
    v = models::proximal_values(models::SquaredDistance{}, u, v, 1 / b - 1);
    errors.x.push_back(static_cast<double>(k));
    errors.y.push_back((v - best).cwiseAbs().maxCoeff());
  }
  return errors;
}

/// The returns of evaluations while DQN learns to balance a pole.
template <class... Parts>
tools::Series learn(const char* name, Index steps, std::uint64_t seed, const Parts&... parts) {
  value::Dqn agent(nn::Mlp{{4, 64, 64, 2}}, {.seed = seed}, parts..., value::TargetMovement{});
  struct Watch {
    tools::Series curve;
    void on_evaluation(const training::RunStatus& status) {
      curve.x.push_back(static_cast<double>(status.step));
      curve.y.push_back(status.evaluation_return);
    }
  } watch{{.label = name}};
  const environments::TimeLimit cart_pole(environments::CartPole{}, 500);
  const auto run = training::train(agent, cart_pole, {.steps = steps, .evaluate_every = 1'000, .seed = seed}, watch);
  double sum = 0;
  for (const double y : watch.curve.y) sum += y;
  fmt::print("{:<26}{:>12.1f}{:>12.1f}{:>16.2f}\n", name, sum / static_cast<double>(watch.curve.y.size()),
             run.best_return, agent.template state<value::TargetMovement>().distance.mean());
  return watch.curve;
}

}  // namespace

int main(int argc, char** argv) {
  return run_main([&] {
    Index steps = 20'000;
    std::uint64_t seed = 0;
    double noise = 3.0, c = 0.1;
    std::filesystem::path output = "results/dqn_pro";
    CommandLine("Shows what a pull towards the target network does where updates are noisy.")
        .option("--steps", steps, "environment steps of DQN", {.minimum = 1'000})
        .option("--seed", seed, "the same seed gives the same numbers")
        .option("--noise", noise, "deviation of the noise of targets", {.minimum = 0.0})
        .option("--c", c, "of the pull: smaller pulls more", {.minimum = 1e-3})
        .option("--output", output, "folder for the plots")
        .parse(argc, argv);
    tools::create_folder(output);
    const auto lake = environments::frozen_lake(environments::frozen_lake_8x8());
    const Vector<double> best = models::state_values(models::value_iteration(lake).q, operators::Max{});
    tools::Plot planning{.title = "Noisy value iteration on FrozenLake 8x8", .x_label = "iteration", .log_x = true};
    planning.y_label = "largest error of a value";
    fmt::print("Largest error of a value on FrozenLake 8x8, of noisy value iteration:\n{:<8}", "b");
    for (const Index k : {20, 100, 300, 1'000, 3'000}) fmt::print("{:>10}", fmt::format("k = {}", k));
    for (const double b : {0.0, 0.5, 0.8, 0.9, 0.95}) {
      planning.series.push_back(noisy_planning(lake, best, b, Rng(seed)));
      fmt::print("\n{:<8}", b);
      for (const std::size_t k : {20, 100, 300, 1'000, 3'000}) fmt::print("{:>10.3f}", planning.series.back().y[k - 1]);
    }
    tools::save_plot(output / "frozen_lake", planning);
    fmt::print("\n\nDQN on CartPole-v1:\n{:<26}{:>12}{:>12}{:>16}\n", "", "mean return", "best", "target moves by");
    const value::TargetNoise noisy{.deviation = noise};
    const value::Proximal pull{.c = c};
    tools::Plot learning{.title = "DQN on CartPole-v1", .x_label = "step", .y_label = "return"};
    learning.series = {learn("clean", steps, seed), learn("clean, with the pull", steps, seed, pull),
                       learn("noisy targets", steps, seed, noisy),
                       learn("noisy, with the pull", steps, seed, noisy, pull)};
    tools::save_plot(output / "cart_pole", learning);
    fmt::print("Plots: {}\n       {}\n", (output / "frozen_lake.png").string(), (output / "cart_pole.png").string());
  });
}

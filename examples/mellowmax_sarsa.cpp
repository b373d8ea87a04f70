// SPDX-License-Identifier: Apache-2.0
// SARSA on the model where a Boltzmann policy makes it wander between values for ever (Asadi & Littman 2017, figures 1
// and 2), and where the maximum-entropy policy of mellowmax makes it settle.
#include <algorithm>
#include <filesystem>
#include <vector>

#include <mellow/environments/chains.hpp>
#include <mellow/environments/tabular.hpp>
#include <mellow/models/value_iteration.hpp>
#include <mellow/operators/explore.hpp>
#include <mellow/operators/mellowmax_policy.hpp>
#include <mellow/tools/atomic_file.hpp>
#include <mellow/tools/command_line.hpp>
#include <mellow/tools/plot.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/tabular_q.hpp>

using namespace mellow;

constexpr double discount = 0.98;

/// The value of action b after each episode of SARSA with a policy.
template <class Policy>
tools::Series learn(const char* name, const Policy& policy, Index steps, std::uint64_t seed) {
  value::TabularQ agent(1, 2, {.discount = discount, .learning_rate = 0.1}, value::Sarsa{}, operators::explore(policy));
  struct Watch {
    decltype(agent)& watched;
    tools::Series line;
    void on_episode(const training::RunStatus& status) {
      line.x.push_back(static_cast<double>(status.step));
      line.y.push_back(watched.q(0)[1]);
    }
  } watch{agent, {.label = name}};
  training::train(agent, environments::Tabular(environments::boltzmann_counter_example()),
                  {.steps = steps, .evaluate_every = 0, .seed = seed}, watch);
  return watch.line;
}

int main(int argc, char** argv) {
  return run_main([&] {
    Index steps = 150'000;
    std::uint64_t seed = 0;
    double sharpness = 16.55;
    std::filesystem::path output = "results/mellowmax_sarsa";
    CommandLine("Runs SARSA with a Boltzmann and with a mellowmax policy on the paper's counter-example.")
        .option("--steps", steps, "environment steps to learn from", {.minimum = 500})
        .option("--seed", seed, "the same seed gives the same run")
        .option("--sharpness", sharpness, "beta of the one policy, omega of the other", {.minimum = 0.01})
        .option("--output", output, "folder for the plot")
        .parse(argc, argv);
    tools::create_folder(output);

    const auto plan = models::generalized_value_iteration(
        environments::boltzmann_counter_example(), operators::Mellowmax{.omega = sharpness}, {.discount = discount});
    const double fixed_point = plan.q(1, 0);
    const std::vector<tools::Series> lines{
        learn("Boltzmann", operators::Boltzmann{.beta = sharpness}, steps, seed),
        learn("mellowmax", operators::MellowmaxPolicy{.omega = sharpness}, steps, seed)};

    fmt::print("Q(s1, b) over the second half of {} steps, by the policy that SARSA follows:\n", steps);
    fmt::print("{:<12}{:>10}{:>10}{:>10}\n", "policy", "least", "last", "greatest");
    for (const auto& line : lines) {
      const auto half = line.y.begin() + std::ssize(line.y) / 2;
      const auto [least, greatest] = std::minmax_element(half, line.y.end());
      fmt::print("{:<12}{:>10.3f}{:>10.3f}{:>10.3f}\n", line.label, *least, line.y.back(), *greatest);
    }
    fmt::print("Planning under mellowmax has one fixed point: {:.4f}\n", fixed_point);
    tools::save_plot(output / "values", {.title = "SARSA on the counter-example",
                                         .x_label = "environment step",
                                         .y_label = "Q(s1, b)",
                                         .series = lines,
                                         .reference = tools::ReferenceLine{fixed_point, "fixed point of mellowmax"}});
    fmt::print("Plot: {}\n", (output / "values.png").string());
  });
}

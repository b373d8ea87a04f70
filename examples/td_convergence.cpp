// SPDX-License-Identifier: Apache-2.0
// The two forces of temporal-difference learning on the two states where it may diverge (Tsitsiklis & Van Roy 1996; Asadi
// et al. 2023): how strongly the objective holds the online parameter, how strongly the target pulls it, and by which
// factor the parameter then grows or shrinks an update, with the target frozen for K gradient steps.
#include <cmath>
#include <filesystem>

#include <mellow/environments/linear_mrp.hpp>
#include <mellow/tools/atomic_file.hpp>
#include <mellow/tools/command_line.hpp>
#include <mellow/tools/plot.hpp>
#include <mellow/value/expected_td.hpp>
#include <mellow/value/td_objective.hpp>

using namespace mellow;

int main(int argc, char** argv) {
  return run_main([&] {
    Index steps = 10'000;
    double discount = 0.9, end = 0.1, learning_rate = 0.1;
    std::filesystem::path output = "results/td_convergence";
    CommandLine("Shows when off-policy temporal-difference learning converges on two states, and why.")
        .option("--steps", steps, "most updates of the target", {.minimum = 1})
        .option("--discount", discount, "of the next state's value", {.minimum = 0.0, .maximum = 1.0})
        .option("--end", end, "probability that the second state ends", {.minimum = 0.0, .maximum = 1.0})
        .option("--learning-rate", learning_rate, "of a gradient step", {.minimum = 1e-6, .maximum = 0.5})
        .option("--output", output, "folder for the plot")
        .parse(argc, argv);
    tools::create_folder(output);

    // The factor of one update, watched: the geometric mean from theta = 1 until it is tiny, or huge, or time is up.
    const auto factor = [&](const auto& td, const auto& update) {
      const auto run = value::td_iteration(td, Vector<double>::Ones(1), update, {.updates = steps, .tolerance = 1e-12});
      return run.updates == 0 ? 1.0 : std::pow(run.theta.norm(), 1.0 / static_cast<double>(run.updates));
    };

    fmt::print(
        "The first state leads to the second, which ends with probability {}; features 1 and 2, discount {}.\n\n", end,
        discount);
    fmt::print("{:>10}{:>14}{:>10}   {:<42}\n", "share of", "optimisation", "target",
               "factor of theta in one update of the target");
    fmt::print("{:>10}{:>14}{:>10}{:>10}{:>10}{:>10}{:>10}\n", "state 1", "force", "force", "K = 1", "K = 5", "K = 20",
               "exact");
    tools::Series holds{.label = "optimisation force"}, pulls{.label = "target force"};
    for (int tenth = 0; tenth <= 10; ++tenth) {
      const double first = tenth / 10.0;
      const value::ExpectedTd td(
          environments::tsitsiklis_van_roy({.discount = discount, .end = end, .first_weight = first}));
      const auto forces = td.force_constants();
      fmt::print("{:>10.1f}{:>14.4f}{:>10.4f}", first, forces.optimization_force, forces.target_force);
      for (const Index k : {1, 5, 20})
        fmt::print("{:>10.6f}", factor(td, value::GradientUpdate{.steps = k, .learning_rate = learning_rate}));
      fmt::print("{:>10.6f}   {}\n", factor(td, value::ExactUpdate{}),
                 forces.certified()                                ? "converges"
                 : forces.target_force > forces.optimization_force ? "diverges"
                                                                   : "stays");
      holds.x.push_back(first);
      holds.y.push_back(forces.optimization_force);
      pulls.x.push_back(first);
      pulls.y.push_back(forces.target_force);
    }
    const double second = 4 * discount * (1 - end);
    const double equal = (4 - second) / (3 + 2 * discount - second);
    fmt::print("\n{}\n", equal > 1 ? "The target force is the lesser whatever is updated."
                                   : fmt::format("The forces are equal at a share of {:.4f}.", equal));
    tools::save_plot(output / "forces", {.title = "TD converges where the optimisation force is the greater",
                                         .x_label = "share of updates that go to the first state",
                                         .y_label = "force",
                                         .series = {holds, pulls}});
    fmt::print("Plot: {}\n", (output / "forces.png").string());
  });
}

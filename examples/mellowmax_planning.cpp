// SPDX-License-Identifier: Apache-2.0
// Planning under max, Boltzmann and mellowmax on a model with one decision: where each ends, and after how many sweeps.
// Boltzmann has two fixed points around beta = 17, so that the plan depends on where it starts; mellowmax never has.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

#include <mellow/core/rng.hpp>
#include <mellow/environments/chains.hpp>
#include <mellow/models/value_iteration.hpp>
#include <mellow/operators/boltzmann.hpp>
#include <mellow/operators/mellowmax.hpp>
#include <mellow/tools/atomic_file.hpp>
#include <mellow/tools/command_line.hpp>
#include <mellow/tools/plot.hpp>

using namespace mellow;

namespace {

Index steps = 20'000;
std::uint64_t seed = 0;
const auto model = environments::boltzmann_counter_example();

/// Plans from low, high and random first values; prints a row, and returns the sweeps from 0: NaN, which a plot leaves
/// out, where the budget ended before they did.
template <class Op>
double compare(const char* name, double parameter, const Op& op) {
  const models::PlanOptions options{.discount = 0.98, .tolerance = 1e-9, .max_iterations = steps};
  const auto plan = [&](double start) {
    return models::generalized_value_iteration(model, op, options, Matrix<double>::Constant(2, 1, start));
  };
  const models::Plan low = plan(0.0), high = plan(1.0);
  Rng rng(seed);
  bool converged = low.converged && high.converged;
  int to_high = 0;
  for (int i = 0; i < 20 && converged; ++i) {
    const models::Plan random = plan(rng.uniform(0.0, 1.0));
    converged = random.converged;
    to_high += std::abs(random.q(1, 0) - high.q(1, 0)) < std::abs(random.q(1, 0) - low.q(1, 0));
  }
  const bool unique = (low.q - high.q).cwiseAbs().maxCoeff() < 1e-6;
  const auto ends = [](const models::Plan& end) {
    return end.converged ? fmt::format("({:.6f}, {:.6f})", end.q(0, 0), end.q(1, 0)) : "not converged";
  };
  fmt::print("{:<10}{:>10.4g}{:>10}   {:<22}   {:<22}   {}\n", name, parameter,
             low.converged ? fmt::format("{}", low.iterations) : fmt::format("> {}", steps), ends(low), ends(high),
             !converged ? "unknown: raise --steps"
             : unique   ? "one"
                        : fmt::format("two; {} of 20 random starts end high", to_high));
  return low.converged ? static_cast<double>(low.iterations) : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

int main(int argc, char** argv) {
  return run_main([&] {
    std::filesystem::path output = "results/mellowmax_planning";
    CommandLine("Plans under max, Boltzmann and mellowmax on the model where Boltzmann fails.")
        .option("--steps", steps, "most sweeps of one plan", {.minimum = 1})
        .option("--seed", seed, "of the random starts")
        .option("--output", output, "folder for the plot")
        .parse(argc, argv);

    tools::create_folder(output);
    fmt::print("{:<10}{:>10}{:>10}   {:<22}   {:<22}   {}\n", "operator", "sharpness", "sweeps", "(Q_a, Q_b) from 0",
               "from 1", "fixed points");
    compare("max", 0.0, operators::Max{});
    tools::Series boltzmann{.label = "Boltzmann (beta)"}, mellow{.label = "mellowmax (omega)"};
    for (const double sharpness :
         {1.0, 5.0, 10.0, 14.0, 16.0, 16.55, 16.8, 16.9, 17.0, 17.04, 17.1, 17.5, 18.0, 25.0}) {
      boltzmann.x.push_back(sharpness);
      boltzmann.y.push_back(compare("Boltzmann", sharpness, operators::Boltzmann{sharpness}));
    }
    for (const double sharpness : {1.0, 5.0, 10.0, 16.55, 20.0, 25.0}) {
      mellow.x.push_back(sharpness);
      mellow.y.push_back(compare("mellowmax", sharpness, operators::Mellowmax{sharpness}));
    }
    const auto missing = [](const tools::Series& series) {
      return std::ranges::count_if(series.y, [](double sweeps) { return std::isnan(sweeps); });
    };
    const auto left_out = missing(boltzmann) + missing(mellow);
    if (left_out > 0) fmt::print("Not plotted: {} plans that did not converge in {} sweeps\n", left_out, steps);
    if (left_out == std::ssize(boltzmann.y) + std::ssize(mellow.y)) return;
    tools::save_plot(output / "sweeps", {.title = "Sweeps until no value changes by 1e-9",
                                         .x_label = "sharpness",
                                         .y_label = "sweeps",
                                         .series = {boltzmann, mellow},
                                         .log_y = true});
    fmt::print("Plot: {}\n", (output / "sweeps.png").string());
  });
}

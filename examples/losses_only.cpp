// SPDX-License-Identifier: Apache-2.0
// Preference losses in a training loop of your own: log-probabilities in, gradients out. The model here is a log-linear
// toy in which the chosen and the rejected response are alike, so that DPO lowers both; watch what the others do.
#include <algorithm>
#include <filesystem>

#include <mellow/nn/adam.hpp>
#include <mellow/preference/c2_dpo.hpp>
#include <mellow/preference/displacement_toy.hpp>
#include <mellow/preference/f_dpo.hpp>
#include <mellow/tools/atomic_file.hpp>
#include <mellow/tools/command_line.hpp>
#include <mellow/tools/plot.hpp>

using namespace mellow;

double median(Vector<double> x) {
  std::sort(x.begin(), x.end());
  return 0.5 * (x[(x.size() - 1) / 2] + x[x.size() / 2]);
}

/// Trains with a loss; prints a row and returns the curve of the median chosen log-ratio.
tools::Series train(const char* name, const preference::PairLoss auto& loss, Index steps, std::uint64_t seed) {
  Rng rng(seed);
  const preference::DisplacementToy toy(rng);
  Vector<double> w = Vector<double>::Zero(toy.parameters()), d_w = w, d_chosen(toy.prompts()), d_rejected = d_chosen;
  Matrix<double> log_probs;
  const nn::Adam adam{.learning_rate = 0.05};
  nn::Adam::State<double> moments;
  moments.reset(toy.parameters());
  tools::Series curve{.label = name};
  Vector<double> before = Vector<double>::Zero(toy.prompts()), falls = Vector<double>::Ones(toy.prompts());
  for (Index step = 0;; ++step) {
    toy.log_probs(w, log_probs);
    const Vector<double> chosen = log_probs.row(0), rejected = log_probs.row(1);
    const Vector<double> ratio = chosen - toy.reference_chosen();
    const preference::PairBatch<double> batch{chosen, rejected, toy.reference_chosen(), toy.reference_rejected()};
    const auto metrics = preference::pair_loss(loss, batch, d_chosen, d_rejected).metrics;  // the loss: one line
    if (step % std::max<Index>(1, steps / 100) == 0) {
      curve.x.push_back(static_cast<double>(step));
      curve.y.push_back(median(ratio));
    }
    const auto checkpoint = [&](auto... parts) { return ((step > 0 && step == steps / parts) || ...); };
    if (checkpoint(100, 30, 10, 3, 1)) {
      falls.array() *= (ratio.array() < before.array()).cast<double>();
      before = ratio;
    }
    if (step == steps) {
      fmt::print("{:<12}{:>18.2f}{:>20.2f}{:>18.2f}{:>12.2f}\n", name, median(ratio),
                 median(rejected - toy.reference_rejected()), falls.mean(), metrics.accuracy);
      return curve;
    }
    toy.gradient(log_probs, d_chosen, d_rejected, d_w);
    adam.step<double>(moments, w, d_w);
  }
}

int main(int argc, char** argv) {
  return run_main([&] {
    Index steps = 3'000;
    std::uint64_t seed = 0;
    std::filesystem::path output = "results/losses_only";
    CommandLine("Trains a toy with DPO, C2-DPO and SquaredPO; shows what happens to the chosen responses.")
        .option("--steps", steps, "full-batch steps of Adam", {.minimum = 1})
        .option("--seed", seed, "the same seed gives the same toy")
        .option("--output", output, "folder for the plot")
        .parse(argc, argv);
    tools::create_folder(output);
    fmt::print("loss          chosen log-ratio  rejected log-ratio   winners falling    accuracy\n");
    const auto dpo = train("DPO", preference::Dpo{}, steps, seed),
               c2 = train("C2-DPO", preference::C2Dpo{}, steps, seed),
               squared = train("SquaredPO", preference::SquaredPo{}, steps, seed);
    tools::save_plot(output / "displacement", {.title = "What happens to the chosen responses",
                                               .x_label = "step",
                                               .y_label = "median log-ratio to the reference",
                                               .series = {dpo, c2, squared}});
    fmt::print("Plot: {}\n", (output / "displacement.png").string());
  });
}

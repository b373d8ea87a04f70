// SPDX-License-Identifier: Apache-2.0
// A preference loss of your own: a struct that gives value and derivatives of a pair. It then runs over batches with
// metrics, sums with other losses, takes divergences, and is as fast as the built-in ones.
#include <algorithm>
#include <filesystem>

#include <mellow/nn/adam.hpp>
#include <mellow/preference/displacement_toy.hpp>
#include <mellow/preference/f_dpo.hpp>
#include <mellow/preference/reference_free.hpp>
#include <mellow/preference/sum.hpp>
#include <mellow/tools/atomic_file.hpp>
#include <mellow/tools/command_line.hpp>
#include <mellow/tools/csv.hpp>

using namespace mellow;

/// DPO with a floor: -log sigma(beta (a_w - a_l)) + kappa max(0, -a_w)^2, so that the chosen response does not sink.
struct FlooredDpo {
  double beta = 0.1;    ///< metrics scale rewards by it
  double kappa = 0.01;  ///< weight of the floor, >= 0
  void validate() const { require(kappa >= 0, "FlooredDpo", "kappa must not be negative", kappa); }
  preference::PairTerm operator()(const preference::Pair& pair) const {
    const double z = beta * pair.margin(), sunk = std::max(0.0, -pair.chosen_log_ratio());
    const double pull = beta * preference::sigmoid(-z);
    return {preference::softplus(-z) + kappa * sunk * sunk, -pull - 2.0 * kappa * sunk, pull};
  }
};

preference::PairMetrics train(const preference::PairLoss auto& loss, Index steps, std::uint64_t seed) {
  Rng rng(seed);
  const preference::DisplacementToy toy(rng);
  Vector<double> w = Vector<double>::Zero(toy.parameters()), d_w = w;
  Matrix<double> log_probs;
  const nn::Adam adam{.learning_rate = 0.05};
  nn::Adam::State<double> moments;
  moments.reset(toy.parameters());
  preference::PairMetrics metrics;
  for (Index step = 0; step < steps; ++step) {
    toy.log_probs(w, log_probs);
    const Vector<double> chosen = log_probs.row(0), rejected = log_probs.row(1);
    const auto found = preference::pair_loss(
        loss, preference::PairBatch<double>{chosen, rejected, toy.reference_chosen(), toy.reference_rejected()});
    metrics = found.metrics;
    toy.gradient(log_probs, found.d_chosen, found.d_rejected, d_w);
    adam.step<double>(moments, w, d_w);
  }
  return metrics;
}

int main(int argc, char** argv) {
  return run_main([&] {
    Index steps = 3'000;
    std::uint64_t seed = 0;
    FlooredDpo own;
    std::filesystem::path output = "results/own_loss";
    CommandLine("Trains a log-linear toy with a preference loss of your own, beside DPO.")
        .option("--steps", steps, "full-batch steps of Adam", {.minimum = 1})
        .option("--kappa", own.kappa, "weight of the floor under the chosen response", {.minimum = 0.0})
        .option("--seed", seed, "the same seed gives the same toy")
        .option("--output", output, "folder for the table")
        .parse(argc, argv);
    tools::create_folder(output);
    tools::CsvWriter table(output / "own_loss.csv", {"loss", "chosen_reward", "rejected_reward", "accuracy"});
    fmt::print("{:<26}{:>16}{:>18}{:>12}\n", "loss", "chosen reward", "rejected reward", "accuracy");
    const auto row = [&](const char* name, const preference::PairMetrics& m) {
      fmt::print("{:<26}{:>16.2f}{:>18.2f}{:>12.2f}\n", name, m.chosen_reward, m.rejected_reward, m.accuracy);
      table.row({name, m.chosen_reward, m.rejected_reward, m.accuracy});
    };
    row("DPO", train(preference::Dpo{}, steps, seed));
    row("your own", train(own, steps, seed));
    row("your own on JS scores",
        train(preference::WithDivergence<FlooredDpo, preference::JensenShannon>{own, {}}, steps, seed));
    row("your own + 0.5 NLL",
        train(preference::Sum(own, preference::Weighted<preference::Nll>{.weight = 0.5}), steps, seed));
    fmt::print("Table: {}\n", (output / "own_loss.csv").string());
  });
}

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <mellow/core/error.hpp>
#include <mellow/preference/displacement.hpp>
#include <mellow/preference/tabulate.hpp>
#include <mellow/tools/command_line.hpp>
#include <mellow/tools/displacement_report.hpp>
#include <mellow/tools/pair_records.hpp>
#include <mellow/tools/read_number.hpp>

#include "commands.hpp"
#include "json.hpp"

namespace mellow::suite {
namespace {

/// The beta of the run whose config.json is beside a file; 0.1, the usual one, where there is none.
double beta_beside(const std::filesystem::path& file) {
  constexpr double usual = 0.1;
  try {
    const auto config = read_json(file.parent_path() / "config.json");
    const Json::json_pointer where("/settings/loss.beta");
    if (!config || !config->contains(where) || !config->at(where).is_string()) return usual;
    return tools::read_number<double>(config->at(where).get<std::string>()).value_or(usual);
  } catch (const Error&) {  // another program's config.json
    return usual;
  }
}

}  // namespace

void diagnose(int argc, const char* const* argv) {
  std::string file;
  std::filesystem::path output = "results/diagnosis";
  preference::DisplacementOptions options{.beta = 0};
  std::uint64_t seed = 0;
  CommandLine(
      "Says what a training on preference pairs did to the probability of their responses: did the chosen ones gain, "
      "or did\nboth lose (displacement), where did the mass go, is the gradient gone. Of any training, by any "
      "program.\n\n"
      "FILE is CSV with a heading, or JSON lines: a row for each pair at each checkpoint, with the columns or "
      "fields\n\n"
      "  step                                  of the checkpoint; 0 is before training\n"
      "  pair                                  name or number of the pair\n"
      "  chosen, rejected                      log-probabilities of the responses, sums over their tokens\n"
      "  reference_chosen, reference_rejected  the reference's (optional; else changes are since the first "
      "checkpoint)\n"
      "  chosen_tokens, rejected_tokens        tokens of the responses (optional; for length bias)\n"
      "  clipped                               whether a bound of the loss was at work, 0 or 1 (optional)\n"
      "  out_of_sample                         probability of responses in no pair (optional; else its bound\n"
      "                                        1 - exp(chosen) - exp(rejected) is shown)\n\n"
      "and any others, which are left out. Every pair must be there at every step. For instance\n\n"
      "  step,pair,chosen,rejected                  {\"step\": 0, \"pair\": 7, \"chosen\": -12.1, \"rejected\": "
      "-14.6}\n"
      "  0,7,-12.1,-14.6")
      .argument("FILE", file, "CSV or JSON lines")
      .option("--beta", options.beta, "of the loss, for saturation; 0: that of the config.json beside FILE, or 0.1")
      .option("--saturation", options.saturation,
              "sigma(-beta (a_w - a_l)) below which a gradient has vanished; 1/2 at the start")
      .option("--resamples", options.bootstrap.resamples, "of the intervals", {.minimum = 1})
      .option("--confidence", options.bootstrap.confidence, "of the intervals")
      .option("--seed", seed, "of the resamples")
      .option("--output", output, "folder for the table, checkpoints.csv, fell_always.txt and two plots")
      .parse(argc, argv);
  if (options.beta == 0) options.beta = beta_beside(file);
  options.validate();
  Rng rng(seed);
  const auto history = preference::tabulate(tools::load_pair_records(file), file);
  const auto diagnosis = preference::diagnose(history, rng, options, file);
  fmt::print("{}", tools::displacement_table(diagnosis));
  tools::save_displacement_report(output, diagnosis);
  fmt::print("Table, figures and plots: {}\n", output.string());
}

}  // namespace mellow::suite

// SPDX-License-Identifier: Apache-2.0
#include "test_bed.hpp"

#include <fmt/format.h>

#include <mellow/core/rng.hpp>
#include <mellow/language/sampled_pairs.hpp>
#include <mellow/language/sampling.hpp>
#include <mellow/language/supervised.hpp>
#include <mellow/nn/initializers.hpp>
#include <mellow/nn/variance_scaling.hpp>
#include <mellow/preference/displacement.hpp>
#include <mellow/tools/checkpoints.hpp>
#include <mellow/tools/displacement_report.hpp>
#include <mellow/tools/weights.hpp>

using namespace mellow;
using language::LongAddition, language::TokenizedPair;

namespace {
language::Sampler<AdditionTestBed::Model> sampler(const AdditionTestBed::Model& model, const LongAddition& task) {
  return language::Sampler(model, {.new_tokens = task.completion_length(), .stop = {LongAddition::eos}});
}
}  // namespace

CommandLine& AdditionOptions::add_to(CommandLine& line) {
  return line.option("--steps", steps, "updates on pairs, of 32 each", {.minimum = 1})
      .option("--learning-rate", learning_rate, "of AdamW on pairs", {.minimum = 0.0})
      .option("--supervised-steps", supervised_steps, "updates before, on the teacher's examples", {.minimum = 1})
      .option("--digits", digits, "of each number", {.minimum = 1, .maximum = 8})
      .option("--prompts", prompts, "of which pairs are sampled", {.minimum = 1})
      .option("--threads", threads, "that share the work", {.minimum = 1})
      .option("--seed", seed, "the same seed and threads give the same run")
      .option("--supervised", supervised, "folder that keeps the weights before the alignment")
      .option("--output", output, "folder for metrics, table and plots");
}

AdditionTestBed::AdditionTestBed(const AdditionOptions& options)
    : options_(options),
      rng_(options.seed),
      task_(rng_, {.digits = options.digits}),
      transformer_({.vocabulary = task_.vocabulary_size()}),
      model_(transformer_, options.threads),
      theta_(supervised()),
      pairs_(sample_pairs(options.prompts)),
      held_out_(sample_pairs(std::max<Index>(1, options.prompts * 3 / 10))) {
  fmt::print("{} pairs to learn from, {} held out\n", pairs_.size(), held_out_.size());
}

std::vector<Index> AdditionTestBed::quarters() const {
  std::vector<Index> steps;
  for (const Index k : {1, 2, 3, 4})
    if (const auto step = k * options_.steps / 4; step > (steps.empty() ? 0 : steps.back())) steps.push_back(step);
  return steps;
}

tools::RecorderOptions AdditionTestBed::recording(const std::string& title) const {
  return {.steps = options_.steps, .title = title, .labels = tools::CurveLabels::of_fit("held-out pairs in order")};
}

void AdditionTestBed::report(const Vector<>& aligned, const preference::PairHistory& history, double beta) const {
  fmt::print("Samples that are right, of 300 fresh prompts: before {:.3f}, after {:.3f}\n\n", accuracy(theta_),
             accuracy(aligned));
  Rng rng(options_.seed, 3);
  const auto found = preference::diagnose(history, rng, {.beta = beta});
  fmt::print("{}", tools::displacement_table(found));
  tools::save_displacement_report(options_.output, found);
  fmt::print("Plot: {}\n", (options_.output / "displacement.png").string());
}

Vector<> AdditionTestBed::supervised() {
  const auto folder = options_.supervised / fmt::format("digits_{}_steps_{}_seed_{}", options_.digits,
                                                        options_.supervised_steps, options_.seed);
  const auto file = folder / "weights.safetensors";
  Rng rng(options_.seed, 1);
  if (std::filesystem::exists(file)) return tools::load_weights(file, transformer_);
  language::TokenSequences data, held_out;
  for (Index i = 0; i < 20'000; ++i) {
    const auto prompt = task_.prompt(rng);
    (i < 200 ? held_out : data).add(prompt, task_.teacher_completion(prompt, rng));
  }
  const Index warm = std::min<Index>(50, options_.supervised_steps);
  language::Supervised learner(
      model_, nn::initialize(transformer_, rng, nn::Normal{.deviation = 0.05}), data, held_out, {},
      nn::AdamW{.learning_rate = warm_up(warm, cosine(2e-3, 1e-4, options_.supervised_steps - warm + 1)),
                .weight_decay = 0});
  tools::Recorder recorder(folder, {.steps = options_.supervised_steps,
                                    .title = "Long addition from an imperfect teacher",
                                    .labels = tools::CurveLabels::of_fit("minus the loss of held-out tokens")});
  const auto run = training::fit(learner, {.steps = options_.supervised_steps, .seed = options_.seed}, recorder,
                                 tools::Checkpoints(folder, {.every = 500}));
  if (run.end == training::RunEnd::Stopped) throw Error("addition", "stopped; run again to go on");
  tools::save_weights(file, transformer_, learner.parameters());
  return learner.parameters();
}

std::vector<TokenizedPair> AdditionTestBed::sample_pairs(Index prompts) {
  auto samples = sampler(model_, task_);
  auto pairs = language::sample_pairs(samples, theta_, task_, {.prompts = prompts, .samples = 8}, rng_);
  if (pairs.size() < 3)
    throw Error("addition", "too few prompts have a right and a wrong completion; more supervised steps help",
                pairs.size());
  return pairs;
}

double AdditionTestBed::accuracy(const Vector<>& theta) const {
  Rng rng(options_.seed, 2);
  auto samples = sampler(model_, task_);
  return language::share_right(samples, theta, task_, {.prompts = 300, .samples = 1}, rng);
}

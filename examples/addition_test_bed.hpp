// SPDX-License-Identifier: Apache-2.0
// What dpo.cpp, c2_dpo.cpp and squared_po.cpp share. A small transformer learns long addition from a teacher that is often
// wrong; its weights are kept in a folder and taken again. Of what it then samples, a right and a wrong completion of the
// same prompt are a pair. After an alignment: how often samples are right, and what became of the pairs' probability.
#pragma once

#include <algorithm>
#include <filesystem>
#include <vector>

#include <mellow/language/long_addition.hpp>
#include <mellow/language/sampled_pairs.hpp>
#include <mellow/language/supervised.hpp>
#include <mellow/language/threaded.hpp>
#include <mellow/language/transformer.hpp>
#include <mellow/nn/initializers.hpp>
#include <mellow/nn/variance_scaling.hpp>
#include <mellow/preference/displacement.hpp>
#include <mellow/tools/checkpoints.hpp>
#include <mellow/tools/command_line.hpp>
#include <mellow/tools/displacement_report.hpp>
#include <mellow/tools/recorder.hpp>
#include <mellow/tools/weights.hpp>
#include <mellow/training/fit.hpp>

struct AdditionOptions {
  mellow::Index steps = 200, supervised_steps = 1'500, digits = 6, prompts = 1'000, threads = 1;
  double learning_rate = 3e-4;
  std::uint64_t seed = 0;
  std::filesystem::path output, supervised = "results/long_addition";

  mellow::CommandLine& add_to(mellow::CommandLine& line) {
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
};

class AdditionTestBed {
 public:
  using Model = mellow::language::Threaded<mellow::language::Transformer<>>;

  explicit AdditionTestBed(const AdditionOptions& options)
      : options_(options),
        rng_(options.seed),
        task_(rng_, {.digits = options.digits}),
        transformer_({.vocabulary = task_.vocabulary_size()}),
        model_(transformer_, options.threads),
        theta_(supervised()),
        pairs_(sample_pairs(options.prompts)),
        held_out_(sample_pairs(std::max<mellow::Index>(1, options.prompts * 3 / 10))) {
    fmt::print("{} pairs to learn from, {} held out\n", pairs_.size(), held_out_.size());
  }

  const Model& model() const { return model_; }
  const mellow::Vector<>& theta() const { return theta_; }
  const std::vector<mellow::language::TokenizedPair>& pairs() const { return pairs_; }
  const std::vector<mellow::language::TokenizedPair>& held_out() const { return held_out_; }
  mellow::Index batch() const { return std::min<mellow::Index>(32, std::ssize(pairs_)); }

  /// Four steps, evenly over the alignment.
  std::vector<mellow::Index> quarters() const {
    std::vector<mellow::Index> steps;
    for (const mellow::Index k : {1, 2, 3, 4})
      if (const auto step = k * options_.steps / 4; step > (steps.empty() ? 0 : steps.back())) steps.push_back(step);
    return steps;
  }

  /// How an alignment is recorded.
  mellow::tools::RecorderOptions recording(const std::string& title) const {
    return {.steps = options_.steps,
            .title = title,
            .labels = mellow::tools::CurveLabels::of_fit("held-out pairs in order")};
  }

  /// Prints how often samples were right before and are right after, and the displacement; writes its report.
  void report(const mellow::Vector<>& aligned, const mellow::preference::PairHistory& history, double beta) const {
    fmt::print("Samples that are right, of 300 fresh prompts: before {:.3f}, after {:.3f}\n\n", accuracy(theta_),
               accuracy(aligned));
    mellow::Rng rng(options_.seed, 3);
    const auto found = mellow::preference::diagnose(history, rng, {.beta = beta});
    fmt::print("{}", mellow::tools::displacement_table(found));
    mellow::tools::save_displacement_report(options_.output, found);
    fmt::print("Plot: {}\n", (options_.output / "displacement.png").string());
  }

 private:
  /// The weights after the supervised stage, from the folder if they are there.
  mellow::Vector<> supervised() {
    using namespace mellow;
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

  mellow::language::Sampler<Model> sampler() const {
    return mellow::language::Sampler(
        model_, {.new_tokens = task_.completion_length(), .stop = {mellow::language::LongAddition::eos}});
  }

  std::vector<mellow::language::TokenizedPair> sample_pairs(mellow::Index prompts) {
    auto samples = sampler();
    auto pairs = mellow::language::sample_pairs(samples, theta_, task_, {.prompts = prompts, .samples = 8}, rng_);
    if (pairs.size() < 3)
      throw mellow::Error("addition", "too few prompts have a right and a wrong completion; more supervised steps help",
                          pairs.size());
    return pairs;
  }

  /// The share of right samples, of 300 prompts that are the same at each call.
  double accuracy(const mellow::Vector<>& theta) const {
    mellow::Rng rng(options_.seed, 2);
    auto samples = sampler();
    return mellow::language::share_right(samples, theta, task_, {.prompts = 300, .samples = 1}, rng);
  }

  AdditionOptions options_;
  mellow::Rng rng_;
  mellow::language::LongAddition task_;
  mellow::language::Transformer<> transformer_;
  Model model_;
  mellow::Vector<> theta_;
  std::vector<mellow::language::TokenizedPair> pairs_, held_out_;
};

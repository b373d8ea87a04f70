// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <string_view>

#include <mellow/language/preference_training.hpp>

#include "optimizers.hpp"
#include "preference_losses.hpp"
#include "run_learner.hpp"

namespace mellow::suite {
namespace {

/// Training of a transformer on preference pairs.
class PreferenceConfig final : public LanguageAgentConfig {
  static constexpr auto name = "preference";
  static constexpr const char* scores[] = {"share of held-out pairs in order", "margin of held-out pairs",
                                           "minus the loss of held-out pairs"};

 public:
  void describe(Settings& settings) override {
    losses_.describe(settings);
    settings.add("batch_size", options_.batch, "pairs an update, or all where there are fewer");
    settings.add("micro_batch_size", options_.micro_batch, "of them that are read at once, gradients summed; 0: all");
    settings.add("max_gradient_norm", options_.max_gradient_norm, "longer gradients are scaled down to it");
    settings.add_choice("score", score_, {"accuracy", "margin", "loss"},
                        "of held-out pairs, to choose the best weights");
    model_.describe(settings);
    optimizers_.describe(settings);
  }

  Words words(const AnyEnvironment& any) const override {
    const bool samples = language_of(any, name).name == "long-addition";
    return {.step = "updates",
            .score = scores[score_],
            .result = samples ? "share of right samples, of {} fresh prompts" : scores[score_]};
  }

  RunSummary run(const AnyEnvironment& any, const RunRequest& request) const override {
    const auto& environment = language_of(any, name);
    const std::uint64_t seed = request.options.seed;
    const auto weights = model_.weights_file(seed);
    if (weights.empty() && losses_.has_reference())
      throw Error(
          "model.weights",
          "is missing: a loss with a reference begins where `mellow_bench train --agent supervised` ended, such as "
          "results/long-addition/seed-0/weights.safetensors of the preset long-addition");
    if (losses_.couples_pairs() && request.shared && ranks::size() > 1)
      throw Error("loss", "couples the pairs of a batch, of which each rank of --data-parallel would see a part");
    const auto task = environment.config.make(environment.name, seed, weights, true);
    Rng rng(seed, training::streams::environment);
    const ModelAtStart start = model_.make(task->vocabulary(), seed, rng);
    const auto [pairs, held_out] = task->pairs(model_.sizes.context, {start.transformer, start.weights}, rng);
    if (held_out.empty())
      throw Error("env.held_out", "leaves no pair to be judged by: it needs a larger share, or env.held_out_file",
                  pairs.size());
    auto options = options_;
    options.batch = std::min(options.batch, std::ssize(pairs));
    options.has_reference = losses_.has_reference();
    options.score = static_cast<language::PreferenceScore>(score_);
    if (!request.shared || ranks::rank() == 0) task->save_tokenizer(request.folder);
    const auto accuracy_at = [&](const Vector<float>& theta) {
      const Vector<float> at = start.weights_at(theta);
      return task->accuracy({start.transformer, at}, request.test_episodes, Rng(seed, training::streams::test));
    };
    const auto before = accuracy_at(start.theta);
    RunSummary summary;
    const auto optimizer = optimizers_.part();
    losses_.visit([&](const auto& loss) {
      language::PreferenceTraining learner(start.model, start.theta, pairs, held_out, loss, options, optimizer,
                                           ranks::Reduction{request.shared});
      learner.optimizer_state().choose(optimizer.chosen.index());
      summary = run_learner(learner, start, request, scores[score_], [&](const Vector<float>& theta) {
        const auto right = accuracy_at(theta);
        learner.set_parameters(theta);
        const double held_out_score = learner.evaluate();
        return right.value_or(held_out_score);
      });
      if (!summary.finished) return;
      std::array metrics = language::PreferenceLearned{}.metrics();
      learner.after_evaluation(metrics);
      for (const Metric& metric : metrics)
        if (std::string_view(metric.name).starts_with("held_out"))
          summary.figures.emplace_back(metric.name, metric.value);
      if (before) summary.figures.emplace_back("right_before", *before);
      summary.figures.emplace_back("pairs", static_cast<double>(pairs.size()));
      summary.figures.emplace_back("tokens", static_cast<double>(learner.tokens()));
    });
    return summary;
  }

 private:
  PreferenceLosses losses_{};
  std::size_t score_ = 0;
  language::PreferenceTrainingOptions options_{};
  LanguageModelConfig model_{};
  Optimizers optimizers_{.choice = 1, .adamw = {.learning_rate = 3e-4, .weight_decay = 0}};
};

}  // namespace

std::unique_ptr<AgentConfig> make_preference() { return std::make_unique<PreferenceConfig>(); }

}  // namespace mellow::suite

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include <mellow/language/preference_training.hpp>
#include <mellow/language/record_pairs.hpp>
#include <mellow/tools/pair_records.hpp>

#include "optimizers.hpp"
#include "preference_losses.hpp"
#include "run_learner.hpp"

namespace mellow::suite {
namespace {

/// Keeps what becomes of the probability of all pairs, those that are held out too, for `mellow_bench diagnose`.
template <class Learner>
class KeptPairs {
 public:
  /// Before the first update, after every so many and after the last; 0: never.
  KeptPairs(Learner& learner, Index every, Index updates) {
    if (every == 0) return;
    std::vector<Index> steps;
    for (Index step = every; step < updates; step += every) steps.push_back(step);
    steps.push_back(updates);
    training_.emplace(learner, steps);
    held_out_.emplace(learner, steps, language::RecordedPairs::HeldOut);
  }

  void on_step(const training::RunStatus& status) {
    if (!training_) return;
    training_->on_step(status);
    held_out_->on_step(status);
  }
  /// Writes both, each whole or not at all.
  void save(const std::filesystem::path& folder) const {
    if (!training_) return;
    tools::save_pair_records(folder / "pairs.csv", training_->history().records());
    tools::save_pair_records(folder / "held_out_pairs.csv", held_out_->history().records());
  }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    if (!self.training_) return;
    visit("training", *self.training_);
    visit("held_out", *self.held_out_);
  }

 private:
  std::optional<language::RecordPairs<Learner>> training_, held_out_;
};

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
    settings.add("record_pairs", record_every_,
                 "updates between records of all pairs' log-probabilities, for `mellow_bench diagnose`; 0: none");
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
    require(record_every_ >= 0, "record_pairs", "must not be negative", record_every_);
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
    const bool writes = !request.shared || ranks::rank() == 0;
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
      if (writes) task->save_tokenizer(request.folder);
      KeptPairs kept(learner, writes ? record_every_ : 0, request.options.steps);
      const auto test = [&](const Vector<float>& theta) {
        const auto right = accuracy_at(theta);
        learner.set_parameters(theta);
        const double held_out_score = learner.evaluate();
        return right.value_or(held_out_score);
      };
      summary = run_learner(learner, start, request, scores[score_], test, kept);
      if (!summary.finished) return;
      kept.save(request.folder);
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
  Index record_every_ = 0;
  language::PreferenceTrainingOptions options_{};
  LanguageModelConfig model_{};
  Optimizers optimizers_{.choice = 1, .adamw = {.learning_rate = 3e-4, .weight_decay = 0}};
};

}  // namespace

std::unique_ptr<AgentConfig> make_preference() { return std::make_unique<PreferenceConfig>(); }

}  // namespace mellow::suite

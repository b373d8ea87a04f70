// SPDX-License-Identifier: Apache-2.0
#include <mellow/language/supervised.hpp>

#include "optimizers.hpp"
#include "run_learner.hpp"

namespace mellow::suite {
namespace {

/// Supervised training of a transformer.
class SupervisedConfig final : public LanguageAgentConfig {
  static constexpr auto name = "supervised";
  static constexpr auto score = "minus the loss of held-out tokens";

 public:
  void describe(Settings& settings) override {
    settings.add("batch_size", options_.batch, "sequences an update");
    settings.add("micro_batch_size", options_.micro_batch, "of them that are read at once, gradients summed; 0: all");
    settings.add("max_gradient_norm", options_.max_gradient_norm, "longer gradients are scaled down to it");
    model_.describe(settings);
    optimizers_.describe(settings);
  }

  Words words(const AnyEnvironment& any) const override {
    const bool samples = language_of(any, name).name == "long-addition";
    return {
        .step = "updates", .score = score, .result = samples ? "share of right samples, of {} fresh prompts" : score};
  }

  RunSummary run(const AnyEnvironment& any, const RunRequest& request) const override {
    const auto& environment = language_of(any, name);
    const std::uint64_t seed = request.options.seed;
    const auto task = environment.config.make(environment.name, seed, model_.weights_file(seed), false);
    Rng rng(seed, training::streams::environment);
    auto [data, held_out] = task->sequences(model_.sizes.context, rng);
    if (held_out.size() == 0)
      throw Error("env.held_out", "leaves no example to be judged by: it needs a larger share, or env.held_out_file",
                  data.size());
    const ModelAtStart start = model_.make(task->vocabulary(), seed, rng);
    const auto optimizer = optimizers_.part();
    language::Supervised learner(start.model, start.theta, std::move(data), std::move(held_out), options_, optimizer,
                                 ranks::Reduction{request.shared});
    learner.optimizer_state().choose(optimizer.chosen.index());
    if (!request.shared || ranks::rank() == 0) task->save_tokenizer(request.folder);
    double held_out_loss = 0;  // of the parameters that were tested last
    auto summary = run_learner(learner, start, request, score, [&](const Vector<float>& theta) {
      const Vector<float> weights = start.weights_at(theta);
      const auto right =
          task->accuracy({start.transformer, weights}, request.test_episodes, Rng(seed, training::streams::test));
      learner.set_parameters(theta);
      held_out_loss = -learner.evaluate();
      return right.value_or(-held_out_loss);
    });
    if (summary.finished)
      summary.figures = {{"held_out_loss", held_out_loss}, {"tokens", static_cast<double>(learner.tokens())}};
    return summary;
  }

 private:
  language::SupervisedOptions options_{};
  LanguageModelConfig model_{};
  Optimizers optimizers_{.choice = 1, .adamw = {.learning_rate = 1e-3, .weight_decay = 0}};
};

}  // namespace

std::unique_ptr<AgentConfig> make_supervised() { return std::make_unique<SupervisedConfig>(); }

}  // namespace mellow::suite

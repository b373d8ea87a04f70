// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <span>
#include <vector>

#include <mellow/core/error.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/core/token.hpp>
#include <mellow/language/sampling.hpp>
#include <mellow/language/tokenized_pairs.hpp>

namespace mellow::language {

/// A task whose completions can be judged, such as `LongAddition`.
///
///     prompt(rng)                   draws a prompt, at least one token
///     reward(prompt, completion)    what the completion is worth
template <class T>
concept CompletionTask = requires(const T task, Rng& rng, std::span<const Token> tokens) {
  { task.prompt(rng) } -> std::convertible_to<std::vector<Token>>;
  { task.reward(tokens, tokens) } -> std::convertible_to<double>;
};

/// How a model's completions of a task are drawn and judged.
struct TaskSampling {
  Index prompts = 1'000;  ///< drawn, > 0
  Index samples = 8;      ///< completions of each, > 0
  double right = 1.0;     ///< a completion is right where its reward is at least this, finite
  Index at_once = 128;    ///< most sequences that the model continues at once, for memory, > 0

  /// Throws Error for a number out of range.
  void validate() const {
    constexpr auto where = "language::TaskSampling";
    require(prompts > 0, where, "prompts must be positive", prompts);
    require(samples > 0, where, "samples must be positive", samples);
    require(std::isfinite(right), where, "right must be finite", right);
    require(at_once > 0, where, "at_once must be positive", at_once);
  }
};

/// Draws prompts of a task and lets a model complete them: calls use(prompt, completion, reward), the first two as spans
/// of tokens that live until it returns, for the samples of the first prompt, then those of the second, and so on.
/// Throws Error for numbers out of range, and as the sampler does.
template <LanguageModel Model, CompletionTask Task, class Use>
void sample_task(Sampler<Model>& sampler, const ConstVectorRef<typename Model::Scalar>& theta, const Task& task,
                 const TaskSampling& options, Rng& rng, const Use& use) {
  options.validate();
  const Index together = std::max<Index>(1, options.at_once / options.samples);
  std::vector<Token> tokens;
  std::vector<Index> starts;
  for (Index done = 0; done < options.prompts; done += together) {
    tokens.clear();
    starts.assign(1, 0);
    for (Index i = done; i < std::min(done + together, options.prompts); ++i) {
      const std::vector<Token> prompt = task.prompt(rng);
      for (Index k = 0; k < options.samples; ++k) {
        tokens.insert(tokens.end(), prompt.begin(), prompt.end());
        starts.push_back(std::ssize(tokens));
      }
    }
    const auto& samples = sampler.sample(theta, {tokens, starts}, rng);
    for (Index s = 0; s < samples.sequences(); ++s) {
      const std::span<const Token> prompt = samples.prompt(s), completion = samples.completion(s);
      use(prompt, completion, static_cast<double>(task.reward(prompt, completion)));
    }
  }
}

/// The share of a model's samples that are right. Throws Error as `sample_task` does.
template <LanguageModel Model, CompletionTask Task>
double share_right(Sampler<Model>& sampler, const ConstVectorRef<typename Model::Scalar>& theta, const Task& task,
                   const TaskSampling& options, Rng& rng) {
  Index right = 0;
  sample_task(sampler, theta, task, options, rng,
              [&](auto, auto, double reward) { right += reward >= options.right ? 1 : 0; });
  return static_cast<double>(right) / static_cast<double>(options.prompts * options.samples);
}

/// Preference pairs of a model's own samples: of each prompt the first right completion, chosen, and the first that is
/// not, rejected. Prompts of which all samples are right, or none, give no pair. Throws Error as `sample_task` does.
///
///     language::Sampler sampler(model, {.new_tokens = task.completion_length(), .stop = {LongAddition::eos}});
///     const auto pairs = language::sample_pairs(sampler, theta, task, {.prompts = 1'000, .samples = 8}, rng);
template <LanguageModel Model, CompletionTask Task>
std::vector<TokenizedPair> sample_pairs(Sampler<Model>& sampler, const ConstVectorRef<typename Model::Scalar>& theta,
                                        const Task& task, const TaskSampling& options, Rng& rng) {
  std::vector<TokenizedPair> pairs;
  std::vector<Token> chosen, rejected;
  Index seen = 0;
  sample_task(sampler, theta, task, options, rng, [&](auto prompt, auto completion, double reward) {
    std::vector<Token>& first = reward >= options.right ? chosen : rejected;
    if (first.empty()) first.assign(completion.begin(), completion.end());
    if (++seen % options.samples != 0) return;
    if (!chosen.empty() && !rejected.empty()) pairs.push_back({{prompt.begin(), prompt.end()}, chosen, rejected});
    chosen.clear();
    rejected.clear();
  });
  return pairs;
}

}  // namespace mellow::language

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <mellow/core/language_model.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/language/choose_token.hpp>

namespace mellow::language {

/// How sequences are continued.
struct SamplingOptions {
  Index new_tokens = 25;      ///< most tokens added to a prompt, > 0; fewer where the context ends
  TokenChoice choice{};       ///< how each is drawn
  std::vector<Token> stop{};  ///< tokens that end a sequence, of which they are the last

  /// Throws Error for numbers out of range.
  void validate() const {
    require(new_tokens > 0, "language::SamplingOptions", "new_tokens must be positive", new_tokens);
    choice.validate();
  }
};

/// Prompts and what a model made of them, packed as a training pass reads them.
template <class Scalar>
struct Samples {
  std::vector<Token> tokens;              ///< prompt and completion of each sequence
  std::vector<Index> starts;              ///< n + 1 offsets of sequences
  std::vector<Index> given;               ///< lengths of prompts
  std::vector<Scalar> log_probabilities;  ///< of each token under the model; 0 for a prompt's
  std::vector<std::uint8_t> stopped;      ///< of each sequence, whether it ended with a token of `stop`

  PackedTokens packed() const { return {tokens, starts, given}; }       ///< a view
  Index sequences() const { return static_cast<Index>(given.size()); }  ///< how many
  /// What sequence i was given.
  std::span<const Token> prompt(Index i) const {
    const auto at = static_cast<std::size_t>(i);
    return std::span(tokens).subspan(static_cast<std::size_t>(starts[at]), static_cast<std::size_t>(given[at]));
  }
  /// What the model added to sequence i.
  std::span<const Token> completion(Index i) const {
    const auto at = static_cast<std::size_t>(i);
    return std::span(tokens).subspan(static_cast<std::size_t>(starts[at] + given[at]),
                                     static_cast<std::size_t>(starts[at + 1] - starts[at] - given[at]));
  }
};

/// Continues prompts, all of a batch at once, by a model's cache.
///
///     language::Sampler sampler(model, {.new_tokens = 25, .stop = {end}});
///     const auto& samples = sampler.sample(theta, prompts, rng);
///     model.log_probabilities(theta, samples.packed(), tape);               // samples.log_probabilities, to rounding
///
/// Each sequence has a generator of its own and takes one draw a token, so that what becomes of it does not depend on
/// its neighbours, to the rounding of products.
template <LanguageModel Model>
class Sampler {
 public:
  using Scalar = typename Model::Scalar;  ///< of log-probabilities

  /// Throws Error for numbers out of range and stops that are no tokens of the model.
  explicit Sampler(Model model, SamplingOptions options = {})
      : model_(std::move(model)), options_((options.validate(), std::move(options))), chooser_(options_.choice) {
    for (const Token token : options_.stop)
      require(token >= 0 && token < model_.vocabulary(), "language::Sampler", "a stop must be a token of the model",
              token);
  }

  /// Continues each prompt by the generator at its place. The result lives until the next call. Throws Error for empty
  /// prompts, prompts that leave no room in the context, and tokens that are not of the vocabulary.
  const Samples<Scalar>& sample(const ConstVectorRef<Scalar>& theta, const PackedTokens& prompts,
                                std::span<Rng> generators) {
    begin(prompts, generators.size());
    while (!next_.empty()) {
      const auto& given = model_.next_logits(theta, {next_, next_starts_}, *cache_);
      const ConstMatrixRef<Scalar> logits = given;
      advance(prompts, logits, generators);
    }
    return pack(prompts);
  }
  /// The same with generators split off from one.
  const Samples<Scalar>& sample(const ConstVectorRef<Scalar>& theta, const PackedTokens& prompts, Rng& rng) {
    generators_.clear();
    for (Index i = 0; i < prompts.sequences(); ++i) generators_.push_back(rng.split());
    return sample(theta, prompts, generators_);
  }

 private:
  struct Added {
    Token token;
    Scalar log_probability;
  };

  /// The first tokens to read are the prompts'.
  void begin(const PackedTokens& prompts, std::size_t generators) {
    require_valid(prompts, model_.vocabulary(), 1, model_.context() - 1, "language::Sampler");
    if (generators != static_cast<std::size_t>(prompts.sequences()))
      throw Error("language::Sampler",
                  fmt::format("there must be one generator for each of {} prompts", prompts.sequences()), generators);
    if (cache_ && cache_->sequences() == prompts.sequences())
      for (Index i = 0; i < cache_->sequences(); ++i) cache_->truncate(i, 0);
    else cache_.emplace(model_.make_cache(prompts.sequences()));
    const auto n = static_cast<std::size_t>(prompts.sequences());
    added_.resize(n * static_cast<std::size_t>(options_.new_tokens));
    counts_.assign(n, 0);
    samples_.stopped.assign(n, 0);
    next_.assign(prompts.tokens.begin() + prompts.start(0), prompts.tokens.begin() + prompts.starts.back());
    next_starts_.assign(prompts.starts.begin(), prompts.starts.end());
    for (Index& start : next_starts_) start -= prompts.start(0);
  }

  /// Draws a token for each sequence that was read of, and notes which go on.
  void advance(const PackedTokens& prompts, const ConstMatrixRef<Scalar>& logits, std::span<Rng> generators) {
    next_.clear();
    Index column = 0, end = 0;
    for (std::size_t s = 0; s < counts_.size(); ++s) {
      const bool was_read = next_starts_[s + 1] > end;  // the old offsets, which are overwritten one behind
      end = next_starts_[s + 1];
      if (was_read) {
        const auto [token, log_probability] = chooser_(logits.col(column++), generators[s]);
        added_[s * static_cast<std::size_t>(options_.new_tokens) + static_cast<std::size_t>(counts_[s]++)] = {
            token, log_probability};
        samples_.stopped[s] = std::ranges::find(options_.stop, token) != options_.stop.end();
        const Index length = prompts.length(static_cast<Index>(s)) + counts_[s];
        if (!samples_.stopped[s] && counts_[s] < options_.new_tokens && length < model_.context())
          next_.push_back(token);
      }
      next_starts_[s + 1] = static_cast<Index>(next_.size());
    }
  }

  const Samples<Scalar>& pack(const PackedTokens& prompts) {
    samples_.tokens.clear();
    samples_.log_probabilities.clear();
    samples_.given.clear();
    samples_.starts.assign(1, 0);
    for (std::size_t s = 0; s < counts_.size(); ++s) {
      const Index length = prompts.length(static_cast<Index>(s));
      const auto from = prompts.tokens.begin() + prompts.start(static_cast<Index>(s));
      samples_.tokens.insert(samples_.tokens.end(), from, from + length);
      samples_.log_probabilities.insert(samples_.log_probabilities.end(), static_cast<std::size_t>(length), Scalar(0));
      for (Index i = 0; i < counts_[s]; ++i) {
        const Added& added = added_[s * static_cast<std::size_t>(options_.new_tokens) + static_cast<std::size_t>(i)];
        samples_.tokens.push_back(added.token);
        samples_.log_probabilities.push_back(added.log_probability);
      }
      samples_.given.push_back(length);
      samples_.starts.push_back(static_cast<Index>(samples_.tokens.size()));
    }
    return samples_;
  }

  Model model_;
  SamplingOptions options_;
  TokenChooser<Scalar> chooser_;
  std::optional<typename Model::Cache> cache_;
  std::vector<Rng> generators_;
  std::vector<Token> next_;         // that the model reads next
  std::vector<Index> next_starts_;  // of each sequence in it
  std::vector<Added> added_;        // new_tokens x sequences
  std::vector<Index> counts_;       // of each sequence's
  Samples<Scalar> samples_;
};

}  // namespace mellow::language

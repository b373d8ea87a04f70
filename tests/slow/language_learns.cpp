// SPDX-License-Identifier: Apache-2.0
#include <mellow/core/rng.hpp>
#include <mellow/language/sampling.hpp>
#include <mellow/language/transformer.hpp>
#include <mellow/nn/adamw.hpp>
#include <mellow/nn/clip.hpp>
#include <mellow/nn/initializers.hpp>
#include <mellow/nn/variance_scaling.hpp>

#include "support/catch.hpp"

using namespace mellow;

namespace {

constexpr Token separator = 8, end = 9;

/// Sequences "a b c d | d c b a end" of 3 to 5 letters out of eight.
struct Reversals {
  std::vector<Token> tokens;
  std::vector<Index> starts{0}, given;

  Reversals(Index sequences, bool with_answer, Rng& rng) {
    for (Index i = 0; i < sequences; ++i) {
      const Index n = 3 + rng.below(3);
      for (Index t = 0; t < n; ++t) tokens.push_back(static_cast<Token>(rng.below(8)));
      tokens.push_back(separator);
      if (with_answer) {
        for (Index t = 0; t < n; ++t) tokens.push_back(tokens[static_cast<std::size_t>(starts.back() + n - 1 - t)]);
        tokens.push_back(end);
      }
      given.push_back(n + 1);
      starts.push_back(static_cast<Index>(tokens.size()));
    }
  }
  PackedTokens packed() const { return {tokens, starts, given}; }
};

/// The share of prompts that a model answers rightly after `steps` of supervised training.
template <class Shape>
double accuracy(int steps) {
  const language::Transformer<float, Shape> model(
      {.vocabulary = 10, .context = 12, .width = 32, .layers = 2, .heads = 2});
  Rng rng(1);
  Vector<> theta = nn::initialize(model, rng, nn::Normal{.deviation = 0.1}), gradient(model.parameters());
  typename language::Transformer<float, Shape>::Tape tape;
  const nn::AdamW optimizer{.learning_rate = 3e-3, .weight_decay = 0};
  nn::AdamW::State<float> moments;
  moments.reset(model);
  for (int step = 0; step < steps; ++step) {
    const Reversals batch(32, true, rng);
    const PackedTokens packed = batch.packed();
    model.log_probabilities(theta, packed, tape);
    const auto scored = static_cast<float>(model.log_distributions(tape).cols());
    gradient.setZero();
    model.backward(theta, tape, Vector<>::Constant(packed.size(), -1 / scored), gradient);
    nn::clip_norm<float>(gradient, 1.0f);
    optimizer.step<float>(moments, theta, gradient);
  }
  const Reversals prompts(200, false, rng);
  language::Sampler sampler(model, {.new_tokens = 7, .choice = {.temperature = 0}, .stop = {end}});
  const auto& samples = sampler.sample(theta, prompts.packed(), rng);
  int right = 0;
  for (Index s = 0; s < samples.sequences(); ++s) {
    const auto at = prompts.tokens.begin() + prompts.starts[static_cast<std::size_t>(s)];
    std::vector<Token> expected(at, at + samples.given[static_cast<std::size_t>(s)] - 1);
    std::ranges::reverse(expected);
    expected.push_back(end);
    right += std::ranges::equal(samples.completion(s), expected);
  }
  return right / 200.0;
}

}  // namespace

TEST_CASE("Both shapes learn to reverse a word") {
  CHECK(accuracy<language::Gpt>(0) < 0.05);
  CHECK(accuracy<language::Gpt>(800) > 0.8);
  CHECK(accuracy<language::Llama>(800) > 0.8);
}

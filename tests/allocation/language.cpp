// SPDX-License-Identifier: Apache-2.0
// After warm-up, training steps and sampling of transformers take nothing from the heap, whatever the shape of the model
// and of the batch, by one thread or two; nor do the updates of supervised and preference training.
#include <mellow/language/lora.hpp>
#include <mellow/language/owning.hpp>
#include <mellow/language/preference_training.hpp>
#include <mellow/language/sampling.hpp>
#include <mellow/language/supervised.hpp>
#include <mellow/language/threaded.hpp>
#include <mellow/language/transformer.hpp>
#include <mellow/nn/adamw.hpp>
#include <mellow/nn/clip.hpp>
#include <mellow/preference/batch_losses.hpp>
#include <mellow/preference/f_dpo.hpp>
#include <mellow/preference/unpaired.hpp>
#include <mellow/preference/weighed_tokens.hpp>

#include "allocation/counter.hpp"
#include "support/catch.hpp"

using namespace mellow;
using language::Transformer, language::Llama;

namespace {

struct Text {
  std::vector<Token> tokens;
  std::vector<Index> starts{0};
  Text(Rng& rng, std::initializer_list<Index> lengths) {
    for (const Index length : lengths) {
      for (Index i = 0; i < length; ++i) tokens.push_back(static_cast<Token>(rng.below(25)));
      starts.push_back(static_cast<Index>(tokens.size()));
    }
  }
  PackedTokens packed() const { return {tokens, starts}; }
};

/// Allocations of steps on batches that are not larger than the first.
template <class Model>
std::size_t in_training(const Model& model) {
  Rng rng(1);
  const Text large(rng, {64, 40, 64, 30, 64, 1}), small(rng, {20, 64, 3}), single(rng, {50});
  Vector<> theta = Vector<>::NullaryExpr(model.parameters(), [&] { return static_cast<float>(rng.normal(0, 0.1)); });
  Vector<> gradient = Vector<>::Zero(theta.size());
  const Vector<> weights = Vector<>::LinSpaced(large.packed().size(), -1.0f, 1.0f);
  typename Model::Tape tape;
  const nn::AdamW optimizer;
  nn::AdamW::State<float> moments;
  moments.reset(model);
  const auto step = [&](const Text& text) {
    model.log_probabilities(theta, text.packed(), tape);
    gradient.setZero();
    model.backward(theta, tape, weights.head(text.packed().size()), gradient);
    model.backward_soft(theta, tape, model.log_distributions(tape), gradient);
    nn::clip_norm<float>(gradient, 1.0f);
    optimizer.step<float>(moments, theta, gradient);
  };
  step(large);
  const std::size_t before = heap_allocations();
  for (const Text* text : {&large, &small, &single, &large}) step(*text);
  const std::size_t after = heap_allocations();
  REQUIRE(theta.allFinite());
  return after - before;
}

template <class Model>
std::size_t in_sampling(const Model& model, language::TokenChoice choice) {
  Rng rng(1);
  const Text prompts(rng, {20, 5, 33, 12});
  const Vector<> theta =
      Vector<>::NullaryExpr(model.parameters(), [&] { return static_cast<float>(rng.normal(0, 0.1)); });
  language::Sampler sampler(model, {.choice = choice});
  sampler.sample(theta, prompts.packed(), rng);
  const std::size_t before = heap_allocations();
  for (int i = 0; i < 3; ++i) sampler.sample(theta, prompts.packed(), rng);
  return heap_allocations() - before;
}

/// Allocations of updates after the first.
template <class Learner>
std::size_t in_updates(Learner learner) {
  Rng rng(1);
  learner.update(rng);
  const std::size_t before = heap_allocations();
  for (int i = 0; i < 5; ++i) learner.update(rng);
  return heap_allocations() - before;
}

/// All of one length, so that no batch is larger than the first.
language::TokenizedPair some_pair(Rng& rng) {
  const auto tokens = [&](Index n) {
    std::vector<Token> made(static_cast<std::size_t>(n));
    for (Token& token : made) token = static_cast<Token>(rng.below(25));
    return made;
  };
  return {tokens(20), tokens(25), tokens(25)};
}

template <class Model>
std::size_t in_supervised_updates(const Model& model, Index micro_batch) {
  Rng rng(1);
  language::TokenSequences data;
  for (int i = 0; i < 20; ++i) {
    const auto pair = some_pair(rng);
    data.add(pair.prompt, pair.chosen);
  }
  return in_updates(language::Supervised(model, Vector<>::Constant(model.parameters(), 0.01f), data, {},
                                         {.batch = 8, .micro_batch = micro_batch}));
}

template <class Model, class Loss>
std::size_t in_preference_updates(const Model& model, const Loss& loss, Index micro_batch) {
  Rng rng(1);
  std::vector<language::TokenizedPair> pairs;
  for (int i = 0; i < 20; ++i) pairs.push_back(some_pair(rng));
  return in_updates(language::PreferenceTraining(model, Vector<>::Constant(model.parameters(), 0.01f), pairs, {}, loss,
                                                 {.batch = 8, .micro_batch = micro_batch}));
}

template <class Loss>
std::size_t in_owning_updates(const Loss& loss) {
  Rng rng(1);
  std::vector<language::TokenizedPair> pairs;
  for (int i = 0; i < 20; ++i) pairs.push_back(some_pair(rng));
  const Transformer<> model;
  language::Owning policy(model, Vector<>::Constant(model.parameters(), 0.01f));
  return in_updates(language::PreferenceTraining(policy, pairs, {}, loss, {.batch = 8, .micro_batch = 3}));
}

template <class Model>
auto lora(const Model& model) {
  return language::Lora(model, Vector<>::Constant(model.parameters(), 0.01f));
}

}  // namespace

TEST_CASE("Training transformers does not allocate") {
  CHECK(in_training(Transformer<>()) == 0);
  CHECK(in_training(Transformer<>({.context = 64, .width = 96, .heads = 3})) == 0);
  CHECK(in_training(Transformer<float, Llama>({.key_value_heads = 2})) == 0);
  CHECK(in_training(language::Threaded(Transformer<>(), 2)) == 0);
  CHECK(in_training(lora(Transformer<>())) == 0);
}

TEST_CASE("Sampling does not allocate") {
  CHECK(in_sampling(Transformer<>(), {}) == 0);
  CHECK(in_sampling(Transformer<float, Llama>({.key_value_heads = 2}),
                    {.temperature = 0.7, .top_k = 5, .top_p = 0.9}) == 0);
  CHECK(in_sampling(language::Threaded(Transformer<>(), 2), {}) == 0);
  CHECK(in_sampling(lora(Transformer<>()), {}) == 0);
}

TEST_CASE("Updates of supervised and preference training do not allocate") {
  const Transformer<> model;
  for (const Index micro_batch : {0, 3}) {
    CHECK(in_supervised_updates(model, micro_batch) == 0);
    CHECK(in_preference_updates(model, preference::SquaredPo{}, micro_batch) == 0);
    CHECK(in_preference_updates(model, preference::Aot{}, micro_batch) == 0);
    CHECK(in_preference_updates(model, preference::Kto{}, micro_batch) == 0);
    CHECK(in_preference_updates(model, preference::Tdpo1{}, micro_batch) == 0);
    CHECK(in_preference_updates(model, preference::LengthDesensitized<>{}, micro_batch) == 0);
    CHECK(in_preference_updates(model, preference::Wpo<>{}, micro_batch) == 0);
  }
  CHECK(in_supervised_updates(language::Threaded(model, 2), 0) == 0);
  CHECK(in_preference_updates(language::Threaded(model, 2), preference::SquaredPo{}, 0) == 0);
  CHECK(in_preference_updates(language::Threaded(model, 2), preference::Tdpo2{}, 0) == 0);
  CHECK(in_owning_updates(preference::Dpo{}) == 0);
  CHECK(in_owning_updates(preference::Tdpo1{}) == 0);
}

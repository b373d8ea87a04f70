// SPDX-License-Identifier: Apache-2.0
#include <mellow/language/lora.hpp>
#include <mellow/language/sampling.hpp>
#include <mellow/language/threaded.hpp>
#include <mellow/language/transformer.hpp>

#include "support/gradient.hpp"

using namespace mellow;
using language::Lora, language::Transformer, language::Llama;
static_assert(LanguageModel<Lora<Transformer<>>>);

namespace {

const std::vector<Token> tokens{1, 5, 2, 0, 3, 3, 6, 1, 4, 2};
const std::vector<Index> starts{0, 6, 10};
const PackedTokens packed{tokens, starts};

Vector<double> normals(Index n, double deviation) {
  Rng rng(2);
  return Vector<double>::NullaryExpr(n, [&] { return rng.normal(0, deviation); });
}

const language::TransformerOptions sizes{.vocabulary = 7, .context = 10, .width = 12, .layers = 2, .heads = 3};

template <class Shape>
auto make(const nn::LowRankOptions& options) {
  const Transformer<double, Shape> model(sizes);
  return Lora(model, normals(model.parameters(), 0.3), options);
}

template <class Model>
void check_gradients(const Model& lora) {
  const Vector<double> adapter = normals(lora.parameters(), 0.2), weights = normals(packed.size(), 1.0);
  typename Model::Tape tape;
  Vector<double> gradient = Vector<double>::Zero(adapter.size()), soft = gradient;
  lora.log_probabilities(adapter, packed, tape);
  lora.backward(adapter, tape, weights, gradient);
  const auto value = [&](const Vector<double>& at) { return lora.log_probabilities(at, packed, tape).dot(weights); };
  expect_gradient(value, adapter, gradient);
  lora.log_probabilities(adapter, packed, tape);
  const Matrix<double> d = normals(7 * 8, 1.0).reshaped(7, 8);
  lora.backward_soft(adapter, tape, d, soft);
  expect_gradient(
      [&](const Vector<double>& at) {
        lora.log_probabilities(at, packed, tape);
        return lora.log_distributions(tape).cwiseProduct(d).sum();
      },
      adapter, soft);
}

}  // namespace

TEST_CASE("Gradients of adapters agree with central differences", "[gradient]") {
  check_gradients(make<language::Gpt>({.rank = 2, .alpha = 3}));
  check_gradients(make<language::Gpt>({.rank = 1, .names = {"c_attn", "wte"}}));
  check_gradients(make<Llama>({.rank = 3, .alpha = 1, .names = {"q_proj", "v_proj"}}));
}

TEST_CASE("A new adapter changes nothing; a merged one is the sum of base and scaled products") {
  const auto lora = make<Llama>({.rank = 2, .alpha = 6, .names = {"k_proj"}});
  Rng rng(1);
  Vector<double> adapter = lora.initialize(rng);
  CHECK(lora.merged(adapter) == lora.base());
  CHECK(adapter.cwiseAbs().maxCoeff() > 0);
  adapter = normals(adapter.size(), 1.0);
  Vector<double> expected = lora.base();
  const auto part = [](const auto& vector, const Segment& segment) {  // row-major
    return vector.segment(segment.offset, segment.size()).reshaped(segment.shape[1], segment.shape[0]).transpose();
  };
  std::size_t found = 0;
  for (const Segment& of_model : lora.model().segments())
    for (std::size_t i = 0; i < lora.segments().size(); i += 2) {
      const Segment a = lora.segments()[i], b = lora.segments()[i + 1];
      const std::string module = of_model.name.substr(0, of_model.name.rfind('.'));
      if (a.name != module + ".lora_A.weight" || b.name != module + ".lora_B.weight") continue;
      CHECK(a.shape == std::vector<Index>{2, of_model.shape[1]});
      CHECK(b.shape == std::vector<Index>{of_model.shape[0], 2});
      const Matrix<double> update = 3.0 * part(adapter, b) * part(adapter, a);
      expected.segment(of_model.offset, of_model.size()) += update.transpose().reshaped();
      ++found;
    }
  CHECK(found == 2);
  CHECK((lora.merged(adapter) - expected).cwiseAbs().maxCoeff() < 1e-14);
}

TEST_CASE("All weights but embeddings and norms are adapted unless names are given") {
  const auto lora = make<language::Gpt>({.rank = 2});
  CHECK(lora.segments().size() == 2 * (2 * 4 + 1));  // four matrices a layer, and the head
  const auto tied = make<Llama>({.rank = 2});
  CHECK(tied.segments().size() == 2 * (2 * 7));
}

TEST_CASE("An adapted model samples as the merged one does, by several threads too") {
  const auto lora = make<language::Gpt>({.rank = 2});
  const Vector<double> adapter = normals(lora.parameters(), 0.3);
  Rng first(1), second(1), third(1);
  const std::vector<Token> prompts{1, 2, 3};
  const std::vector<Index> offsets{0, 1, 3};
  language::Sampler plain(lora.model(), {.new_tokens = 8});
  language::Sampler adapted(lora, {.new_tokens = 8});
  language::Sampler threaded(language::Threaded(lora, 2), {.new_tokens = 8});
  const auto expected = plain.sample(lora.merged(adapter), {prompts, offsets}, first).tokens;
  CHECK(adapted.sample(adapter, {prompts, offsets}, second).tokens == expected);
  CHECK(threaded.sample(adapter, {prompts, offsets}, third).tokens == expected);
  const Vector<double> other = normals(lora.parameters(), 1.0);  // the cache forgets what it belonged to
  Rng fourth(5), fifth(5);
  CHECK(adapted.sample(other, {prompts, offsets}, fourth).tokens ==
        plain.sample(lora.merged(other), {prompts, offsets}, fifth).tokens);
}

TEST_CASE("A copied sequence of an adapted model's cache goes on in a fresh cache") {
  const auto lora = make<language::Gpt>({.rank = 2});
  const Vector<double> adapter = normals(lora.parameters(), 0.3);
  auto cache = lora.make_cache(1), fresh = lora.make_cache(1);
  const std::vector<Token> prompt{1, 2, 3}, next{4};
  const std::vector<Index> three{0, 3}, one{0, 1};
  lora.next_logits(adapter, {prompt, three}, cache);
  fresh.copy(cache, 0, 0);
  const Vector<double> expected = lora.next_logits(adapter, {next, one}, cache).col(0);
  CHECK(lora.next_logits(adapter, {next, one}, fresh).col(0) == expected);
}

TEST_CASE("Bad settings of adapters are named") {
  const Transformer<double> model(sizes);
  const auto expect = [&](const nn::LowRankOptions& options, const char* message) {
    CHECK_THROWS_WITH(Lora(model, Vector<double>::Zero(model.parameters()), options), message);
  };
  expect({.rank = 0}, "nn::LowRankOptions: rank must be positive (got 0)");
  expect({.alpha = 0}, "nn::LowRankOptions: alpha must be positive and finite (got 0)");
  expect({.names = {"c_attn", ""}}, "nn::LowRank: names must not be empty: every weight has nothing in its name");
  expect({.names = {"c_attn", "nothing"}}, "nn::LowRank: there is no weight with this in its name (got nothing)");
  CHECK_THROWS_WITH(Lora(model, Vector<double>::Zero(3)),
                    "language::Lora: the model has " + std::to_string(model.parameters()) + " parameters (got 3)");
  CHECK_THROWS_WITH(nn::LowRank({}, {}), "nn::LowRank: there are no weights to adapt among the segments (got 0)");
}

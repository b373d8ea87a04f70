// SPDX-License-Identifier: Apache-2.0
#include <mellow/core/numerics.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/language/threaded.hpp>
#include <mellow/language/transformer.hpp>
#include <mellow/nn/initializers.hpp>
#include <mellow/nn/variance_scaling.hpp>
#include <mellow/tools/weights.hpp>

#include "support/gradient.hpp"
#include "support/temporary_directory.hpp"

using namespace mellow;
using language::Transformer, language::Gpt, language::Llama, language::LlamaUntied;
static_assert(LanguageModel<Transformer<>>);
static_assert(LanguageModel<Transformer<double, Llama>>);

namespace {

/// Sequences of these lengths, of tokens drawn at random, and their offsets.
struct Text {
  std::vector<Token> tokens;
  std::vector<Index> starts{0}, given;

  Text(const std::vector<Index>& lengths, Index vocabulary, Rng rng = Rng(5)) {
    for (const Index length : lengths) {
      for (Index i = 0; i < length; ++i) tokens.push_back(static_cast<Token>(rng.below(vocabulary)));
      starts.push_back(static_cast<Index>(tokens.size()));
    }
  }
  PackedTokens packed() const { return {tokens, starts, given}; }
};

Vector<double> normals(Index n, double deviation, Rng rng = Rng(2)) {
  return Vector<double>::NullaryExpr(n, [&] { return rng.normal(0, deviation); });
}

template <class Model>
void check_gradients(const Model& model) {
  CAPTURE(model.parameters());
  Text text({5, 1, 9, 2, 7}, model.vocabulary());
  text.given = {1, 1, 3, 2, 1};
  const PackedTokens packed = text.packed();
  const Vector<double> theta = normals(model.parameters(), 0.3);
  Vector<double> weights = normals(packed.size(), 1.0);
  weights[3] = weights[10] = 0.0;
  typename Model::Tape tape;
  Vector<double> gradient = Vector<double>::Zero(theta.size());
  model.log_probabilities(theta, packed, tape);
  model.backward(theta, tape, weights, gradient);
  expect_gradient(
      [&](const Vector<double>& at) {
        typename Model::Tape other;
        return model.log_probabilities(at, packed, other).dot(weights);
      },
      theta, gradient);

  const Matrix<double> direction = normals(model.vocabulary() * model.log_distributions(tape).cols(), 1.0)
                                       .reshaped(model.vocabulary(), Eigen::AutoSize);
  Vector<double> soft = Vector<double>::Zero(theta.size());
  model.backward_soft(theta, tape, direction, soft);  // the tape serves again
  expect_gradient(
      [&](const Vector<double>& at) {
        typename Model::Tape other;
        model.log_probabilities(at, packed, other);
        return model.log_distributions(other).cwiseProduct(direction).sum();
      },
      theta, soft);
}

template <class Shape>
void check_cache() {
  const Transformer<double, Shape> model({.vocabulary = 9, .context = 80, .width = 16, .layers = 2, .heads = 4});
  const Vector<double> theta = normals(model.parameters(), 0.3);
  const Text text({80, 3, 71, 1}, 9);
  typename Transformer<double, Shape>::Tape tape;
  const Vector<double> expected = model.log_probabilities(theta, text.packed(), tape);
  // Each sequence is read in pieces, 0 tokens now and then.
  auto cache = model.make_cache(4);
  std::vector<Index> done(4, 0);
  Vector<double> found = Vector<double>::Zero(expected.size());
  Rng rng(1);
  while (done != std::vector<Index>{80, 3, 71, 1}) {
    std::vector<Token> piece;
    std::vector<Index> starts{0};
    for (std::size_t s = 0; s < 4; ++s) {
      const auto begin = text.starts[s] + done[s];
      const Index count = std::min<Index>(rng.below(20), text.starts[s + 1] - begin);
      for (Index i = 0; i < count; ++i) piece.push_back(text.tokens[static_cast<std::size_t>(begin + i)]);
      starts.push_back(static_cast<Index>(piece.size()));
      done[s] += count;
    }
    const auto logits = model.next_logits(theta, {piece, starts}, cache);
    Index column = 0;
    for (std::size_t s = 0; s < 4; ++s) {
      CHECK(cache.length(static_cast<Index>(s)) == done[s]);
      if (starts[s] == starts[s + 1]) continue;
      const auto next = text.starts[s] + done[s];
      if (next < text.starts[s + 1]) {
        const Vector<double> column_logits = logits.col(column);
        const double log_p = column_logits[text.tokens[static_cast<std::size_t>(next)]] - log_sum_exp(column_logits);
        CHECK(std::abs(log_p - expected[next]) < 1e-12);
      }
      ++column;
    }
    CHECK(column == logits.cols());
  }
}

}  // namespace

// discounted_reasoning.md, section 5.3
TEST_CASE("The small model of the long-addition task has 107,392 parameters") {
  const Transformer<> model;
  CHECK(model.parameters() == 107'392);
  CHECK(model.segments().size() == 2 + 2 * 12 + 3);
}

TEST_CASE("Segments follow one another without holes, with unique names") {
  const auto check = [](const auto& model) {
    Index end = 0;
    std::vector<std::string> names;
    for (const Segment& segment : model.segments()) {
      CHECK(segment.offset == end);
      end += segment.size();
      names.push_back(segment.name);
    }
    CHECK(end == model.parameters());
    std::ranges::sort(names);
    CHECK(std::ranges::adjacent_find(names) == names.end());
  };
  check(Transformer<>());
  check(Transformer<float, Llama>({.heads = 4, .key_value_heads = 2}));
  check(Transformer<float, LlamaUntied>());
}

// discounted_reasoning.md, section 5.4
TEST_CASE("Gradients of transformers agree with central differences", "[gradient]") {
  check_gradients(Transformer<double>({.vocabulary = 7, .context = 10, .width = 12, .layers = 2, .heads = 3}));
  check_gradients(Transformer<double>({.vocabulary = 19, .context = 10, .width = 4, .layers = 0, .heads = 1}));
  check_gradients(
      Transformer<double>({.vocabulary = 7, .context = 10, .width = 6, .layers = 1, .heads = 2, .hidden = 5}));
  check_gradients(Transformer<double, Llama>(
      {.vocabulary = 7, .context = 10, .width = 16, .layers = 2, .heads = 4, .key_value_heads = 2, .hidden = 5}));
  check_gradients(Transformer<double, Llama>(
      {.vocabulary = 7, .context = 10, .width = 24, .layers = 1, .heads = 6, .key_value_heads = 2, .hidden = 5}));
  check_gradients(Transformer<double, LlamaUntied>(
      {.vocabulary = 5, .context = 10, .width = 4, .layers = 1, .heads = 2, .key_value_heads = 1, .hidden = 3}));
}

// discounted_reasoning.md, section 5.4
TEST_CASE("Sequences longer than a block of queries have the right gradient", "[gradient]") {
  const Transformer<double> model({.vocabulary = 3, .context = 150, .width = 4, .layers = 1, .heads = 2, .hidden = 3});
  const Text text({150, 66}, 3);
  const Vector<double> theta = normals(model.parameters(), 0.5), weights = normals(216, 1.0);
  Vector<double> gradient = Vector<double>::Zero(theta.size());
  Transformer<double>::Tape tape;
  model.log_probabilities(theta, text.packed(), tape);
  model.backward(theta, tape, weights, gradient);
  expect_gradient(
      [&](const Vector<double>& at) { return model.log_probabilities(at, text.packed(), tape).dot(weights); }, theta,
      gradient);
}

TEST_CASE("A sequence's values do not depend on its neighbours, and its gradient adds to what is there") {
  const Transformer<float, Llama> model({.key_value_heads = 2});
  const Vector<float> theta = normals(model.parameters(), 0.1).cast<float>();
  const Text text({30, 64, 1, 17}, 25);
  const PackedTokens packed = text.packed();
  Transformer<float, Llama>::Tape tape;
  const Vector<float> together = model.log_probabilities(theta, packed, tape),
                      weights = Vector<float>::Random(packed.size());
  Vector<float> gradient = Vector<float>::Zero(theta.size()), by_parts = gradient;
  model.backward(theta, tape, weights, gradient);
  for (Index s = 0; s < 4; ++s) {
    const auto alone = model.log_probabilities(theta, packed.part(s, 1), tape);
    CHECK((alone - together.segment(packed.start(s), packed.length(s))).cwiseAbs().maxCoeff() < 1e-5);
    model.backward(theta, tape, weights.segment(packed.start(s), packed.length(s)), by_parts);
  }
  CHECK((gradient - by_parts).norm() < 1e-5 * gradient.norm());
}

TEST_CASE("Tokens of prompts have no log-probability, and their weights are not read") {
  const Transformer<double> model({.width = 8, .heads = 2});
  const Vector<double> theta = normals(model.parameters(), 0.3);
  Text text({6, 8}, 25);
  Transformer<double>::Tape tape;
  const Vector<double> all = model.log_probabilities(theta, text.packed(), tape);
  text.given = {4, 8};
  const Vector<double> completions = model.log_probabilities(theta, text.packed(), tape);
  CHECK(model.log_distributions(tape).cols() == 2);
  Vector<double> expected = Vector<double>::Zero(14), weights = expected, gradient = Vector<double>::Zero(theta.size());
  expected.segment(4, 2) = all.segment(4, 2);
  CHECK((completions - expected).cwiseAbs().maxCoeff() < 1e-14);
  weights.head(4).setConstant(std::numeric_limits<double>::quiet_NaN());
  model.backward(theta, tape, weights, gradient);
  CHECK(gradient.isZero(0));
}

// discounted_reasoning.md, section 5.4
TEST_CASE("Logits by a cache, in pieces of any length, are those of the training pass") {
  check_cache<Gpt>();
  check_cache<Llama>();
}

// discounted_reasoning.md, section 5.4
TEST_CASE("A forked cache goes on by itself; a truncated one forgets") {
  const Transformer<double, Llama> model({.vocabulary = 9, .context = 20, .width = 8, .layers = 2, .heads = 2});
  const Vector<double> theta = normals(model.parameters(), 0.3);
  const std::vector<Token> prompt{1, 2, 3, 4}, one{5}, two{6, 7};
  const std::vector<Index> only_first{0, 4, 4}, first{0, 1, 1}, second{0, 0, 2};
  auto cache = model.make_cache(2);
  model.next_logits(theta, {prompt, only_first}, cache);
  cache.fork(0, 1);
  CHECK(cache.length(1) == 4);
  const auto copy = cache;
  model.next_logits(theta, {one, first}, cache);
  const Vector<double> forked = model.next_logits(theta, {two, second}, cache).col(0);
  auto fresh = copy;
  const std::vector<Index> into_first{0, 2, 2};
  CHECK(model.next_logits(theta, {two, into_first}, fresh).col(0) == forked);
  cache.truncate(0, 4);
  CHECK(model.next_logits(theta, {two, into_first}, cache).col(0) == forked);
}

TEST_CASE("Weights of a transformer are saved and loaded by name") {
  const TemporaryDirectory directory;
  const Transformer<float, Llama> model({.key_value_heads = 2});
  Rng rng(1);
  const Vector<float> theta = nn::initialize(model, rng, nn::LeCun{});
  tools::save_weights(directory / "llama.safetensors", model, theta);
  CHECK(tools::load_weights(directory / "llama.safetensors", model) == theta);
}

TEST_CASE("Weights of another architecture are refused, though their shapes fit") {
  const TemporaryDirectory directory;
  const auto path = directory / "weights.safetensors";
  const Transformer<float, Llama> saved({.width = 16, .heads = 4}), heads({.width = 16, .heads = 2}),
      base({.width = 16, .heads = 4, .rotary_base = 5e5});
  Rng rng(0);
  const Vector<float> theta = nn::initialize(saved, rng, nn::LeCun{});
  tools::save_weights(path, saved, theta, {{"heads", "of another meaning"}});
  CHECK(tools::load_weights(path, saved) == theta);
  CHECK(tools::load_weights(path, language::Threaded(saved, 2)) == theta);
  CHECK_THROWS_WITH(tools::load_weights(path, heads), Catch::Contains("with heads = 4, this one has 2"));
  CHECK_THROWS_WITH(tools::load_weights(path, base), Catch::Contains("with rotary_base = 10000, this one has 500000"));
}

TEST_CASE("Bad tokens and sizes are named") {
  using Catch::Matchers::Message;
  const Transformer<> model({.context = 4});
  const Vector<float> theta = Vector<float>::Zero(model.parameters());
  Transformer<>::Tape tape;
  const auto expect = [&](const std::vector<Token>& tokens, const std::vector<Index>& starts, const char* message,
                          const std::vector<Index>& given = {}) {
    CHECK_THROWS_MATCHES(model.log_probabilities(theta, {tokens, starts, given}, tape), Error, Message(message));
  };
  expect({1, 25}, {0, 2}, "language::Transformer: token 1 of sequence 0 must lie in 0 .. 24 (got 25)");
  expect({1, -1}, {0, 1, 2}, "language::Transformer: token 0 of sequence 1 must lie in 0 .. 24 (got -1)");
  expect({1, 1}, {0, 2, 2}, "language::Transformer: sequence 1 must have between 1 and 4 tokens (got 0)");
  expect({1, 1, 1, 1, 1}, {0, 5}, "language::Transformer: sequence 0 must have between 1 and 4 tokens (got 5)");
  expect({1, 1}, {0, 3}, "language::Transformer: starts must lie within the tokens (got 3)");
  expect({1, 1}, {-1, 2}, "language::Transformer: starts must lie within the tokens (got -1)");
  expect({1, 1}, {}, "language::Transformer: starts must hold n + 1 offsets for n sequences (got 0)");
  expect({1, 1}, {0, 2}, "language::Transformer: the prompt of sequence 0 must hold at least its first token (got 0)",
         {0});
  expect({1, 1}, {0, 2}, "language::Transformer: given must hold one length of a prompt for each sequence (got 2)",
         {1, 1});
  auto cache = model.make_cache(1);
  const std::vector<Token> tokens{1, 1, 1};
  const std::vector<Index> starts{0, 3}, two{0, 1, 3};
  model.next_logits(theta, {tokens, starts}, cache);
  CHECK_THROWS_MATCHES(model.next_logits(theta, {tokens, starts}, cache), Error,
                       Message("language::Transformer: sequence 0 outgrows the context of 4 tokens (got 6)"));
  CHECK_THROWS_MATCHES(model.next_logits(theta, {tokens, two}, cache), Error,
                       Message("language::Transformer: the cache holds 1 sequences (got 2)"));
  const auto bad = [](const language::TransformerOptions& options, const char* message) {
    CHECK_THROWS_MATCHES(Transformer<>(options), Error, Message(message));
  };
  bad({.vocabulary = 0}, "language::TransformerOptions: vocabulary must lie between 1 and 2^28 (got 0)");
  bad({.layers = -1}, "language::TransformerOptions: layers must lie between 0 and 100000 (got -1)");
  bad({.width = 66}, "language::TransformerOptions: width must be a multiple of the 4 heads (got 66)");
  bad({.key_value_heads = 3}, "language::TransformerOptions: key_value_heads must be 0 or divide the 4 heads (got 3)");
  bad({.norm_epsilon = 0}, "language::TransformerOptions: norm_epsilon must be positive and finite (got 0)");
  bad({.rotary_base = 1}, "language::TransformerOptions: rotary_base must be finite and above 1 (got 1)");
  CHECK_THROWS_MATCHES((Transformer<float, Llama>({.width = 12})), Error,
                       Message("language::RotaryPositions: the width of a head must be even (got 3)"));
}

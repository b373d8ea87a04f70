// SPDX-License-Identifier: Apache-2.0
#include <mellow/core/numerics.hpp>
#include <mellow/language/sampling.hpp>
#include <mellow/language/transformer.hpp>
#include <mellow/nn/initializers.hpp>
#include <mellow/nn/variance_scaling.hpp>

#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::language;

namespace {

/// How often each token is drawn of so many times, as a fraction.
Vector<double> frequencies(const TokenChoice& choice, const Vector<double>& logits, int draws) {
  TokenChooser<double> chooser(choice);
  Rng rng(3);
  Vector<double> counts = Vector<double>::Zero(logits.size());
  for (int i = 0; i < draws; ++i) counts[chooser(logits, rng).token] += 1;
  return counts / draws;
}

/// Expects frequencies that a chi-square test does not reject: its statistic below the mean plus 5 deviations.
void expect_frequencies(const TokenChoice& choice, const Vector<double>& logits, const Vector<double>& p) {
  constexpr int draws = 20'000;
  const Vector<double> found = frequencies(choice, logits, draws);
  double statistic = 0;
  Index free = -1;
  for (Index i = 0; i < p.size(); ++i) {
    if (p[i] == 0) {
      CHECK(found[i] == 0);
      continue;
    }
    statistic += draws * (found[i] - p[i]) * (found[i] - p[i]) / p[i];
    ++free;
  }
  CHECK(statistic <= static_cast<double>(free) + 5 * std::sqrt(2.0 * static_cast<double>(free)) + 1e-9);
}

Vector<double> softmax_of(const Vector<double>& logits) {
  Vector<double> p(logits.size());
  softmax(logits, p);
  return p;
}

struct Prompts {
  std::vector<Token> tokens;
  std::vector<Index> starts{0};
  explicit Prompts(const std::vector<Index>& lengths) {
    Rng rng(8);
    for (const Index length : lengths) {
      for (Index i = 0; i < length; ++i) tokens.push_back(static_cast<Token>(rng.below(25)));
      starts.push_back(static_cast<Index>(tokens.size()));
    }
  }
  PackedTokens packed() const { return {tokens, starts}; }
};

template <class Shape>
void expect_training_pass() {
  const Transformer<float, Shape> model;
  Rng rng(4);
  const Vector<float> theta = 0.4f * nn::initialize(model, rng, nn::LeCun{});
  const Prompts prompts({20, 1, 7, 63, 13, 40, 30, 2, 63, 19, 28, 37, 41, 5, 63, 33});
  Sampler sampler(model, {.new_tokens = 30, .choice = {.temperature = 1.3}, .stop = {3, 4}});
  const auto& samples = sampler.sample(theta, prompts.packed(), rng);
  typename Transformer<float, Shape>::Tape tape;
  const Vector<float> expected = model.log_probabilities(theta, samples.packed(), tape);
  REQUIRE(expected.size() == static_cast<Index>(samples.log_probabilities.size()));
  for (Index i = 0; i < expected.size(); ++i)
    CHECK(std::abs(expected[i] - samples.log_probabilities[static_cast<std::size_t>(i)]) < 1e-5);
  bool some_stopped = false, some_not = false;
  for (Index s = 0; s < samples.sequences(); ++s) {
    const auto completion = samples.completion(s);
    const bool stopped = samples.stopped[static_cast<std::size_t>(s)] != 0;
    const Index room = std::min<Index>(30, 64 - prompts.packed().length(s));
    REQUIRE(!completion.empty());
    CHECK(static_cast<Index>(completion.size()) <= room);
    for (std::size_t i = 0; i < completion.size(); ++i)
      CHECK((completion[i] == 3 || completion[i] == 4) == (stopped && i + 1 == completion.size()));
    if (!stopped) CHECK(static_cast<Index>(completion.size()) == room);
    (stopped ? some_stopped : some_not) = true;
    CHECK(std::equal(prompts.tokens.begin() + prompts.starts[static_cast<std::size_t>(s)],
                     prompts.tokens.begin() + prompts.starts[static_cast<std::size_t>(s) + 1],
                     samples.tokens.begin() + samples.starts[static_cast<std::size_t>(s)]));
  }
  CHECK((some_stopped && some_not));
}

}  // namespace

TEST_CASE("Tokens are drawn as temperature, top-k and top-p say") {
  const Vector<double> logits{{0.5, -1.0, 2.0, 2.0, -30.0, 0.0}};
  const Vector<double> p = softmax_of(logits);
  expect_frequencies({}, logits, p);
  expect_frequencies({.temperature = 0.5}, logits, softmax_of(2 * logits));
  expect_frequencies({.temperature = 0}, logits, Vector<double>{{0, 0, 1, 0, 0, 0}});
  expect_frequencies({.top_k = 1}, logits, Vector<double>{{0, 0, 1, 0, 0, 0}});
  expect_frequencies({.top_k = 2}, logits, Vector<double>{{0, 0, 0.5, 0.5, 0, 0}});
  expect_frequencies({.top_k = 100}, logits, p);
  const auto only = [&](std::initializer_list<Index> tokens) {
    Vector<double> q = Vector<double>::Zero(6);
    for (const Index i : tokens) q[i] = p[i];
    return Vector<double>(q / q.sum());
  };
  expect_frequencies({.top_k = 3}, logits, only({0, 2, 3}));
  expect_frequencies({.top_p = 1e-9}, logits, only({2}));
  expect_frequencies({.top_p = p[2] + 0.01}, logits, only({2, 3}));
  expect_frequencies({.top_p = 2 * p[2] + p[0] - 0.01}, logits, only({0, 2, 3}));
  expect_frequencies({.top_p = 1 - 1e-6}, logits, only({0, 1, 2, 3, 5}));
  expect_frequencies({.top_k = 2, .top_p = 0.99}, logits, only({2, 3}));
}

TEST_CASE("A temperature whose inverse overflows draws the likeliest token") {
  Rng rng(3);
  const Vector<float> narrow{{0.0f, 5.0f, 1.0f, 2.0f}};
  const Vector<double> wide = narrow.cast<double>();
  for (const double temperature : {1e-39, 1e-300, 1e-310})
    for (const Index top_k : {0, 2}) {
      CHECK(language::TokenChooser<float>({.temperature = temperature, .top_k = top_k})(narrow, rng).token == 1);
      CHECK(language::TokenChooser<double>({.temperature = temperature, .top_k = top_k})(wide, rng).token == 1);
    }
}

TEST_CASE("Logits that make no probabilities are refused") {
  Rng rng(3);
  const float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<Vector<float>> broken{Vector<float>{{0.0f, nan, 1.0f}}, Vector<float>{{0.0f, infinity, 1.0f}},
                                          Vector<float>::Constant(3, -infinity)};
  for (const auto& logits : broken)
    CHECK_THROWS_WITH(language::TokenChooser<float>()(logits, rng), Catch::Contains("make no probabilities"));
  const auto masked = language::TokenChooser<float>()(Vector<float>{{-infinity, 1.0f, -infinity}}, rng);
  CHECK(masked.token == 1);
  CHECK(masked.log_probability == Approx(0.0f).margin(1e-6));
}

TEST_CASE("A chosen token's log-probability is the model's, whatever the choice") {
  const Vector<double> logits{{0.5, -1000.0, 2.0}};
  for (const TokenChoice& choice : {TokenChoice{}, {.temperature = 0}, {.temperature = 3.0, .top_k = 2}}) {
    TokenChooser<double> chooser(choice);
    Rng rng(1);
    for (int i = 0; i < 20; ++i) {
      const auto [token, log_p] = chooser(logits, rng);
      CHECK(log_p == Approx(logits[token] - log_sum_exp(logits)).epsilon(1e-14));
    }
  }
}

// discounted_reasoning.md, section 5.4
TEST_CASE("Log-probabilities of sampled tokens are those of the training pass; stops and the context end sequences") {
  expect_training_pass<Gpt>();
  expect_training_pass<Llama>();
}

TEST_CASE("What becomes of a prompt does not depend on its neighbours") {
  const Transformer<> model;
  Rng rng(4);
  const Vector<float> theta = 2 * nn::initialize(model, rng, nn::LeCun{});
  const Prompts prompts({20, 1, 7, 13});
  std::vector<Rng> generators;
  for (std::uint64_t i = 0; i < 4; ++i) generators.emplace_back(7, i + 1);
  Sampler sampler(model, {.stop = {2}}), alone = sampler;
  std::vector<Rng> copies = generators;
  const auto& together = sampler.sample(theta, prompts.packed(), copies);
  for (Index s = 0; s < 4; ++s) {
    std::vector<Rng> own{generators[static_cast<std::size_t>(s)]};
    const auto& sample = alone.sample(theta, prompts.packed().part(s, 1), own);
    CHECK(std::ranges::equal(sample.completion(0), together.completion(s)));
  }
}

TEST_CASE("A sampler's settings and prompts are checked") {
  using Catch::Matchers::Message;
  const Transformer<> model;
  const auto bad = [&](const SamplingOptions& options, const char* message) {
    CHECK_THROWS_MATCHES(Sampler(model, options), Error, Message(message));
  };
  bad({.new_tokens = 0}, "language::SamplingOptions: new_tokens must be positive (got 0)");
  bad({.choice = {.temperature = -1}}, "language::TokenChoice: temperature must be finite and not negative (got -1)");
  bad({.choice = {.top_k = -1}}, "language::TokenChoice: top_k must not be negative (got -1)");
  bad({.choice = {.top_p = 0}}, "language::TokenChoice: top_p must lie in (0, 1] (got 0)");
  bad({.stop = {25}}, "language::Sampler: a stop must be a token of the model (got 25)");
  Sampler sampler(model);
  const Vector<float> theta = Vector<float>::Zero(model.parameters());
  Rng rng;
  CHECK_THROWS_MATCHES(sampler.sample(theta, Prompts({64}).packed(), rng), Error,
                       Message("language::Sampler: sequence 0 must have between 1 and 63 tokens (got 64)"));
  std::vector<Rng> two(2);
  CHECK_THROWS_MATCHES(sampler.sample(theta, Prompts({3}).packed(), two), Error,
                       Message("language::Sampler: there must be one generator for each of 1 prompts (got 2)"));
}

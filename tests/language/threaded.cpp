// SPDX-License-Identifier: Apache-2.0
#include <mellow/core/worker_pool.hpp>
#include <mellow/language/sampling.hpp>
#include <mellow/language/threaded.hpp>
#include <mellow/language/transformer.hpp>
#include <mellow/nn/initializers.hpp>
#include <mellow/nn/variance_scaling.hpp>

#include "support/catch.hpp"

using namespace mellow;
using language::Threaded, language::Transformer;
static_assert(LanguageModel<Threaded<Transformer<>>>);

namespace {

struct Text {
  std::vector<Token> tokens;
  std::vector<Index> starts{0}, given;
  explicit Text(const std::vector<Index>& lengths) {
    Rng rng(5);
    for (const Index length : lengths) {
      for (Index i = 0; i < length; ++i) tokens.push_back(static_cast<Token>(rng.below(25)));
      starts.push_back(static_cast<Index>(tokens.size()));
      given.push_back(1 + length / 3);
    }
  }
  PackedTokens packed() const { return {tokens, starts, given}; }
};

/// Log-probabilities, log-distributions and both gradients of a model.
struct Results {
  Vector<> values, gradient, soft;
  Matrix<> distributions;

  template <class Model>
  Results(const Model& model, const Vector<>& theta, const PackedTokens& packed) {
    typename Model::Tape tape;
    values = model.log_probabilities(theta, packed, tape);
    distributions = model.log_distributions(tape);
    gradient = soft = Vector<>::Ones(model.parameters());
    const Vector<> weights = Vector<>::LinSpaced(packed.size(), -1, 1);
    model.backward(theta, tape, weights, gradient);
    const Matrix<> d = distributions.array().sin();
    model.backward_soft(theta, tape, d, soft);
  }
};

}  // namespace

TEST_CASE("A pool's threads each take their number, at the same time") {
  for (const Index threads : {1, 2, 5}) {
    WorkerPool pool(threads);
    std::vector<int> calls(static_cast<std::size_t>(threads), 0);
    std::atomic<Index> inside{0};
    for (int round = 0; round < 200; ++round)
      pool.run([&](Index thread) {
        ++calls[static_cast<std::size_t>(thread)];
        ++inside;
        while (inside < threads * (round + 1)) std::this_thread::yield();  // ends only if all of them come here
      });
    CHECK(calls == std::vector<int>(static_cast<std::size_t>(threads), 200));
  }
}

TEST_CASE("What a pool's threads throw reaches the caller, of the lowest number, and the pool goes on") {
  WorkerPool pool(3);
  const auto fail = [](Index thread) {
    if (thread > 0) throw Error("test", "thread", thread);
  };
  CHECK_THROWS_WITH(pool.run(fail), "test: thread (got 1)");
  int sum = 0;
  pool.run([&](Index thread) {
    if (thread == 0) sum = 1;
  });
  CHECK(sum == 1);
  CHECK_THROWS_WITH(WorkerPool(0), "WorkerPool: threads must lie between 1 and 1024 (got 0)");
}

TEST_CASE("A threaded model is the model, whatever the batch, and the same bits each time") {
  const Transformer<> model;
  Rng rng(1);
  const Vector<> theta = nn::initialize(model, rng, nn::LeCun{});
  for (const auto& lengths : std::vector<std::vector<Index>>{{30, 2, 64, 7, 19, 1, 40}, {9}, {64, 1}, {2, 3}}) {
    const Text text(lengths);
    const Results plain(model, theta, text.packed());
    for (const Index threads : {1, 2, 3}) {
      const Threaded threaded(model, threads);
      const Results results(threaded, theta, text.packed()), again(threaded, theta, text.packed());
      CHECK((results.values - plain.values).cwiseAbs().maxCoeff() < 1e-5);
      CHECK((results.gradient - plain.gradient).norm() < 1e-5 * plain.gradient.norm());
      CHECK((results.soft - plain.soft).norm() < 1e-5 * plain.soft.norm());
      CHECK((results.distributions - plain.distributions).cwiseAbs().maxCoeff() < 1e-5);
      CHECK(results.gradient == again.gradient);
      CHECK(results.soft == again.soft);
      if (threads == 1) CHECK(results.gradient == plain.gradient);
    }
  }
}

TEST_CASE("Sampling by several threads gives the model's samples") {
  const Transformer<> model;
  Rng rng(1);
  const Vector<> theta = nn::initialize(model, rng, nn::LeCun{});
  const Text prompts({20, 3, 9, 33, 12, 5, 40});
  language::Sampler plain(model, {.stop = {1}});
  Rng first(7), second(7);
  const auto& expected = plain.sample(theta, prompts.packed(), first);
  language::Sampler threaded(Threaded(model, 3), {.stop = {1}});
  const auto& found = threaded.sample(theta, prompts.packed(), second);
  CHECK(found.tokens == expected.tokens);
  CHECK(found.stopped == expected.stopped);
}

TEST_CASE("Sequences of a threaded cache are forked across threads") {
  const Threaded model(Transformer<>(), 2);
  Rng rng(1);
  const Vector<> theta = nn::initialize(model, rng, nn::LeCun{});
  auto cache = model.make_cache(3);
  const std::vector<Token> prompt{1, 2, 3}, next{4, 4};
  const std::vector<Index> first{0, 3, 3, 3}, both{0, 1, 1, 2};
  model.next_logits(theta, {prompt, first}, cache);
  cache.fork(0, 2);
  CHECK(cache.length(2) == 3);
  const auto logits = model.next_logits(theta, {next, both}, cache);
  CHECK((logits.col(0) - logits.col(1)).cwiseAbs().maxCoeff() < 1e-6);
  cache.truncate(0, 0);
  CHECK(cache.length(0) == 0);
}

TEST_CASE("A threaded model names bad tokens too") {
  const Threaded model(Transformer<>(), 2);
  const Vector<> theta = Vector<>::Zero(model.parameters());
  Threaded<Transformer<>>::Tape tape;
  const std::vector<Token> tokens{1, 2, 30};
  const std::vector<Index> starts{0, 1, 3};
  CHECK_THROWS_WITH(model.log_probabilities(theta, {tokens, starts}, tape),
                    "language::Threaded: token 1 of sequence 1 must lie in 0 .. 24 (got 30)");
}

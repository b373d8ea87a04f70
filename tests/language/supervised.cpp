// SPDX-License-Identifier: Apache-2.0
#include <thread>

#include <mellow/core/state.hpp>
#include <mellow/language/long_addition.hpp>
#include <mellow/language/supervised.hpp>
#include <mellow/language/transformer.hpp>
#include <mellow/nn/initializers.hpp>
#include <mellow/nn/sgd.hpp>
#include <mellow/nn/variance_scaling.hpp>
#include <mellow/tools/checkpoints.hpp>
#include <mellow/training/fit.hpp>

#include "language/two_threads.hpp"
#include "support/catch.hpp"
#include "support/gradient.hpp"
#include "support/temporary_directory.hpp"

using namespace mellow;

namespace {

using Model = language::Transformer<double>;
const language::TransformerOptions sizes{.vocabulary = 7, .context = 9, .width = 8, .layers = 1, .heads = 2};

/// Sequences of unequal length.
language::TokenSequences some(Index n, Rng& rng) {
  language::TokenSequences made;
  for (Index i = 0; i < n; ++i) {
    std::vector<Token> prompt(static_cast<std::size_t>(1 + rng.below(4))),
        completion(static_cast<std::size_t>(1 + rng.below(5)));
    for (auto* tokens : {&prompt, &completion})
      for (Token& token : *tokens) token = static_cast<Token>(rng.below(7));
    made.add(prompt, completion);
  }
  return made;
}

Vector<double> start(const Model& model) {
  Rng rng(2);
  return nn::initialize(model, rng, nn::Normal{.deviation = 0.3});
}

/// Mean -log p of the completions' tokens, written out.
double mean_loss(const Model& model, const Vector<double>& theta, const language::TokenSequences& data) {
  Model::Tape tape;
  const Vector<double> values = model.log_probabilities(theta, data.packed(), tape);
  return -values.sum() / static_cast<double>(model.log_distributions(tape).cols());
}

}  // namespace

TEST_CASE("A supervised update follows the gradient of the mean loss of the batch's tokens") {
  Rng rng(3);
  const Model model(sizes);
  const auto data = some(6, rng);
  const Vector<double> theta = start(model);
  language::Supervised learner(model, theta, data, {},
                               {.batch = 6, .max_gradient_norm = std::numeric_limits<double>::infinity()},
                               nn::Sgd{.learning_rate = 0.5});
  const auto learned = learner.update(rng);
  CHECK(learned.loss == Approx(mean_loss(model, theta, data)).epsilon(1e-12));
  CHECK(learned.gradient_norm == Approx(learner.gradient().norm()).epsilon(1e-12));
  CHECK(learned.tokens == static_cast<double>(data.tokens()));
  CHECK(learned.learning_rate == 0.5);
  CHECK((learner.parameters() - (theta - 0.5 * learner.gradient())).norm() < 1e-14);
  expect_gradient([&](const Vector<double>& at) { return mean_loss(model, at, data); }, theta, learner.gradient());
}

TEST_CASE("Gradients are clipped to a norm") {
  Rng rng(3);
  const Model model(sizes);
  language::Supervised learner(model, start(model), some(6, rng), {}, {.batch = 6, .max_gradient_norm = 0.01});
  CHECK(learner.update(rng).gradient_norm > 0.01);
  CHECK(learner.gradient().norm() == Approx(0.01));
}

TEST_CASE("A batch read in parts, or by two processes, gives the whole batch's updates to rounding") {
  const Model model(sizes);
  Rng data_rng(4);
  const auto data = some(20, data_rng), held_out = some(5, data_rng);
  const auto run = [&](Index micro_batch, const auto&... parts) {
    Rng rng(5);
    language::Supervised learner(model, start(model), data, held_out, {.batch = 8, .micro_batch = micro_batch},
                                 parts...);
    std::vector<double> losses;
    for (int k = 0; k < 6; ++k) losses.push_back(learner.update(rng).loss);
    losses.push_back(learner.evaluate());
    return std::pair(learner.parameters(), losses);
  };
  const auto [theta, losses] = run(0);
  const auto same = [&, &theta = theta, &losses = losses](const auto& other) {
    CHECK((other.first - theta).norm() < 1e-10 * theta.norm());
    for (std::size_t k = 0; k < losses.size(); ++k) CHECK(other.second[k] == Approx(losses[k]).epsilon(1e-10));
  };
  CHECK((theta - start(model)).norm() > 1e-3);
  for (const Index micro_batch : {1, 3, 8, 100}) same(run(micro_batch));

  TwoThreads::Shared shared;
  std::pair<Vector<double>, std::vector<double>> first, second;
  std::jthread other([&] { second = run(0, TwoThreads{&shared, 1}); });
  first = run(3, TwoThreads{&shared, 0});
  other.join();
  same(first);
  same(second);
  CHECK(first.first == second.first);
}

TEST_CASE("Every sequence is learned from once an epoch") {
  const Model model(sizes);
  Rng rng(4);
  const auto data = some(12, rng);
  language::Supervised learner(model, start(model), data, {}, {.batch = 4});
  for (int k = 0; k < 3; ++k) learner.update(rng);
  CHECK(learner.update(rng).tokens > static_cast<double>(data.tokens()));
  CHECK((learner.epochs() == 2 && learner.updates() == 4));
}

TEST_CASE("An evaluation is of the held-out sequences, and its loss is among the metrics") {
  const Model model(sizes);
  Rng rng(4);
  const auto data = some(12, rng), held_out = some(11, rng);
  language::Supervised learner(model, start(model), data, held_out, {.batch = 4});
  const double before = learner.evaluate();
  CHECK(before == Approx(-mean_loss(model, start(model), held_out)).epsilon(1e-12));
  CHECK(learner.update(rng).held_out_loss == -before);
  struct Log {
    double score = 0, metric = 0;
    void on_evaluation(const training::RunStatus& status) {
      score = status.evaluation_return;
      metric = status.metrics.back().value;
      CHECK(status.metrics.back().name == std::string("held_out_loss"));
    }
  } log;
  training::fit(learner, {.steps = 5, .evaluate_every = 5}, log);
  CHECK((log.score != before && log.metric == -log.score));
  language::Supervised without(model, start(model), data, {}, {.batch = 4});
  CHECK_THROWS_WITH(without.evaluate(), Catch::Contains("held-out sequence"));
}

TEST_CASE("A supervised run that is stopped and taken up ends as one that was not") {
  const TemporaryDirectory directory;
  const language::Transformer<float> model(sizes);
  Rng rng(4);
  const auto data = some(20, rng), held_out = some(5, rng);
  const Vector<> theta = start(Model(sizes)).cast<float>();
  const auto learner = [&] {
    return language::Supervised(model, theta, data, held_out, {.batch = 8, .micro_batch = 3},
                                nn::AdamW{.learning_rate = warm_up(10, cosine(1e-2, 1e-3, 30))});
  };
  struct Stop {
    Index at;
    bool on_step(const training::RunStatus& status) const { return status.step != at; }
  };
  auto whole = learner(), stopped = learner(), later = learner();
  const training::FitOptions options{.steps = 40, .evaluate_every = 10, .seed = 3};
  const auto expected = training::fit(whole, options);
  training::fit(stopped, options, Stop{23}, tools::Checkpoints(directory.path(), {.every = 10}));
  CHECK(stopped.updates() == 23);
  const auto run = training::fit(later, options, tools::Checkpoints(directory.path(), {.every = 10}));
  CHECK(first_difference(later, whole).empty());
  CHECK(first_difference(stopped, whole) != "");
  CHECK((run.best_score == expected.best_score && run.best_step == expected.best_step));
}

TEST_CASE("What cannot be learned from is refused") {
  const Model model(sizes);
  Rng rng(4);
  const auto data = some(12, rng);
  const auto with = [&](language::TokenSequences sequences, language::SupervisedOptions options) {
    language::Supervised(model, start(model), std::move(sequences), {}, options);
  };
  language::TokenSequences sequences;
  CHECK_THROWS_WITH(sequences.add({}, std::vector<Token>{1}), Catch::Contains("a prompt must have a token"));
  CHECK_THROWS_WITH(sequences.add(std::vector<Token>{1}, {}), Catch::Contains("a completion must have a token"));
  CHECK_THROWS_WITH(with(sequences, {}), Catch::Contains("there must be an example"));
  sequences.add(std::vector<Token>(9, 1), std::vector<Token>{1});
  CHECK_THROWS_WITH(with(sequences, {.batch = 1}),
                    Catch::Contains("sequence 0 must have between 2 and 9 tokens (got 10)"));
  sequences.clear();
  sequences.add(std::vector<Token>{1}, std::vector<Token>{7});
  CHECK_THROWS_WITH(with(sequences, {.batch = 1}), Catch::Contains("must lie in 0 .. 6 (got 7)"));
  CHECK_THROWS_WITH(with(data, {.batch = 0}), Catch::Contains("batch must be positive"));
  CHECK_THROWS_WITH(with(data, {.batch = 13}), Catch::Contains("at most the 12 sequences"));
  CHECK_THROWS_WITH(with(data, {.batch = 4, .micro_batch = -1}), Catch::Contains("micro_batch"));
  CHECK_THROWS_WITH(with(data, {.batch = 4, .max_gradient_norm = 0}), Catch::Contains("max_gradient_norm"));
  CHECK_THROWS_WITH(language::Supervised(model, Vector<double>::Zero(3), data, {}, {.batch = 4}),
                    Catch::Contains("parameters (got 3)"));
  Vector<double> broken = start(model);
  broken[5] = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH(language::Supervised(model, broken, data, {}, {.batch = 4}), Catch::Contains("must be finite"));
  language::Supervised learner(model, start(model), data, {}, {.batch = 4});
  learner.set_parameters(broken);
  CHECK_THROWS_WITH(learner.update(rng), Catch::Contains("loss of update 1 is not finite"));
  TwoThreads::Shared shared;
  CHECK_THROWS_WITH(language::Supervised(model, start(model), data, {}, {.batch = 1}, TwoThreads{&shared, 0}),
                    Catch::Contains("a part for each of 2 processes"));
}

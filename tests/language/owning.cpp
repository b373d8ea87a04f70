// SPDX-License-Identifier: Apache-2.0
// Models that keep their parameters to themselves: trained on pairs by their own optimiser.
#include <cmath>

#include <mellow/core/state.hpp>
#include <mellow/language/owning.hpp>
#include <mellow/language/preference_training.hpp>
#include <mellow/language/record_pairs.hpp>
#include <mellow/language/sampling.hpp>
#include <mellow/preference/displacement.hpp>
#include <mellow/preference/f_dpo.hpp>
#include <mellow/preference/unpaired.hpp>
#include <mellow/preference/weighed_tokens.hpp>
#include <mellow/tools/checkpoints.hpp>
#include <mellow/training/fit.hpp>

#include "language/small_pairs.hpp"
#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace mellow;
using namespace small_pairs;

namespace {

const nn::AdamW optimizer{.learning_rate = warm_up(3, cosine(1e-2, 1e-3, 20)), .weight_decay = 0.01};

template <class Scalar>
auto owning() {
  return language::Owning(language::Transformer<Scalar>(sizes), Vector<Scalar>(start(Model(sizes)).cast<Scalar>()),
                          optimizer);
}

/// Six updates; what they found and where they ended.
template <class Learner>
auto run_of(Learner& learner) {
  Rng rng(4);
  std::vector<double> figures;
  for (int k = 0; k < 6; ++k)
    for (const Metric& metric : learner.update(rng).metrics())
      if (!std::isnan(metric.value)) figures.push_back(metric.value);
  figures.push_back(learner.evaluate());
  preference::PairHistory history;
  learner.record(6, history);
  figures.insert(figures.end(), history.chosen.data(), history.chosen.data() + history.chosen.size());
  return std::pair(Vector<typename Learner::Scalar>(learner.parameters()), figures);
}

/// The same by the parameters outside and inside, from a reference that is neither's start.
template <class Scalar, class Loss>
void check_same_run(const Loss& loss, Index micro_batch) {
  Rng rng(5);
  const auto pairs = some(20, rng), held_out = some(5, rng);
  const language::PreferenceTrainingOptions options{
      .batch = 8, .micro_batch = micro_batch, .max_gradient_norm = 0.5, .score = language::PreferenceScore::Loss};
  const language::Transformer<Scalar> model(sizes);
  const Vector<Scalar> theta = start(Model(sizes)).cast<Scalar>(), other = elsewhere(Model(sizes)).cast<Scalar>();
  language::PreferenceTraining outside(model, theta, pairs, held_out, loss, options, optimizer);
  outside.set_reference(model, other);
  auto policy = owning<Scalar>();
  language::Owning reference(model, other);
  language::PreferenceTraining inside(policy, pairs, held_out, loss, options);
  inside.set_reference(reference);
  const auto expected = run_of(outside), found = run_of(inside);
  CHECK(found.first == expected.first);
  CHECK(found.second == expected.second);
  CHECK((policy.parameters() == expected.first && policy.updates() == 6));
  CHECK(reference.parameters() == other);
}

/// Logits of the next token by the token before: as little as a model can have.
class Bigram {
 public:
  using Scalar = double;

  explicit Bigram(Index vocabulary) : logits_(Matrix<double>::Zero(vocabulary, vocabulary)), gradient_(logits_) {}
  Index vocabulary() const { return logits_.rows(); }
  Index context() const { return 64; }
  Vector<double> log_probabilities(const PackedTokens& packed) const {
    Vector<double> values = Vector<double>::Zero(packed.size());
    for_scored(packed, [&](Token before, Token token, Index place) { values[place] = log_p(before)[token]; });
    return values;
  }
  void zero_gradient() { gradient_.setZero(); }
  void accumulate(const PackedTokens& packed, const ConstVectorRef<double>& weights) {
    for_scored(packed, [&](Token before, Token token, Index place) {
      gradient_.col(before) -= weights[place] * log_p(before).array().exp().matrix();
      gradient_(token, before) += weights[place];
    });
  }
  OwnStep step(double max_gradient_norm) {
    const double norm = gradient_.norm();
    logits_ -= 0.5 * std::min(1.0, max_gradient_norm / norm) * gradient_;
    return {norm, 0.5};
  }
  Vector<double> log_p(Token before) const {
    const Vector<double> z = logits_.col(before);
    return z.array() - std::log(z.array().exp().sum());
  }

 private:
  template <class Body>
  static void for_scored(const PackedTokens& packed, const Body& body) {
    for (Index s = 0; s < packed.sequences(); ++s)
      for (Index t = packed.start(s) + packed.prompt(s); t < packed.start(s + 1); ++t)
        body(packed.tokens[static_cast<std::size_t>(t - 1)], packed.tokens[static_cast<std::size_t>(t)],
             t - packed.start(0));
  }
  Matrix<double> logits_, gradient_;  // next x before
};
static_assert(OwningLanguageModel<Bigram> && !OwnsDistributions<Bigram> && !LanguageModel<Bigram>);
static_assert(OwnsDistributions<language::Owning<Model>> && !LanguageModel<language::Owning<Model>>);

}  // namespace

TEST_CASE("A transformer that owns its parameters trains to the same bits, by every kind of loss") {
  for (const Index micro_batch : {0, 3}) {
    check_same_run<float>(preference::Dpo{}, micro_batch);
    check_same_run<double>(preference::SquaredPo{.beta = 0.5}, micro_batch);
    check_same_run<double>(preference::Aot{}, micro_batch);
    check_same_run<double>(preference::Kto{.beta = 0.5}, micro_batch);
    check_same_run<double>(preference::LengthDesensitized<>{}, micro_batch);
    check_same_run<float>(preference::Tdpo1{.beta = 0.5}, micro_batch);
    check_same_run<double>(preference::Wpo<>{}, micro_batch);
  }
}

// discounted_reasoning.md, section 5.5
TEST_CASE("The owning form: gradients add up, what was read last is read once, a clone goes its own way") {
  language::Owning policy(Model(sizes), start(Model(sizes)), nn::AdamW{.learning_rate = 1e-2});
  language::TokenSequences first, second;
  first.add(std::vector<Token>{1, 2}, std::vector<Token>{3, 4, 5});
  second.add(std::vector<Token>{2}, std::vector<Token>{6, 0});
  const Vector<double> w1 = Vector<double>::LinSpaced(5, -1, 1), w2 = Vector<double>::LinSpaced(3, 1, 2);
  const Model& model = policy.model();
  Model::Tape tape;
  Vector<double> expected = Vector<double>::Zero(model.parameters());
  for (const auto& [text, weights] : {std::pair(&first, &w1), std::pair(&second, &w2)}) {
    model.log_probabilities(policy.parameters(), text->packed(), tape);
    model.backward(policy.parameters(), tape, *weights, expected);
  }
  policy.zero_gradient();
  policy.log_probabilities(first.packed());
  policy.accumulate(first.packed(), w1);
  policy.accumulate(second.packed(), w2);  // not the sequences that were read last
  CHECK(policy.gradient() == expected);

  const auto before = policy.clone();
  policy.log_probabilities(first.packed());
  const OwnStep taken = policy.step(0.1);
  CHECK(taken.gradient_norm == Approx(expected.norm()));
  CHECK(policy.gradient().norm() == Approx(0.1));
  CHECK(before.parameters() != policy.parameters());
  CHECK(before.gradient() == expected);
  const Vector<double> after = policy.log_distributions(first.packed()).col(0);  // of the parameters now
  model.log_probabilities(policy.parameters(), first.packed(), tape);
  CHECK(after == model.log_distributions(tape).col(0));

  language::TokenSequences prompts;
  prompts.add(std::vector<Token>{1, 2}, std::vector<Token>{3});
  const PackedTokens packed = prompts.packed();
  Rng a(7), b(7);
  language::Sampler sampler(model, {.new_tokens = 4});
  CHECK(policy.sample(packed, {.new_tokens = 4}, a).tokens == sampler.sample(policy.parameters(), packed, b).tokens);
  CHECK_THROWS_WITH(language::Owning(model, Vector<double>::Zero(3)),
                    Catch::Contains("must have the model's parameters"));
}

// discounted_reasoning.md, section 5.5
TEST_CASE("A model of one's own with five functions learns from pairs through the run loop") {
  Rng rng(8);
  auto pairs = some(40, rng);
  for (auto& pair : pairs) {  // even tokens are preferred
    for (Token& token : pair.chosen) token = token / 2 * 2;
    for (Token& token : pair.rejected) token = token / 3 * 2 + 1;
  }
  Bigram policy(7);
  language::PreferenceTraining learner(policy, pairs, {}, preference::Dpo{.beta = 0.5}, {.batch = 8});
  language::RecordPairs record(learner, {200});
  const auto run = training::fit(learner, {.steps = 200, .evaluate_every = 0}, record);
  CHECK(run.steps == 200);
  CHECK(learner.updates() == 200);
  const auto found = preference::diagnose(record.history(), rng);
  CHECK(found.last().accuracy.value == 1);  // 0 at the start, where all are ties
  CHECK(learner.parameters().size() == 0);
  CHECK_THROWS_WITH(first_difference(learner, learner), Catch::Contains("the model has no visit_state"));
}

TEST_CASE("A run of a model that names its state is taken up where it was left") {
  const TemporaryDirectory directory;
  Rng rng(4);
  const auto pairs = some(20, rng), held_out = some(5, rng);
  struct Stop {
    Index at;
    bool on_step(const training::RunStatus& status) const { return status.step != at; }
  };
  auto one = owning<float>(), two = owning<float>(), three = owning<float>();
  const auto learner = [&](auto& policy) {
    return language::PreferenceTraining(policy, pairs, held_out, preference::Tdpo2{}, {.batch = 8});
  };
  auto whole = learner(one), stopped = learner(two), later = learner(three);
  const training::FitOptions options{.steps = 20, .evaluate_every = 5, .seed = 3};
  training::fit(whole, options);
  training::fit(stopped, options, Stop{13}, tools::Checkpoints(directory.path(), {.every = 5}));
  const auto run = training::fit(later, options, Stop{-1}, tools::Checkpoints(directory.path(), {.every = 5}));
  CHECK(first_difference(later, whole).empty());
  CHECK(three.parameters() == one.parameters());
  CHECK(run.best_parameters.size() == one.parameters().size());
}

TEST_CASE("A model that gives too few log-probabilities is refused, as is a reference of other tokens") {
  struct Short : Bigram {
    using Bigram::Bigram;
    Vector<double> log_probabilities(const PackedTokens&) const { return Vector<double>::Zero(2); }
  };
  Rng rng(4);
  const auto pairs = some(3, rng);
  Short policy(7);
  CHECK_THROWS_WITH(language::PreferenceTraining(policy, pairs, {}, preference::Dpo{}, {.batch = 3}),
                    Catch::Contains("must give a log-probability for each of"));
  Bigram good(7), other(8);
  language::PreferenceTraining learner(good, pairs, {}, preference::Dpo{}, {.batch = 3});
  CHECK_THROWS_WITH(learner.set_reference(other), Catch::Contains("the model's vocabulary (got 8)"));
  Bigram few(3);
  CHECK_THROWS_WITH(language::PreferenceTraining(few, pairs, {}, preference::Dpo{}, {.batch = 3}),
                    Catch::Contains("must lie in 0 .. 2"));
}

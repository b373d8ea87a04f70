// SPDX-License-Identifier: Apache-2.0
#include <thread>

#include <mellow/core/state.hpp>
#include <mellow/language/preference_training.hpp>
#include <mellow/language/record_pairs.hpp>
#include <mellow/language/transformer.hpp>
#include <mellow/nn/sgd.hpp>
#include <mellow/preference/c2_dpo.hpp>
#include <mellow/preference/displacement.hpp>
#include <mellow/preference/f_dpo.hpp>
#include <mellow/preference/reference_free.hpp>
#include <mellow/tools/checkpoints.hpp>
#include <mellow/tools/safetensors.hpp>
#include <mellow/training/fit.hpp>

#include "language/small_pairs.hpp"
#include "language/two_threads.hpp"
#include "support/catch.hpp"
#include "support/gradient.hpp"
#include "support/temporary_directory.hpp"

using namespace mellow;
using namespace small_pairs;

namespace {

/// log pi of both completions of pairs, written out: a pair at a time.
struct Sums {
  Vector<double> chosen, rejected, chosen_tokens, rejected_tokens;

  Sums(const Model& model, const Vector<double>& theta, const std::vector<TokenizedPair>& pairs)
      : chosen(std::ssize(pairs)),
        rejected(chosen.size()),
        chosen_tokens(chosen.size()),
        rejected_tokens(chosen.size()) {
    Model::Tape tape;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const auto of = [&](const std::vector<Token>& completion) {
        std::vector<Token> tokens = pairs[i].prompt;
        tokens.insert(tokens.end(), completion.begin(), completion.end());
        const std::vector<Index> starts{0, std::ssize(tokens)}, given{std::ssize(pairs[i].prompt)};
        return Vector<double>(model.log_probabilities(theta, {tokens, starts, given}, tape)).sum();
      };
      const auto at = static_cast<Index>(i);
      chosen[at] = of(pairs[i].chosen);
      rejected[at] = of(pairs[i].rejected);
      chosen_tokens[at] = static_cast<double>(pairs[i].chosen.size());
      rejected_tokens[at] = static_cast<double>(pairs[i].rejected.size());
    }
  }
};

/// The objective of all pairs as a function of the parameters, written out.
template <class Loss>
preference::PairLossValue objective(const Loss& loss, const Model& model, const Vector<double>& theta,
                                    const Vector<double>& reference, const std::vector<TokenizedPair>& pairs) {
  const Sums policy(model, theta, pairs), fixed(model, reference, pairs);
  const preference::PairBatch<double> batch{policy.chosen,  policy.rejected,      fixed.chosen,
                                            fixed.rejected, policy.chosen_tokens, policy.rejected_tokens};
  Vector<double> d_chosen = Vector<double>::Zero(batch.size()), d_rejected = d_chosen;
  preference::SortScratch<double> scratch;
  if constexpr (preference::PairLoss<Loss>) return preference::pair_loss(loss, batch, d_chosen, d_rejected);
  else return {loss.add(batch, 1.0, d_chosen, d_rejected, scratch), {}};
}

/// Learns from all pairs at once, away from the reference.
template <class Loss>
void check_gradient(const Loss& loss) {
  const Model model(sizes);
  Rng rng(3);
  const auto pairs = some(5, rng);
  const Vector<double> reference = start(model), theta = elsewhere(model);
  language::PreferenceTraining learner(model, theta, pairs, {}, loss, {.batch = 5, .max_gradient_norm = no_bound},
                                       nn::Sgd{.learning_rate = 0.5});
  learner.set_reference(model, reference);
  const auto learned = learner.update(rng);
  CHECK(learned.loss == Approx(objective(loss, model, theta, reference, pairs).value).epsilon(1e-12));
  CHECK(learned.gradient_norm == Approx(learner.gradient().norm()).epsilon(1e-12));
  CHECK((learner.parameters() - (theta - 0.5 * learner.gradient())).norm() < 1e-14);
  expect_gradient([&](const Vector<double>& at) { return objective(loss, model, at, reference, pairs).value; }, theta,
                  learner.gradient());
}

/// DPO beside a likelihood of all tokens: a loss of a batch of one's own.
struct DpoWithLikelihood {
  double beta = 0.1;
  double add(const preference::PairBatch<double>& batch, double scale, VectorRef<double> d_chosen,
             VectorRef<double> d_rejected) const {
    return preference::add_pair_loss(preference::Dpo{.beta = beta}, batch, scale, d_chosen, d_rejected).value +
           preference::TokenMeanNll{}.add<double>(batch, scale, d_chosen);
  }
};

}  // namespace

TEST_CASE("An update follows the gradient of the loss of pairs, whatever the loss") {
  check_gradient(preference::Dpo{.beta = 0.5});
  check_gradient(preference::C2Dpo{.beta = 0.5, .lambda = 0.1, .constraint = preference::Constraint::Identity});
  check_gradient(preference::LengthNormalizedDpo{.beta = 2});
  check_gradient(preference::Aot{.beta = 0.5, .label_smoothing = 0.1});
  check_gradient(preference::Aot{.beta = 0.5, .unpaired = true});
}

TEST_CASE("Metrics are those of the loss, of the batch and of the held-out pairs") {
  const Model model(sizes);
  Rng rng(3);
  const auto pairs = some(5, rng), held_out = some(9, rng);
  const Vector<double> reference = start(model), theta = elsewhere(model);
  const preference::Dpo loss{.beta = 0.5};
  using enum language::PreferenceScore;
  for (const auto score : {Accuracy, Margin, Loss}) {
    language::PreferenceTraining learner(model, theta, pairs, held_out, loss,
                                         {.batch = 5, .micro_batch = 2, .score = score});
    learner.set_reference(model, reference);
    const auto at_start = objective(loss, model, theta, reference, held_out);
    CHECK(learner.evaluate() == Approx(score == Accuracy ? at_start.metrics.accuracy
                                       : score == Margin ? at_start.metrics.margin()
                                                         : -at_start.value)
                                    .epsilon(1e-12));
    const auto learned = learner.update(rng);
    const auto expected = objective(loss, model, theta, reference, pairs).metrics;
    CHECK(learned.batch.accuracy == Approx(expected.accuracy));
    CHECK(learned.batch.chosen_reward == Approx(expected.chosen_reward));
    CHECK(learned.batch.rejected_reward == Approx(expected.rejected_reward));
    CHECK(learned.batch.chosen_log_prob == Approx(expected.chosen_log_prob));
    CHECK(learned.batch.rejected_log_prob == Approx(expected.rejected_log_prob));
    CHECK(learned.held_out.value == Approx(at_start.value).epsilon(1e-12));
    const auto metrics = learned.metrics();
    CHECK((metrics[13].name == std::string("held_out_loss") && metrics[13].value == learned.held_out.value));
    CHECK(metrics[14].value == Approx(at_start.metrics.accuracy));
    CHECK(metrics[15].value == Approx(at_start.metrics.margin()));
  }
}

TEST_CASE(
    "An update tells what became of the pairs' mass, how far a constraint is broken, and how many pairs are clipped") {
  const Model model(sizes);
  Rng rng(3);
  const auto pairs = some(5, rng);
  const Vector<double> reference = start(model), theta = elsewhere(model);
  const auto learned_by = [&](const auto& loss, bool has_reference = true) {
    language::PreferenceTraining learner(model, theta, pairs, {}, loss,
                                         {.batch = 5, .micro_batch = 2, .has_reference = has_reference});
    if (has_reference) learner.set_reference(model, reference);
    Rng order(0);
    return learner.update(order);
  };
  using preference::C2Dpo, preference::Constraint;
  preference::PairHistory at_theta;
  {
    language::PreferenceTraining learner(model, theta, pairs, {}, preference::Dpo{}, {.batch = 5});
    learner.set_reference(model, reference);
    learner.record(0, at_theta);
  }
  double mass = 0, broken = 0, broken_sum = 0;
  for (Index i = 0; i < 5; ++i) {
    const preference::Pair pair{.chosen = at_theta.chosen(i, 0),
                                .rejected = at_theta.rejected(i, 0),
                                .reference_chosen = at_theta.reference_chosen(i, 0),
                                .reference_rejected = at_theta.reference_rejected(i, 0)};
    const double g = C2Dpo{.constraint = Constraint::Identity}.residual(pair);
    mass += g / 5;
    broken_sum += std::abs(g) / 5;
    broken += std::abs(pair.chosen_log_ratio() + pair.rejected_log_ratio()) / 5;
  }
  const auto dpo = learned_by(preference::Dpo{}), log = learned_by(C2Dpo{}),
             sum = learned_by(C2Dpo{.constraint = Constraint::Identity});
  for (const auto& learned : {dpo, log, sum, learned_by(preference::Aot{})})
    CHECK(learned.pair_mass == Approx(mass).epsilon(1e-10));
  CHECK(std::isnan(dpo.residual));
  CHECK(log.residual == Approx(broken).epsilon(1e-10));
  CHECK(sum.residual == Approx(broken_sum).epsilon(1e-10));
  CHECK(std::isnan(learned_by(preference::SimPo{}, false).pair_mass));
  const auto clipped = learned_by(preference::SquaredPo{});
  CHECK(clipped.metrics()[10].name == std::string("clipped"));
  CHECK(clipped.metrics()[10].value == clipped.batch.clipped);
}

TEST_CASE("Metrics of losses that couple rows are those of losses of pairs") {
  const auto pairs = run<double>(preference::Dpo{}, 0).second, coupled = run<double>(preference::Aot{}, 0).second;
  REQUIRE(pairs.size() == coupled.size());
  for (const std::size_t k : {4u, 5u, 6u, 7u, 8u, 9u}) CHECK(coupled[k] == Approx(pairs[k]).margin(1e-15));
}

TEST_CASE("Pairs read in parts give the whole batch's updates to rounding") {
  for (const Index micro_batch : {1, 3, 8, 100}) {
    check_same(run<double>(preference::Dpo{}, 0), run<double>(preference::Dpo{}, micro_batch));
    check_same(run<double>(preference::SquaredPo{}, 0), run<double>(preference::SquaredPo{}, micro_batch));
    check_same(run<double>(preference::Aot{}, 0), run<double>(preference::Aot{}, micro_batch));
    check_same(run<double>(DpoWithLikelihood{}, 0), run<double>(DpoWithLikelihood{}, micro_batch));
  }
}

TEST_CASE("Two processes that share the batches take the steps of one, to rounding") {
  TwoThreads::Shared shared;
  const auto alone = run<double>(preference::SquaredPo{}, 0);
  auto first = alone, second = alone;
  std::jthread other([&] { second = run<double>(preference::SquaredPo{}, 0, TwoThreads{&shared, 1}); });
  first = run<double>(preference::SquaredPo{}, 3, TwoThreads{&shared, 0});
  other.join();
  check_same(alone, first);
  CHECK(first.first == second.first);
}

TEST_CASE("C2-DPO without a penalty is DPO, bit for bit") {
  const auto dpo = run<float>(preference::Dpo{}, 3);
  using enum preference::Constraint;
  for (const auto constraint : {Log, Identity}) {
    auto c2 = run<float>(preference::C2Dpo{.lambda = 0, .constraint = constraint}, 3);
    CHECK(c2.first == dpo.first);
    for (std::ptrdiff_t update = 1; update <= 6; ++update)  // the residual, which DPO has not
      c2.second.erase(c2.second.begin() + 12 * update);
    CHECK(c2.second == dpo.second);
    CHECK(run<float>(preference::C2Dpo{.lambda = 1e-2, .constraint = constraint}, 3).first != dpo.first);
  }
}

TEST_CASE("A loss without a reference is trained without one") {
  const Model model(sizes);
  Rng rng(3);
  const auto pairs = some(5, rng);
  const preference::Cpo loss{.beta = 0.5};
  language::PreferenceTraining learner(model, start(model), pairs, {}, loss, {.batch = 5, .has_reference = false});
  const auto learned = learner.update(rng);
  const Sums sums(model, start(model), pairs);
  CHECK(learned.loss == Approx(objective(loss, model, start(model), start(model), pairs).value));
  CHECK(learned.batch.chosen_reward == Approx(0.5 * sums.chosen.mean()));  // trl's convention
  CHECK_THROWS_WITH(learner.set_reference(model, start(model)), Catch::Contains("has_reference"));
}

TEST_CASE("The first steps of a DPO run are PyTorch's with trl's loss") {
  const auto file = tools::load_safetensors(MELLOW_SOURCE_DIR "/tests/golden/dpo_run.safetensors");
  const auto numbers = [&](const std::string& name) {
    const auto& stored = std::get<std::vector<double>>(file.at(name).values);
    return Vector<double>(Eigen::Map<const Vector<double>>(stored.data(), std::ssize(stored)));
  };
  const auto whole_numbers = [&](const char* name) {
    return std::get<std::vector<std::int64_t>>(file.at(name).values);
  };
  const auto tokens = whole_numbers("tokens"), starts = whole_numbers("starts"), given = whole_numbers("given");
  std::vector<TokenizedPair> pairs(given.size() / 2);
  for (std::size_t s = 0; s < given.size(); ++s) {
    const auto begin = tokens.begin() + starts[s], middle = begin + given[s], end = tokens.begin() + starts[s + 1];
    TokenizedPair& pair = pairs[s / 2];
    pair.prompt.assign(begin, middle);
    (s % 2 == 0 ? pair.chosen : pair.rejected).assign(middle, end);
  }
  const auto check = [&]<class Scalar>(Scalar, double tolerance) {
    const language::Transformer<Scalar> model(
        {.vocabulary = 11, .context = 12, .width = 12, .layers = 2, .heads = 3, .hidden = 20});
    Vector<Scalar> theta(model.parameters());
    for (const Segment& segment : model.segments())
      theta.segment(segment.offset, segment.size()) = numbers(segment.name).template cast<Scalar>();
    language::PreferenceTraining learner(model, theta, pairs, {}, preference::Dpo{.beta = 0.5},
                                         {.batch = std::ssize(pairs), .micro_batch = 3},
                                         nn::AdamW{.learning_rate = 1e-2, .weight_decay = 0});
    Rng rng(1);
    CHECK(numbers("loss").size() == 5);
    for (Index step = 0; step < numbers("loss").size(); ++step) {
      CAPTURE(step, tolerance);
      const auto learned = learner.update(rng);
      CHECK(learned.loss == Approx(numbers("loss")[step]).epsilon(tolerance));
      CHECK(learned.gradient_norm == Approx(numbers("gradient_norm")[step]).epsilon(tolerance));
      if (step > 0) CHECK(learned.batch.accuracy == Approx(numbers("accuracy")[step]));  // at first all are ties
      CHECK(learned.batch.margin() == Approx(numbers("margin")[step]).epsilon(tolerance).margin(tolerance));
    }
  };
  check(double{}, 1e-6);  // clip_grad_norm_ divides by the norm and 1e-6
  check(float{}, 1e-4);
}

TEST_CASE("A run on pairs that is stopped and taken up ends as one that was not, its history too") {
  const TemporaryDirectory directory;
  const language::Transformer<float> model(sizes);
  Rng rng(4);
  const auto pairs = some(20, rng), held_out = some(5, rng);
  const Vector<> theta = start(Model(sizes)).cast<float>();
  const auto learner = [&] {
    return language::PreferenceTraining(model, theta, pairs, held_out, preference::SquaredPo{},
                                        {.batch = 8, .micro_batch = 3},
                                        nn::AdamW{.learning_rate = warm_up(10, cosine(1e-2, 1e-3, 30))});
  };
  struct Stop {
    Index at;
    bool on_step(const training::RunStatus& status) const { return status.step != at; }
  };
  auto whole = learner(), stopped = learner(), later = learner();
  const std::vector<Index> steps{5, 20, 30, 40};
  language::RecordPairs all(whole, steps), first(stopped, steps), rest(later, steps);
  const training::FitOptions options{.steps = 40, .evaluate_every = 10, .seed = 3};
  const auto expected = training::fit(whole, options, all);
  training::fit(stopped, options, first, Stop{23}, tools::Checkpoints(directory.path(), {.every = 10}));
  const auto run = training::fit(later, options, rest, Stop{-1}, tools::Checkpoints(directory.path(), {.every = 10}));
  CHECK(first_difference(later, whole).empty());
  CHECK((run.best_score == expected.best_score && run.best_step == expected.best_step));
  CHECK(first_difference(rest, all).empty());
  CHECK(rest.history().steps == std::vector<Index>{0, 5, 20, 30, 40});
}

TEST_CASE("What a run keeps of its pairs is what the diagnosis reads") {
  const Model model(sizes);
  Rng rng(4);
  const auto pairs = some(6, rng);
  language::PreferenceTraining learner(model, start(model), pairs, {}, preference::SquaredPo{}, {.batch = 6},
                                       nn::AdamW{.learning_rate = 1e-2});
  language::RecordPairs record(learner, {3, 10});
  training::fit(learner, {.steps = 10, .evaluate_every = 0}, record);
  const preference::PairHistory& history = record.history();
  history.validate("test");
  const Sums before(model, start(model), pairs), after(model, learner.parameters(), pairs);
  CHECK(history.steps == std::vector<Index>{0, 3, 10});
  CHECK((history.chosen.col(0) - before.chosen).norm() < 1e-12);
  CHECK((history.reference_rejected.col(2) - before.rejected).norm() < 1e-12);
  CHECK((history.chosen.col(2) - after.chosen).norm() < 1e-12);
  CHECK((history.rejected.col(2) - after.rejected).norm() < 1e-12);
  CHECK(history.chosen_tokens == before.chosen_tokens);
  CHECK(history.clipped.cols() == 3);
  const auto found = preference::diagnose(history, rng);
  CHECK((found.pairs == 6 && found.checkpoints.size() == 2 && found.last().accuracy.value > 0.5));
  CHECK_THROWS_WITH(language::RecordPairs(learner, {3, 3}), Catch::Contains("ascending"));
  CHECK_THROWS_WITH(language::RecordPairs(learner, {0}), Catch::Contains("positive"));
}

TEST_CASE("What a run keeps of held-out pairs is theirs") {
  const Model model(sizes);
  Rng rng(4);
  const auto pairs = some(6, rng), held_out = some(4, rng);
  language::PreferenceTraining learner(model, start(model), pairs, held_out, preference::Dpo{}, {.batch = 6},
                                       nn::AdamW{.learning_rate = 1e-2});
  language::RecordPairs learned(learner, {2, 5}), unseen(learner, {2, 5}, language::RecordedPairs::HeldOut);
  training::fit(learner, {.steps = 5, .evaluate_every = 0}, learned, unseen);
  const preference::PairHistory& history = unseen.history();
  history.validate("test");
  const Sums before(model, start(model), held_out), after(model, learner.parameters(), held_out);
  CHECK((learned.history().size() == 6 && history.size() == 4));
  CHECK(history.steps == learned.history().steps);
  CHECK((history.chosen.col(0) - before.chosen).norm() < 1e-12);
  CHECK((history.reference_chosen.col(2) - before.chosen).norm() < 1e-12);
  CHECK((history.rejected.col(2) - after.rejected).norm() < 1e-12);
  language::PreferenceTraining without(model, start(model), pairs, {}, preference::Dpo{}, {.batch = 6});
  CHECK_THROWS_WITH(language::RecordPairs(without, {1}, language::RecordedPairs::HeldOut),
                    Catch::Contains("must have a pair"));
}

TEST_CASE("Pairs that cannot be learned from are refused") {
  const Model model(sizes);
  Rng rng(4);
  const auto with = [&](std::vector<TokenizedPair> pairs, language::PreferenceTrainingOptions options,
                        preference::Dpo loss = {}) {
    language::PreferenceTraining(model, start(model), pairs, {}, loss, options);
  };
  CHECK_THROWS_WITH(with({}, {}), Catch::Contains("there must be an example"));
  CHECK_THROWS_WITH(with({{{}, {1}, {2}}}, {.batch = 1}), Catch::Contains("a prompt must have a token"));
  CHECK_THROWS_WITH(with({{{1}, {1}, {}}}, {.batch = 1}), Catch::Contains("a completion must have a token"));
  CHECK_THROWS_WITH(with({{std::vector<Token>(9, 1), {1}, {2}}}, {.batch = 1}), Catch::Contains("(got 10)"));
  CHECK_THROWS_WITH(with({{{1}, {1}, {-1}}}, {.batch = 1}), Catch::Contains("must lie in 0 .. 6 (got -1)"));
  const auto pairs = some(4, rng);
  CHECK_THROWS_WITH(with(pairs, {.batch = 5}), Catch::Contains("at most the 4 pairs"));
  CHECK_THROWS_WITH(with(pairs, {.batch = 0}), Catch::Contains("batch must be positive"));
  CHECK_THROWS_WITH(with(pairs, {.batch = 4, .micro_batch = -1}), Catch::Contains("micro_batch"));
  CHECK_THROWS_WITH(with(pairs, {.batch = 4, .max_gradient_norm = 0}), Catch::Contains("max_gradient_norm"));
  CHECK_THROWS_WITH(with(pairs, {.batch = 4}, {.beta = -1}), Catch::Contains("beta"));
  language::PreferenceTraining learner(model, start(model), pairs, {}, preference::Dpo{}, {.batch = 4});
  CHECK_THROWS_WITH(learner.evaluate(), Catch::Contains("held-out pair"));
  Vector<double> broken = start(model);
  broken[5] = std::numeric_limits<double>::quiet_NaN();
  learner.set_parameters(broken);
  CHECK_THROWS_WITH(learner.update(rng), Catch::Contains("not finite"));
}

// SPDX-License-Identifier: Apache-2.0
// Training on pairs by losses of single completions (KTO) and of tokens (TDPO, LD-DPO, WPO).
#include <algorithm>
#include <span>
#include <thread>

#include <mellow/core/state.hpp>
#include <mellow/language/preference_training.hpp>
#include <mellow/language/threaded.hpp>
#include <mellow/nn/sgd.hpp>
#include <mellow/preference/unpaired.hpp>
#include <mellow/preference/weighed_tokens.hpp>
#include <mellow/tools/checkpoints.hpp>
#include <mellow/training/fit.hpp>

#include "language/small_pairs.hpp"
#include "language/two_threads.hpp"
#include "support/catch.hpp"
#include "support/gradient.hpp"
#include "support/temporary_directory.hpp"

using namespace mellow;
using namespace small_pairs;
using preference::Kto, preference::Tdpo1, preference::Tdpo2, preference::LengthDesensitized, preference::Wpo;

namespace {

/// What a model says of a completion, read alone.
struct Said {
  Vector<double> log_probs;      // a number a token
  Matrix<double> distributions;  // vocabulary x tokens

  Said(const Model& model, const Vector<double>& theta, const std::vector<Token>& prompt,
       std::span<const Token> completion) {
    std::vector<Token> tokens = prompt;
    tokens.insert(tokens.end(), completion.begin(), completion.end());
    const std::vector<Index> starts{0, std::ssize(tokens)}, given{std::ssize(prompt)};
    Model::Tape tape;
    log_probs = model.log_probabilities(theta, {tokens, starts, given}, tape).tail(std::ssize(completion));
    distributions = model.log_distributions(tape);
  }
  double sum() const { return log_probs.sum(); }
};

using Pairs = std::vector<TokenizedPair>;

// Each loss of all pairs as a function of theta, written out; what is a constant to the gradient is taken at `fixed`.

template <class Loss>
  requires preference::UnpairedLoss<Loss>
double objective(const Loss& loss, const Model& model, const Vector<double>& theta, const Vector<double>& fixed,
                 const Vector<double>& reference, const Pairs& pairs) {
  std::vector<double> mismatched, reference_mismatched, log_probs, reference_log_probs, desirable;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const auto& [prompt, chosen, rejected] = pairs[i];
    const TokenizedPair& before = pairs[(i + pairs.size() - 1) % pairs.size()];
    for (const bool good : {true, false}) {
      const auto& own = good ? chosen : rejected;
      log_probs.push_back(Said(model, theta, prompt, own).sum());
      reference_log_probs.push_back(Said(model, reference, prompt, own).sum());
      desirable.push_back(good ? 1 : 0);
      const std::span<const Token> other = good ? before.chosen : before.rejected;
      const auto cut = other.first(std::min(other.size(), static_cast<std::size_t>(sizes.context) - prompt.size()));
      mismatched.push_back(Said(model, fixed, prompt, cut).sum());
      reference_mismatched.push_back(Said(model, reference, prompt, cut).sum());
    }
  }
  Vector<double> d(std::ssize(log_probs));
  return preference::unpaired_loss(loss,
                                   preference::UnpairedBatch<double>{log_probs, reference_log_probs, desirable,
                                                                     mismatched, reference_mismatched},
                                   d)
      .value;
}

/// A mean over pairs of what is given of policy, fixed policy and reference of both completions.
template <class OfPair>
double mean_over_pairs(const Model& model, const Vector<double>& theta, const Vector<double>& fixed,
                       const Vector<double>& reference, const Pairs& pairs, const OfPair& of_pair) {
  double sum = 0;
  for (const auto& [prompt, chosen, rejected] : pairs) {
    const auto said = [&](const Vector<double>& by, const auto& completion) {
      return Said(model, by, prompt, completion);
    };
    sum += of_pair(said(theta, chosen), said(theta, rejected), said(fixed, chosen), said(fixed, rejected),
                   said(reference, chosen), said(reference, rejected));
  }
  return sum / static_cast<double>(pairs.size());
}

preference::Pair sums(const Said& w, const Said& l, const Said& r_w, const Said& r_l) {
  return {w.sum(), l.sum(), r_w.sum(), r_l.sum(), double(w.log_probs.size()), double(l.log_probs.size())};
}

template <class Loss>
  requires(std::same_as<Loss, Tdpo1> || std::same_as<Loss, Tdpo2>)
double objective(const Loss& loss, const Model& model, const Vector<double>& theta, const Vector<double>& fixed,
                 const Vector<double>& reference, const Pairs& pairs) {
  return mean_over_pairs(
      model, theta, fixed, reference, pairs,
      [&](const Said& w, const Said& l, const Said& fixed_w, const Said&, const Said& r_w, const Said& r_l) {
        const auto kl = [](const Said& by, const Said& policy) {
          Matrix<double> d(policy.distributions.rows(), policy.distributions.cols());
          return preference::sequential_kl<double>(by.distributions, policy.distributions, d);
        };
        return loss(sums(w, l, r_w, r_l), kl(r_w, std::same_as<Loss, Tdpo1> ? w : fixed_w), kl(r_l, l)).value;
      });
}

template <class L>
double objective(const LengthDesensitized<L>& loss, const Model& model, const Vector<double>& theta,
                 const Vector<double>& fixed, const Vector<double>& reference, const Pairs& pairs) {
  return mean_over_pairs(model, theta, fixed, reference, pairs,
                         [&](const Said& w, const Said& l, const Said&, const Said&, const Said& r_w, const Said& r_l) {
                           const Index shared = std::min(w.log_probs.size(), l.log_probs.size());
                           const auto weighed = [&](const Said& said) {
                             Vector<double> weights(said.log_probs.size());
                             preference::ld_weights<double>(shared, loss.alpha, weights);
                             return preference::sum_log_prob<double>(said.log_probs, weights);
                           };
                           return loss.loss({weighed(w), weighed(l), weighed(r_w), weighed(r_l)}).value;
                         });
}

template <class L>
double objective(const Wpo<L>& loss, const Model& model, const Vector<double>& theta, const Vector<double>& fixed,
                 const Vector<double>& reference, const Pairs& pairs) {
  return mean_over_pairs(
      model, theta, fixed, reference, pairs,
      [&](const Said& w, const Said& l, const Said& fixed_w, const Said& fixed_l, const Said& r_w, const Said& r_l) {
        const auto weight = [](const Said& said) {
          const Vector<double> squares = said.distributions.array().exp().square().colwise().sum().log().transpose();
          return preference::wpo_weight<double>(said.log_probs, squares);
        };
        return weight(fixed_w) * weight(fixed_l) * loss.loss(sums(w, l, r_w, r_l)).value;
      });
}

/// Two pairs, and one that leaves no room for another's longer completion.
Pairs three_pairs() {
  Rng rng(3);
  auto pairs = some(2, rng);
  pairs.push_back({{1, 2, 3, 4, 5, 6, 0, 1}, {2}, {3}});
  return pairs;
}

/// An update on all pairs at once, away from the reference, and an evaluation on others.
template <class Loss>
void check(const Loss& loss, const Vector<double>& theta = elsewhere(Model(sizes))) {
  const Model model(sizes);
  Rng rng(8);
  const auto pairs = three_pairs(), held_out = some(3, rng);
  const Vector<double> reference = start(model);
  language::PreferenceTraining learner(
      model, theta, pairs, held_out, loss,
      {.batch = 3, .micro_batch = 2, .max_gradient_norm = no_bound, .score = language::PreferenceScore::Loss},
      nn::Sgd{.learning_rate = 0.5});
  learner.set_reference(model, reference);
  CHECK(learner.evaluate() == Approx(-objective(loss, model, theta, theta, reference, held_out)).epsilon(1e-12));
  const auto learned = learner.update(rng);
  CHECK(learned.loss == Approx(objective(loss, model, theta, theta, reference, pairs)).epsilon(1e-12));
  expect_gradient([&](const Vector<double>& at) { return objective(loss, model, at, theta, reference, pairs); }, theta,
                  learner.gradient());
}

/// A loss of tokens of one's own: the log-probability of the least likely token of the chosen completion.
struct WorstToken {
  double operator()(const preference::TokenPair& pair, preference::TokenPairGradient& gradient) const {
    Index worst = 0;
    for (Index t = 1; t < pair.chosen.size(); ++t)
      if (pair.chosen.log_probs[t] < pair.chosen.log_probs[worst]) worst = t;
    gradient.chosen.d_log_probs[worst] = -1;
    return -pair.chosen.log_probs[worst];
  }
};

double objective(const WorstToken&, const Model& model, const Vector<double>& theta, const Vector<double>& fixed,
                 const Vector<double>& reference, const Pairs& pairs) {
  return mean_over_pairs(model, theta, fixed, reference, pairs,
                         [](const Said& w, const Said&, const Said&, const Said&, const Said&, const Said&) {
                           return -w.log_probs.minCoeff();
                         });
}

/// Training goes on where a checkpoint left it, with the reference that it had.
template <class Loss>
void check_resume(const Loss& loss) {
  const TemporaryDirectory directory;
  const Model model(sizes);
  Rng rng(4);
  const auto pairs = some(20, rng), held_out = some(5, rng);
  const auto learner = [&](const Vector<double>& theta) {
    return language::PreferenceTraining(model, theta, pairs, held_out, loss, {.batch = 8, .micro_batch = 3},
                                        nn::AdamW{.learning_rate = 1e-2});
  };
  struct Stop {
    Index at;
    bool on_step(const training::RunStatus& status) const { return status.step != at; }
  };
  auto whole = learner(start(model)), stopped = learner(start(model));
  auto later = learner(elsewhere(model));  // whose reference is another until it is taken up
  const training::FitOptions options{.steps = 20, .evaluate_every = 5, .seed = 3};
  training::fit(whole, options);
  training::fit(stopped, options, Stop{13}, tools::Checkpoints(directory.path(), {.every = 5}));
  training::fit(later, options, Stop{-1}, tools::Checkpoints(directory.path(), {.every = 5}));
  CHECK(first_difference(later, whole).empty());
}

}  // namespace

TEST_CASE("An update by a loss of single completions follows its gradient") {
  check(preference::ApoZeroUnpaired{.beta = 0.5, .desirable_weight = 1.3});
}

TEST_CASE("KTO's baseline is at work, and is no part of the gradient") {
  const Model model(sizes);
  Rng rng(3);
  const auto pairs = three_pairs();
  const Kto loss{.beta = 0.5, .undesirable_weight = 0.8};
  // Parameters at which the baseline is not 0, and so is seen.
  const auto baseline_moves = [&](const Vector<double>& at) {
    const double with = objective(loss, model, at, at, start(model), pairs);
    const preference::ApoZeroUnpaired none{.beta = 0.5, .undesirable_weight = 0.8};
    return std::abs(with - objective(none, model, at, at, start(model), pairs)) > 1e-3;
  };
  Vector<double> theta;
  do theta = start(model) + Vector<double>::NullaryExpr(model.parameters(), [&] { return rng.normal(0, 0.3); });
  while (!baseline_moves(theta));
  check(loss, theta);
}

TEST_CASE("An update by a loss of tokens follows its gradient through whole distributions") {
  check(Tdpo1{.beta = 0.5});
  check(Tdpo2{.beta = 0.5, .alpha = 0.7});
  check(LengthDesensitized<>{.alpha = 0.3, .loss = {.beta = 0.5}});
  check(Wpo<>{.loss = {.beta = 0.5}});
  check(WorstToken{});
}

TEST_CASE("Losses of tokens that weigh all of them alike are the losses of pairs, to rounding") {
  const auto dpo = run<double>(preference::Dpo{}, 3);
  check_same(dpo, run<double>(LengthDesensitized<>{.alpha = 1}, 3));
  check_same(dpo, run<double>(Tdpo2{.alpha = 0}, 3));
  CHECK((dpo.first - run<double>(LengthDesensitized<>{.alpha = 0.5}, 3).first).norm() > 1e-3);
  CHECK((dpo.first - run<double>(Tdpo1{}, 3).first).norm() > 1e-6);
}

TEST_CASE("Losses of tokens and of single completions read pairs in parts, and by several threads") {
  const auto check_parts = [](const auto& loss) {
    const auto whole = run<double>(loss, 0);
    for (const Index micro_batch : {1, 3, 100}) check_same(whole, run<double>(loss, micro_batch));
  };
  check_parts(Kto{});
  check_parts(Tdpo1{});
  check_parts(Wpo<>{});
  const Model model(sizes);
  Rng rng(3);
  const auto pairs = some(5, rng);
  const auto gradient = [&](const auto& by) {
    Rng order(1);
    language::PreferenceTraining learner(by, elsewhere(model), pairs, {}, Tdpo1{.beta = 0.5}, {.batch = 5});
    learner.set_reference(model, start(model));
    learner.update(order);
    return Vector<double>(learner.gradient());
  };
  CHECK((gradient(model) - gradient(language::Threaded(model, 2))).norm() < 1e-12);
}

TEST_CASE("Two processes take the steps of one by losses of tokens, and share KTO's baseline") {
  const auto check_shared = [](const auto& loss) {
    TwoThreads::Shared shared;
    const auto alone = run<double>(loss, 0);
    auto first = alone, second = alone;
    std::jthread other([&] { second = run<double>(loss, 0, TwoThreads{&shared, 1}); });
    first = run<double>(loss, 3, TwoThreads{&shared, 0});
    other.join();
    check_same(alone, first);
    CHECK(first.first == second.first);
  };
  check_shared(Kto{.beta = 0.5});
  check_shared(Tdpo2{.beta = 0.5});
}

TEST_CASE("A run by losses of tokens or single completions that is taken up ends as one that was not") {
  check_resume(Kto{.beta = 0.5});
  check_resume(Tdpo1{.beta = 0.5});
  check_resume(LengthDesensitized<>{});
}

TEST_CASE("What such losses cannot do without is asked for") {
  const Model model(sizes);
  Rng rng(4);
  const auto pairs = some(3, rng);
  const auto with = [&](const auto& loss, const Pairs& held_out, bool has_reference) {
    language::PreferenceTraining(model, start(model), pairs, held_out, loss,
                                 {.batch = 3, .has_reference = has_reference});
  };
  CHECK_THROWS_WITH(with(Tdpo1{}, {}, false), Catch::Contains("has_reference must be true for a loss that uses"));
  CHECK_THROWS_WITH(with(Kto{}, {pairs[0]}, true), Catch::Contains("at least two responses (got 1)"));
  CHECK_THROWS_WITH(with(Tdpo2{.alpha = -1}, {}, true), Catch::Contains("alpha must be finite and not negative"));
  CHECK_THROWS_WITH(with(LengthDesensitized<>{.alpha = 2}, {}, true), Catch::Contains("alpha must lie in [0, 1]"));
  with(LengthDesensitized<>{}, {}, false);
  with(Kto{}, {}, false);
  language::PreferenceTraining learner(model, start(model), pairs, {}, Tdpo1{}, {.batch = 3});
  const Model larger({.vocabulary = 8, .context = 9, .width = 8, .layers = 1, .heads = 2});
  CHECK_THROWS_WITH(learner.set_reference(larger, Vector<double>::Zero(larger.parameters())),
                    Catch::Contains("the reference must have the model's vocabulary (got 8)"));
  Vector<double> broken = start(model);
  broken[5] = std::numeric_limits<double>::quiet_NaN();
  learner.set_parameters(broken);
  CHECK_THROWS_WITH(learner.update(rng), Catch::Contains("must be finite"));
}

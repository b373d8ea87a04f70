// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include <mellow/nn/adam.hpp>
#include <mellow/preference/c2_dpo.hpp>
#include <mellow/preference/displacement.hpp>
#include <mellow/preference/displacement_toy.hpp>
#include <mellow/preference/f_dpo.hpp>
#include <mellow/preference/tabulate.hpp>

#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::preference;
using Catch::Contains;
using Catch::Matchers::Message;

namespace {

using Numbers = std::vector<double>;

/// A history by hand: of each checkpoint the chosen and the rejected log-probabilities.
struct Rows {
  Index step;
  Numbers chosen, rejected;
};

PairHistory history_of(const std::vector<Rows>& rows, const Numbers& reference_chosen = {},
                       const Numbers& reference_rejected = {}) {
  PairHistory history;
  for (const Rows& at : rows)
    history.add(at.step, PairBatch<double>{at.chosen, at.rejected, reference_chosen, reference_rejected});
  return history;
}

Diagnosis diagnosis_of(const PairHistory& history, const DisplacementOptions& options = {}) {
  Rng rng(0);
  return diagnose(history, rng, options);
}

/// The history of a training of the toy (c2_dpo.md 3.2), whose response sets are finite.
PairHistory train(const PairLoss auto& loss, Index steps, std::uint64_t seed) {
  Rng rng(seed);
  const DisplacementToy toy(rng);
  const Index n = toy.prompts();
  Vector<double> w = Vector<double>::Zero(toy.parameters()), d_w = w, d_chosen(n), d_rejected(n), outside(n);
  Matrix<double> log_probs;
  const nn::Adam adam{.learning_rate = 0.05};
  nn::Adam::State<double> moments;
  moments.reset(toy.parameters());
  PairHistory history;
  for (Index step = 0;; ++step) {
    toy.log_probs(w, log_probs);
    const Vector<double> chosen = log_probs.row(0), rejected = log_probs.row(1);
    const PairBatch<double> batch{chosen, rejected, toy.reference_chosen(), toy.reference_rejected()};
    if (step == 0 || step == 30 || step == 100 || step == 300 || step == 1000 || step == steps) {
      for (Index k = 0; k < n; ++k) outside[k] = out_of_sample_mass(log_probs.col(k), std::array<Index, 2>{0, 1});
      history.add(step, batch, loss, outside);
    }
    if (step == steps) return history;
    pair_loss(loss, batch, d_chosen, d_rejected);
    toy.gradient(log_probs, d_chosen, d_rejected, d_w);
    adam.step<double>(moments, w, d_w);
  }
}

}  // namespace

TEST_CASE("Every figure of a diagnosis, by hand") {
  // Four pairs; the reference is the first checkpoint.
  const Numbers r_w{-1, -2, -3, -4}, r_l{-1, -2, -3, -4};
  const auto found = diagnosis_of(history_of(
      {{0, r_w, r_l}, {10, {-2, -3, -2, -5}, {-4, -1, -9, -5}}, {20, {-3, -2.5, -4, -6}, {-60, -2, -70, -80}}}, r_w,
      r_l));
  CHECK(found.pairs == 4);
  CHECK(found.has_reference);
  REQUIRE(found.checkpoints.size() == 2);
  const auto &first = found.checkpoints[0], &last = found.last();
  CHECK(first.step == 10);
  CHECK(first.chosen_median.value == -1);  // -1 -1 1 -1
  CHECK(first.chosen_mean.value == -0.5);
  CHECK(first.rejected_median.value == -2);  // -3 1 -6 -1
  CHECK(first.chosen_fell.value == 0.75);
  CHECK(first.rejected_fell.value == 0.75);
  CHECK(first.accuracy.value == 0.5);       // 2 -2 7 0: a tie counts as wrong
  CHECK(last.chosen_median.value == -1.5);  // -2 -0.5 -1 -2
  CHECK(last.chosen_mean.value == -1.375);
  CHECK(last.accuracy.value == 0.75);
  CHECK(first.saturated == 0);
  CHECK(last.saturated == 0.75);  // margins of 57, -0.5, 66, 74: sigma(-5.7) = 0.0033
  CHECK_FALSE(last.clipped);
  // Fell at 10: pairs 0, 1, 3; at 20: 0, 2, 3. Of the three that fell first two kept falling.
  CHECK(found.always_fell.value == 0.5);
  CHECK(found.fell_always == std::vector<std::string>{"0", "3"});
  CHECK(found.kept_falling.value().value == Approx(2.0 / 3));
  CHECK(found.last_change.value().value == -1);  // -1 0.5 -2 -1
  // 1 - 2 exp(r), and the median of log-sums.
  const auto mean = [](auto of) { return (of(1.0) + of(2.0) + of(3.0) + of(4.0)) / 4; };
  CHECK(found.out_of_sample_at_start.value().value == Approx(mean([](double x) { return 1 - 2 * std::exp(-x); })));
  CHECK(last.out_of_sample.value ==
        Approx(1 - (std::exp(-3) + std::exp(-2.5) + std::exp(-2) + std::exp(-4) + std::exp(-6)) / 4));
  const double g0 = -3 - (-1 + std::log(2)), g1 = std::log(std::exp(-2.5) + std::exp(-2)) - (-2 + std::log(2)),
               g2 = -4 - (-3 + std::log(2)), g3 = -6 - (-4 + std::log(2));
  CHECK(g1 > g2);
  CHECK(last.pair_mass.value == Approx(0.5 * (g2 + std::max(g0, g3))));
  CHECK_FALSE(found.out_of_sample_known);
  CHECK_FALSE(found.length_bias);
}

TEST_CASE("The start is step 0, else the reference, else the first checkpoint") {
  const Numbers r_w{-5, -5, -5}, r_l{-6, -6, -6}, l_w{-6, -7, -8}, l_l{-9, -9, -9}, later{-7, -8, -9};
  SECTION("Without a reference changes are since the first checkpoint") {
    const auto found = diagnosis_of(history_of({{7, l_w, l_l}, {8, later, l_l}}));
    CHECK_FALSE(found.has_reference);
    CHECK(found.start == 7);
    REQUIRE(found.checkpoints.size() == 1);
    CHECK(found.last().chosen_median.value == -1);
    CHECK(found.always_fell.value == 1);
    CHECK_FALSE(found.kept_falling);
    CHECK_FALSE(found.last_change);
    CHECK_THROWS_MATCHES(diagnosis_of(history_of({{7, l_w, l_l}})), Error,
                         Message("preference::diagnose: there must be a checkpoint after the start (got 1)"));
  }
  SECTION("A reference stands for step 0") {
    const auto found = diagnosis_of(history_of({{7, l_w, l_l}, {8, later, l_l}}, r_w, r_l));
    REQUIRE(found.checkpoints.size() == 2);
    CHECK(found.start == 0);
    CHECK(found.checkpoints[0].chosen_median.value == -2);
    CHECK(found.last().chosen_median.value == -3);
    CHECK(found.kept_falling.value().value == 1);
    CHECK(diagnosis_of(history_of({{7, l_w, l_l}}, r_w, r_l)).checkpoints.size() == 1);
  }
  SECTION("A checkpoint of step 0 is the start, from which falls are counted, while log-ratios are the reference's") {
    const auto found = diagnosis_of(history_of({{0, later, l_l}, {8, l_w, l_l}}, r_w, r_l));
    REQUIRE(found.checkpoints.size() == 1);
    CHECK(found.last().chosen_median.value == -2);
    CHECK(found.always_fell.value == 0);
    CHECK_THROWS_AS(diagnosis_of(history_of({{0, l_w, l_l}}, r_w, r_l)), Error);
  }
}

TEST_CASE("The sentence says what happened") {
  const Numbers start(9, -10.0);
  const auto said = [&](double chosen, double rejected) {
    // Not all alike, and around 0 where a response does not move.
    const auto around = [](double x) {
      Numbers values;
      for (int i = -4; i <= 4; ++i) values.push_back(-10 + x + 0.1 * i);
      return values;
    };
    const auto found = diagnosis_of(history_of({{0, start, start}, {5, around(chosen), around(rejected)}}));
    CHECK(found.displaced() == (chosen < 0));
    return found.sentence();
  };
  CHECK_THAT(said(-3, -5),
             Contains("Displacement: the chosen responses lost probability (median change of log pi -3 [") &&
                 Contains("100 % of the 9 pairs fell), the rejected ones even more (-5 ["));
  CHECK_THAT(said(-5, -5), Contains("the rejected ones as much (-5 ["));
  CHECK_THAT(said(-5, -3), Contains("Displacement") && Contains("the rejected ones too, but less (-3 ["));
  CHECK_THAT(said(-3, 0), Contains("Displacement") && Contains("and the rejected ones did not clearly move"));
  CHECK_THAT(said(-3, 2), Contains("Displacement") && Contains("and the rejected ones gained it (+2 ["));
  CHECK_THAT(said(2, -3),
             Contains("As wanted, the chosen responses gained probability (median change of log pi +2 [") &&
                 Contains("0 % of the 9 pairs fell) and the rejected ones lost probability (-3 ["));
  CHECK_THAT(said(2, 3),
             Contains("The chosen responses gained probability") && Contains("the rejected ones did so too"));
  CHECK_THAT(said(0, -3), Contains("The chosen responses did not clearly move") && Contains("lost probability (-3 ["));
  CHECK_THAT(said(0, 0), Contains("and the rejected ones neither"));
  // Where the mass went: nearly all of it is elsewhere from the start, so by what factor.
  CHECK_THAT(said(-3, -5), Contains("a pair together lost probability by a factor of 35.4 in the median"));
  CHECK_THAT(said(-300, -500), Contains("a pair together lost probability by a factor of 10^131 in the median"));
  CHECK_THAT(said(9, -3), Contains("the probability left for all other responses went from 1.00 to 0."));
  CHECK_THAT(said(0, 0), Contains("the probability of a pair together did not clearly change"));
}

TEST_CASE("DPO displaces the toy's chosen responses at every checkpoint, C2-DPO raises them, SquaredPO stops") {
  const auto dpo = diagnosis_of(train(Dpo{}, 3'000, 1));
  CHECK(dpo.displaced());
  CHECK(dpo.last().chosen_median.value < -50);
  CHECK(dpo.always_fell.value >= 0.9);
  CHECK(dpo.kept_falling.value().value >= 0.9);
  CHECK(dpo.last().saturated > 0.5);
  CHECK(dpo.out_of_sample_known);
  CHECK(dpo.out_of_sample_at_start.value().value < 0.8);
  CHECK(dpo.last().out_of_sample.value > 0.99);
  CHECK(dpo.last().clipped.value() == 0);
  CHECK_THAT(dpo.sentence(), Contains("Displacement") && Contains("even more") &&
                                 Contains("the probability of responses in no pair went from 0.") &&
                                 Contains("the decline goes on"));

  const auto c2 = diagnosis_of(train(C2Dpo{}, 3'000, 1));
  CHECK_FALSE(c2.displaced());
  CHECK(c2.last().chosen_median.value > 0);
  CHECK(c2.always_fell.value == 0);
  CHECK(c2.last().out_of_sample.value < c2.out_of_sample_at_start.value().value);
  CHECK_THAT(c2.sentence(), Contains("As wanted"));

  const auto squared = diagnosis_of(train(SquaredPo{}, 3'000, 1));
  CHECK(squared.displaced());
  CHECK(squared.last().chosen_median.value > -20);
  CHECK(squared.always_fell.value <= 0.5);
}

TEST_CASE("The bound of the mass out of sample is exact where a pair is all that is known of a prompt") {
  auto history = train(Dpo{}, 100, 2);
  const auto known = diagnosis_of(history);
  history.out_of_sample.resize(0, 0);
  const auto bound = diagnosis_of(history);
  CHECK_FALSE(bound.out_of_sample_known);
  for (std::size_t k = 0; k < known.checkpoints.size(); ++k)
    CHECK(bound.checkpoints[k].out_of_sample.value == Approx(known.checkpoints[k].out_of_sample.value).epsilon(1e-12));

  const Vector<double> log_probs = Eigen::Array4d(0.1, 0.2, 0.3, 0.4).log();
  CHECK(out_of_sample_mass(log_probs, std::array<Index, 2>{3, 1}) == Approx(0.4));
  CHECK(out_of_sample_mass(log_probs, {}) == Approx(1));
  CHECK_THROWS_MATCHES(out_of_sample_mass(log_probs, std::array<Index, 1>{4}), Error,
                       Message("preference::out_of_sample_mass: a response in sample must be from 0 to 3 (got 4)"));
  CHECK_THROWS_MATCHES(out_of_sample_mass(log_probs, std::array<Index, 2>{1, 1}), Error,
                       Message("preference::out_of_sample_mass: a response in sample comes twice (got 1)"));
}

TEST_CASE("Length bias is found where margins follow lengths, and only there") {
  Rng rng(3);
  const Index n = 60;
  Numbers start(n, -50.0), n_w(n), n_l(n), biased(n), fair(n);
  for (std::size_t i = 0; i < start.size(); ++i) {
    n_w[i] = static_cast<double>(5 + rng.below(20));
    n_l[i] = static_cast<double>(5 + rng.below(20));
    biased[i] = -50 + 0.5 * (n_w[i] - n_l[i]) + rng.normal();
    fair[i] = -50 + rng.normal();
  }
  const auto diagnosed = [&](const Numbers& chosen) {
    PairHistory history;
    history.add(0, PairBatch<double>{.chosen = start, .rejected = start, .chosen_tokens = n_w, .rejected_tokens = n_l});
    history.add(1,
                PairBatch<double>{.chosen = chosen, .rejected = start, .chosen_tokens = n_w, .rejected_tokens = n_l});
    return diagnosis_of(history);
  };
  const auto with = diagnosed(biased), without = diagnosed(fair);
  CHECK(with.length_bias.value().low > 0.8);
  CHECK(without.length_bias.value().covers(0));
  const auto warns = [](const Diagnosis& diagnosis) {
    return std::ranges::any_of(diagnosis.warnings(),
                               [](const auto& text) { return text.starts_with("Length: the longer"); });
  };
  CHECK(warns(with));
  CHECK_FALSE(warns(without));
}

TEST_CASE("Clip activity is what the loss says of its bounds") {
  const Numbers start(4, -1.0), fallen{-100, -1, -90, -2};
  PairHistory history;
  const SquaredPo loss;
  history.add(0, PairBatch<double>{start, start, start, start}, loss);
  history.add(1, PairBatch<double>{fallen, start, start, start}, loss);
  CHECK(diagnosis_of(history).last().clipped.value() == 0.5);  // exponents of 99 and 89 beyond the bound
  CHECK_THAT(diagnosis_of(history).warnings().back(), Contains("Clipped") && Contains("50 %"));
  CHECK_THROWS_MATCHES(
      history.add(2, PairBatch<double>{start, start, start, start}), Error,
      Message("preference::PairHistory: the loss must be given at every checkpoint or at none (got 2)"));
}

TEST_CASE("A history and its rows are the same") {
  const auto history = train(C2Dpo{}, 100, 4);
  auto rows = history.records();
  CHECK(rows.size() == 60);
  const auto again = tabulate(rows);
  const auto same = [&](const PairHistory& other) {
    CHECK(other.pairs == history.pairs);
    CHECK(other.steps == history.steps);
    CHECK(other.chosen == history.chosen);
    CHECK(other.rejected == history.rejected);
    CHECK(other.reference_chosen == history.reference_chosen);
    CHECK(other.reference_rejected == history.reference_rejected);
    CHECK(other.out_of_sample == history.out_of_sample);
    CHECK(other.clipped == history.clipped);
  };
  same(again);
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.step > b.step; });
  same(tabulate(rows));  // in any order
}

TEST_CASE("Rows that are no history are refused") {
  const std::vector<PairRecord> rows{{.step = 0, .pair = "a", .chosen = -1, .rejected = -2},
                                     {.step = 0, .pair = "b", .chosen = -1, .rejected = -2},
                                     {.step = 5, .pair = "a", .chosen = -1, .rejected = -2}};
  CHECK_THROWS_MATCHES(
      tabulate(rows), Error,
      Message("preference::tabulate: a pair must have a row at every step (got pair 'b' without step 5)"));
  auto twice = rows;
  twice[1].pair = "a";
  CHECK_THROWS_MATCHES(tabulate(twice, "f.csv"), Error,
                       Message("f.csv: a pair must have one row at a step (got pair 'a' twice at step 0)"));
  auto some = std::vector(rows.begin(), rows.begin() + 2);
  some[1].clipped = true;
  CHECK_THROWS_MATCHES(tabulate(some), Error,
                       Message("preference::tabulate: clipped must be given in every row or in none (got pair 'b' at "
                               "step 0)"));
  CHECK_THROWS_MATCHES(tabulate({}), Error, Message("preference::tabulate: there must be a row (got 0)"));
}

TEST_CASE("A history refuses what is no checkpoint, and stays as it was") {
  const Numbers good{-1, -2, -3}, other{-1, -2};
  PairHistory history;
  const auto refused = [&](Index step, const PairBatch<double>& batch, const std::string& message) {
    CHECK_THROWS_MATCHES(history.add(step, batch), Error, Message("preference::PairHistory: " + message));
    CHECK(history.checkpoints() == 1);
    CHECK(history.chosen.cols() == 1);
  };
  const Numbers n_w{1, 2, 3}, n_l{4, 5, 6}, nan{-1, std::nan(""), -3}, positive{-1, -2, 0.5},
      infinite{-1, -2, -INFINITY}, changed{4, 5, 7};
  const auto batch = [&](const Numbers& chosen, const Numbers& rejected) {
    return PairBatch<double>{.chosen = chosen, .rejected = rejected, .chosen_tokens = n_w, .rejected_tokens = n_l};
  };
  history.add(3, batch(good, good));
  refused(3, batch(good, good), "a step must be at least 0 and after the last (got 3)");
  refused(4, batch(nan, good), "chosen of pair 1 at step 4 must be finite (got nan)");
  refused(4, batch(good, positive), "rejected of pair 2 at step 4 must not be positive (got 0.5)");
  refused(4, batch(infinite, good), "chosen of pair 2 at step 4 must be finite (got -inf)");
  refused(4, batch(good, other), "rejected must have 3 numbers (got 2)");
  refused(4, PairBatch<double>{.chosen = other, .rejected = other}, "a checkpoint must have 3 numbers (got 2)");
  refused(4, PairBatch<double>{.chosen = good, .rejected = good},
          "chosen_tokens must be given at every checkpoint or at none (got 4)");
  refused(4, PairBatch<double>{.chosen = good, .rejected = good, .chosen_tokens = n_w, .rejected_tokens = changed},
          "rejected_tokens of pair 2 at step 4 must be as before (got 7)");
  refused(4,
          PairBatch<double>{
              .chosen = good, .rejected = good, .reference_chosen = good, .chosen_tokens = n_w, .rejected_tokens = n_l},
          "the reference's columns must both be there or both be absent (got 3)");
  CHECK_NOTHROW(history.add(4, batch(good, good)));
  CHECK_THROWS_MATCHES(diagnosis_of(history_of({{0, other, other}, {1, other, other}})), Error,
                       Message("preference::diagnose: there must be three pairs (got 2)"));
  Rng rng(1);
  CHECK_THROWS_MATCHES(diagnose(history_of({{0, other, other}, {1, other, other}}), rng, {}, "l.csv"), Error,
                       Message("l.csv: there must be three pairs (got 2)"));
  auto wrong = history;
  wrong.rejected.conservativeResize(3, 1);
  CHECK_THROWS_MATCHES(diagnosis_of(wrong), Error, Message("preference::diagnose: rejected must be 3 x 2 (got 3 x 1)"));
  wrong = history;
  wrong.steps = {4, 4};
  CHECK_THROWS_MATCHES(diagnosis_of(wrong), Error,
                       Message("preference::diagnose: the steps must be ascending (got 2)"));
  CHECK_THROWS_MATCHES(diagnosis_of(history, {.beta = 0}), Error,
                       Message("preference::DisplacementOptions: beta must be positive and finite (got 0)"));
  CHECK_THROWS_MATCHES(diagnosis_of(history, {.saturation = 0.5}), Error,
                       Message("preference::DisplacementOptions: saturation must lie between 0 and 0.5 (got 0.5)"));
}

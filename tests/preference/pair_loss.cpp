// SPDX-License-Identifier: Apache-2.0
// What holds for every loss of pairs, and the call over a batch.
#include <limits>
#include <string>
#include <utility>

#include <mellow/core/rng.hpp>

#include "preference/losses.hpp"
#include "support/catch.hpp"
#include "support/gradient.hpp"

using namespace mellow;
using namespace mellow::preference;
using Catch::Matchers::Contains;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

Pair random_pair(Rng& rng, double spread = 4.0) {
  const double chosen = rng.uniform(-30, -1), rejected = rng.uniform(-30, -1);
  return {chosen,
          rejected,
          chosen - rng.uniform(-spread, spread),
          rejected - rng.uniform(-spread, spread),
          static_cast<double>(1 + rng.below(20)),
          static_cast<double>(1 + rng.below(20))};
}

/// A batch that owns its columns.
template <class Scalar>
struct Columns {
  Vector<Scalar> chosen, rejected, reference_chosen, reference_rejected, chosen_tokens, rejected_tokens, weights;

  Columns(Index n, Rng& rng) {
    for (auto* column :
         {&chosen, &rejected, &reference_chosen, &reference_rejected, &chosen_tokens, &rejected_tokens, &weights})
      column->resize(n);
    for (Index i = 0; i < n; ++i) {
      const Pair pair = random_pair(rng);
      chosen[i] = static_cast<Scalar>(static_cast<float>(pair.chosen));
      rejected[i] = static_cast<Scalar>(static_cast<float>(pair.rejected));
      reference_chosen[i] = static_cast<Scalar>(static_cast<float>(pair.reference_chosen));
      reference_rejected[i] = static_cast<Scalar>(static_cast<float>(pair.reference_rejected));
      chosen_tokens[i] = static_cast<Scalar>(pair.chosen_tokens);
      rejected_tokens[i] = static_cast<Scalar>(pair.rejected_tokens);
      weights[i] = static_cast<Scalar>(static_cast<float>(rng.uniform(0.1, 2.0)));
    }
  }
  PairBatch<Scalar> batch() const {
    return {chosen, rejected, reference_chosen, reference_rejected, chosen_tokens, rejected_tokens, weights};
  }
  Pair pair(Index i) const {
    return {chosen[i], rejected[i], reference_chosen[i], reference_rejected[i], chosen_tokens[i], rejected_tokens[i]};
  }
};

/// A user's own loss: the square of what the margin lacks of a target.
struct SquaredMargin {
  double target = 1.0;
  PairTerm operator()(const Pair& pair) const {
    const double missing = target - pair.margin();
    return margin_term(missing * missing, -2.0 * missing);
  }
};

/// The same loss with another beta, where it has one.
template <class L>
L with_beta(L loss, double beta) {
  if constexpr (requires { loss.beta = beta; }) loss.beta = beta;
  else if constexpr (requires { loss.loss.beta = beta; }) loss.loss.beta = beta;
  return loss;
}

/// C2-DPO's penalty alone, as a loss to be put beside another than DPO.
struct Penalty {
  C2Dpo of{};

  PairTerm operator()(const Pair& pair) const {
    const PairTerm both = of(pair), dpo = Dpo{.beta = of.beta}(pair);
    return {both.value - dpo.value, both.d_chosen - dpo.d_chosen, both.d_rejected - dpo.d_rejected};
  }
};

/// Where gradient descent in the two log-probabilities ends.
Pair descend(const PairLoss auto& loss, double rate, Pair pair = {}) {
  for (int i = 0; i < 200'000; ++i) {
    const PairTerm term = loss(pair);
    pair.chosen -= rate * term.d_chosen;
    pair.rejected -= rate * term.d_rejected;
  }
  return pair;
}

}  // namespace

// squared_po.md 2.8: log-ratios in [-4, 4].
TEST_CASE("Every gradient agrees with central differences") {
  for_each_pair_loss([](const std::string& name, const auto& loss) {
    INFO(name);
    Rng rng(1);
    for (int i = 0; i < 50; ++i) {
      Pair pair = random_pair(rng);
      // Stays clear of the kinks of hinges, of |g|, and of a_w = 0.
      if (std::abs(pair.chosen_log_ratio()) < 1e-3 || std::abs(C2Dpo{}.residual(pair)) < 1e-3 ||
          std::abs(C2Dpo{.constraint = Constraint::Identity}.residual(pair)) < 1e-3 ||
          std::abs(pair.chosen - pair.rejected - 1.0) < 1e-3 || std::abs(pair.margin() - 10.0) < 1e-2)
        continue;
      const PairTerm term = loss(pair);
      Vector<double> at(2), gradient(2);
      at << pair.chosen, pair.rejected;
      gradient << term.d_chosen, term.d_rejected;
      expect_gradient(
          [&](const Vector<double>& x) {
            Pair moved = pair;
            moved.chosen = x[0];
            moved.rejected = x[1];
            return loss(moved).value;
          },
          at, gradient);
    }
  });
}

TEST_CASE("C2-DPO's gradient agrees with central differences for log-probabilities far apart (c2_dpo.md 1.6, 2.1)") {
  Rng rng(8);
  for (const Constraint constraint : {Constraint::Log, Constraint::Identity})
    for (const Norm norm : {Norm::L1, Norm::L2})
      for (const double lambda : {0.0, 2e-4, 1e-2})
        for (int i = 0; i < 200; ++i) {
          const C2Dpo loss{.lambda = lambda, .constraint = constraint, .norm = norm};
          const Pair pair{rng.uniform(-30, -1), rng.uniform(-30, -1), rng.uniform(-30, -1), rng.uniform(-30, -1)};
          if (std::abs(loss.residual(pair)) < 1e-3) continue;  // the kink of |g|
          const auto slope = [&](double Pair::*number) {
            Pair above = pair, below = pair;
            above.*number += 1e-5;
            below.*number -= 1e-5;
            return (loss(above).value - loss(below).value) / (above.*number - below.*number);
          };
          const PairTerm term = loss(pair);
          const double error =
              std::hypot(term.d_chosen - slope(&Pair::chosen), term.d_rejected - slope(&Pair::rejected));
          CHECK(error < 1e-6 * std::hypot(term.d_chosen, term.d_rejected));
        }
}

TEST_CASE("Every loss is finite for log-ratios of 1e4 and about each bound of an exponent, in float and in double") {
  std::vector<double> ratios{-1e4, -100.0, 0.0, 100.0, 1e4};
  for (const double bound : {50.0, 80.0, 88.0})
    for (const double beside : {-1.0, -0.1, 0.0, 0.1, 1.0})
      for (const double sign : {-1.0, 1.0}) ratios.push_back(sign * (bound + beside));
  const auto check = [&](const auto& loss, auto scalar) {
    using Scalar = decltype(scalar);
    for (const double chosen : ratios)
      for (const double rejected : ratios) {
        Vector<Scalar> l_w(1), l_l(1), r_w(1), r_l(1);  // the ratios from log-probabilities that are not positive
        l_w << static_cast<Scalar>(std::min(chosen, 0.0) - 1.0);
        l_l << static_cast<Scalar>(std::min(rejected, 0.0) - 1.0);
        r_w << static_cast<Scalar>(-std::max(chosen, 0.0) - 1.0);
        r_l << static_cast<Scalar>(-std::max(rejected, 0.0) - 1.0);
        const PairBatch<Scalar> batch{
            .chosen = l_w, .rejected = l_l, .reference_chosen = r_w, .reference_rejected = r_l};
        auto found = pair_loss(loss, batch);
        add_pair_loss(loss, batch, 1.0, found.d_chosen, found.d_rejected);
        if (!std::isfinite(found.value) || !std::isfinite(found.d_chosen[0]) || !std::isfinite(found.d_rejected[0]))
          FAIL_CHECK(chosen << " " << rejected << ": " << found.value << " " << found.d_chosen << " "
                            << found.d_rejected);
      }
  };
  for_each_pair_loss([&](const std::string& name, const auto& loss) {
    for (const double beta : {0.1, 3.0}) {
      INFO(name << ", beta " << beta);
      check(with_beta(loss, beta), 0.0f);
      check(with_beta(loss, beta), 0.0);
    }
  });
}

TEST_CASE("A gradient beyond a float's range is the largest float, and what a double cannot hold is refused") {
  constexpr float most = std::numeric_limits<float>::max();
  const std::vector<float> l_w{0}, l_l{0}, r_l{-87.9f};
  const PairBatch<float> batch{.chosen = l_w, .rejected = l_l, .reference_rejected = r_l};
  auto found = pair_loss(ChiPo{.beta = 3}, batch);
  CHECK(found.d_rejected[0] == most);
  CHECK(found.d_chosen[0] == -6.0f);
  add_pair_loss(ChiPo{.beta = 3}, batch, 1.0, found.d_chosen, found.d_rejected);
  CHECK(found.d_rejected[0] == most);
  add_pair_loss(ChiPo{.beta = 3}, batch, -2.5, found.d_chosen, found.d_rejected);
  CHECK(found.d_rejected[0] == -most);
  CHECK_THROWS_WITH(pair_loss(ChiPo{.beta = 1e300}, batch),
                    Contains("is not finite: its log-probabilities are 0 and 0"));
}

TEST_CASE("A batch is the mean of its pairs, in blocks or not, in float as in double") {
  for_each_pair_loss([](const std::string& name, const auto& loss) {
    INFO(name);
    for (const Index n : {1, 7, 256, 300}) {
      Rng rng(static_cast<std::uint64_t>(n));
      const Columns<double> columns(n, rng);
      const PairLossGradient<double> found = pair_loss(loss, columns.batch());
      double value = 0, worst = 0;
      for (Index i = 0; i < n; ++i) {
        const PairTerm term = loss(columns.pair(i));
        const double share = columns.weights[i] / static_cast<double>(n);
        value += share * term.value;
        worst =
            std::max({worst, std::abs(found.d_chosen[i] - share * term.d_chosen) / (1e-3 + std::abs(term.d_chosen)),
                      std::abs(found.d_rejected[i] - share * term.d_rejected) / (1e-3 + std::abs(term.d_rejected))});
      }
      CHECK(found.value == Approx(value).epsilon(1e-12));
      CHECK(worst < 1e-13);

      Rng again(static_cast<std::uint64_t>(n));
      const Columns<float> single(n, again);
      const PairLossGradient<float> in_float = pair_loss(loss, single.batch());
      CHECK(in_float.value == Approx(found.value).epsilon(1e-12));  // the same numbers, computed in double
      CHECK(in_float.d_chosen.cast<double>().isApprox(found.d_chosen, 1e-6));
      if (found.d_rejected.norm() > 0) CHECK(in_float.d_rejected.cast<double>().isApprox(found.d_rejected, 1e-6));
    }
  });
}

TEST_CASE("Absent columns count as no reference, one token and weight 1") {
  Rng rng(3);
  const Columns<double> columns(5, rng);
  const Vector<double> zero = Vector<double>::Zero(5), one = Vector<double>::Ones(5);
  const PairBatch<double> lacks{.chosen = columns.chosen, .rejected = columns.rejected};
  const PairBatch<double> has{columns.chosen, columns.rejected, zero, zero, one, one, one};
  const auto a = pair_loss(LengthNormalizedDpo{}, lacks), b = pair_loss(LengthNormalizedDpo{}, has);
  CHECK(a.value == b.value);
  CHECK(a.d_chosen == b.d_chosen);
  CHECK(a.metrics.chosen_reward == b.metrics.chosen_reward);
}

TEST_CASE("Metrics follow trl's conventions (squared_po.md 6.3)") {
  const std::vector<double> l_w{-1, -2, -3, -4}, l_l{-2, -2, -1, -9}, r_w{-2, -3, -3, -5}, r_l{-2, -3, -2, -9};
  const PairBatch<double> batch{.chosen = l_w, .rejected = l_l, .reference_chosen = r_w, .reference_rejected = r_l};
  const auto metrics = pair_loss(SquaredPo{.beta = 0.5}, batch).metrics;  // a_w = 1 1 0 1, a_l = 0 1 1 0
  CHECK(metrics.chosen_reward == Approx(0.5 * 0.75));
  CHECK(metrics.rejected_reward == Approx(0.5 * 0.5));
  CHECK(metrics.margin() == Approx(0.125));
  CHECK(metrics.accuracy == 0.5);  // a tie is not right
  CHECK(metrics.chosen_log_prob == -2.5);
  CHECK(metrics.rejected_log_prob == -3.5);
  CHECK(metrics.clipped == 0.0);
  const std::vector<double> sunk{-100, -2, -3, -90};
  CHECK(pair_loss(SquaredPo{}, PairBatch<double>{.chosen = sunk, .rejected = l_l}).metrics.clipped == 0.5);
  CHECK(pair_loss(Sum(Nll{}, Hinge{.beta = 2.0}), batch).metrics.chosen_reward == Approx(1.5));
  CHECK(pair_loss(SquaredMargin{}, batch).metrics.chosen_reward == Approx(0.75));
}

TEST_CASE("The named calls are pair_loss, and adding adds") {
  Rng rng(4);
  const Columns<double> columns(20, rng);
  const auto batch = columns.batch();
  const auto loss = squared_po(batch, {.beta = 0.1});
  CHECK(loss.value == pair_loss(SquaredPo{}, batch).value);
  CHECK(loss.d_chosen == pair_loss(SquaredPo{}, batch).d_chosen);
  CHECK(dpo(batch, {.beta = 0.2}).value == pair_loss(Dpo{.beta = 0.2}, batch).value);
  CHECK(c2_dpo(batch, {.lambda = 0.1}).value == pair_loss(C2Dpo{.lambda = 0.1}, batch).value);
  CHECK(f_dpo(batch, FDpo<JensenShannon>{}).value == pair_loss(FDpo<JensenShannon>{}, batch).value);
  Vector<double> d_chosen = loss.d_chosen, d_rejected = loss.d_rejected;
  const double nll = add_pair_loss(Nll{}, batch, 0.5, d_chosen, d_rejected).value;
  const auto sum = pair_loss(Sum(SquaredPo{}, Weighted<Nll>{.weight = 0.5}), batch);
  CHECK(sum.value == Approx(loss.value + 0.5 * nll).epsilon(1e-14));
  CHECK(d_chosen.isApprox(sum.d_chosen, 1e-14));
  CHECK(d_rejected.isApprox(sum.d_rejected, 1e-14));
}

TEST_CASE("Bad input is refused in words") {
  std::vector<double> l_w{-1, -2, -3}, l_l{-2, -2, -1}, two{-1, -2}, none;
  Vector<double> d_w(3), d_l(3), short_d(2);
  const PairBatch<double> batch{.chosen = l_w, .rejected = l_l};
  CHECK_THROWS_WITH(pair_loss(Dpo{}, PairBatch<double>{}), Contains("the batch must have a pair"));
  CHECK_THROWS_WITH(pair_loss(Dpo{}, PairBatch<double>{.chosen = l_w, .rejected = two}),
                    Contains("rejected must have 3 numbers (got 2)"));
  CHECK_THROWS_WITH(pair_loss(Dpo{}, PairBatch<double>{.chosen = l_w, .rejected = l_l, .reference_chosen = two}),
                    Contains("reference_chosen must be absent or have 3 numbers (got 2)"));
  CHECK_THROWS_WITH(pair_loss(Dpo{}, batch, short_d, d_l), Contains("d_chosen must have 3 numbers (got 2)"));
  CHECK_THROWS_WITH(pair_loss(Dpo{}, batch, d_w, short_d), Contains("d_rejected must have 3 numbers (got 2)"));
  CHECK_THROWS_WITH(pair_loss(Dpo{.beta = 0}, batch), Contains("beta must be positive and finite (got 0)"));
  CHECK_THROWS_WITH(pair_loss(RobustDpo{.label_smoothing = 0.5}, batch),
                    Contains("label_smoothing must lie in [0, 0.5)"));
  CHECK_THROWS_WITH(pair_loss(ExoPair{.label_smoothing = 0}, batch), Contains("label_smoothing must lie in (0, 0.5)"));
  CHECK_THROWS_WITH(pair_loss(C2Dpo{.lambda = -1}, batch), Contains("lambda must be finite and not negative"));
  CHECK_THROWS_WITH(pair_loss(FDpo<AlphaDivergence>{.generator = {.alpha = 1.5}}, batch),
                    Contains("alpha must lie in (0, 1] (got 1.5)"));
  CHECK_THROWS_WITH(pair_loss(Sum(Dpo{}, Weighted<Nll>{.weight = not_a_number}), batch),
                    Contains("weight must be finite"));
  const std::vector<double> empty{3, 0, 2};  // an empty response
  CHECK_THROWS_WITH(
      pair_loss(LengthNormalizedDpo{}, PairBatch<double>{.chosen = l_w, .rejected = l_l, .chosen_tokens = empty}),
      Contains("chosen_tokens of pair 1 must be positive (got 0)"));
  const Matrix<double> table = Matrix<double>::Zero(2, 3);
  CHECK_THROWS_WITH((PairBatch<double>{.chosen = table.row(0), .rejected = l_l}),
                    Contains("the numbers must be contiguous (got 2)"));
  for (auto* column : {&l_w, &l_l}) {  // a loss need not look at both
    const double before = std::exchange((*column)[1], not_a_number);
    for_each_pair_loss([&](const std::string& name, const auto& loss) {
      INFO(name);
      CHECK_THROWS_WITH(pair_loss(loss, batch), Contains("the loss of pair 1, its gradient or what they come from is "
                                                         "not finite: its log-probabilities are"));
    });
    (*column)[1] = before;
  }
}

TEST_CASE("Without a penalty C2-DPO is DPO, bit for bit; its gradients sum to the penalty's (c2_dpo.md 2.2)") {
  Rng rng(5);
  for (int i = 0; i < 1000; ++i) {
    const Pair pair = random_pair(rng, i % 2 == 0 ? 3.0 : 1e4);
    const PairTerm dpo = Dpo{}(pair);
    for (const Constraint constraint : {Constraint::Log, Constraint::Identity})
      for (const Norm norm : {Norm::L1, Norm::L2}) {
        const PairTerm term = C2Dpo{.lambda = 0, .constraint = constraint, .norm = norm}(pair);
        CHECK(term.value == dpo.value);
        CHECK(term.d_chosen == dpo.d_chosen);
        CHECK(term.d_rejected == dpo.d_rejected);
        const C2Dpo loss{.lambda = 0.01, .constraint = constraint, .norm = norm};
        const PairTerm penalised = loss(pair);
        const double g = loss.residual(pair), h = 0.01 * (norm == Norm::L2 ? 2 * g : g > 0 ? 1 : -1);
        CHECK(penalised.d_chosen + penalised.d_rejected ==
              Approx((constraint == Constraint::Log ? 2 : 1) * h).epsilon(1e-9).margin(1e-13));
      }
  }
  Columns<float> columns(100, rng);
  const auto a = pair_loss(C2Dpo{.lambda = 0}, columns.batch()), b = pair_loss(Dpo{}, columns.batch());
  CHECK(a.value == b.value);
  CHECK(a.d_chosen == b.d_chosen);
  CHECK(a.d_rejected == b.d_rejected);
}

TEST_CASE("Where the constraint is held the norm l1 does not pull: sign(0) = 0 (c2_dpo.md 1.6)") {
  const Pair opposite{-5, -7, -6, -6}, swapped{-5, -7, -7, -5};  // g = 0 of the product, of the sum
  for (const auto& [constraint, pair] : {std::pair(Constraint::Log, opposite), {Constraint::Identity, swapped}}) {
    const C2Dpo loss{.lambda = 0.1, .constraint = constraint, .norm = Norm::L1};
    CHECK(loss.residual(pair) == 0.0);
    CHECK(loss(pair).value == Dpo{}(pair).value);
    CHECK(loss(pair).d_chosen == Dpo{}(pair).d_chosen);
    CHECK(loss(pair).d_rejected == Dpo{}(pair).d_rejected);
  }
}

TEST_CASE("Soft labels and IPO end where the equations say, with the constraint held (c2_dpo.md 2.8, 2.9)") {
  for (const double lambda : {2e-4, 2e-3, 1e-2}) {
    const Penalty penalty{{.lambda = lambda}};
    const Pair soft = descend(Sum(ConservativeDpo{.label_smoothing = 0.1}, penalty), 20.0);
    CHECK(soft.chosen == Approx(10.986123).epsilon(1e-6));
    CHECK(soft.rejected == Approx(-10.986123).epsilon(1e-6));
    const Pair ipo = descend(Sum(Ipo{}, penalty), 0.1);
    CHECK(ipo.chosen == Approx(2.5).epsilon(1e-9));
    CHECK(ipo.rejected == Approx(-2.5).epsilon(1e-9));
  }
}

TEST_CASE("With the margin pinned down, C2-DPO's constraint redistributes the pair's mass (c2_dpo.md 2.6)") {
  const Pair reference{std::log(0.3), std::log(0.2), std::log(0.3), std::log(0.2)};
  const auto end = [&](Constraint constraint) {  // the margin R / beta = 2 by IPO, the rest by the penalty
    const Penalty penalty{{.lambda = 1.0, .constraint = constraint}};
    const Pair pair = descend(Sum(Ipo{.beta = 0.25}, penalty), 0.1, reference);
    CHECK(pair.margin() == Approx(2.0).epsilon(1e-9));
    CHECK(penalty.of.residual(pair) == Approx(0.0).margin(1e-9));
    return std::pair(std::exp(pair.chosen), std::exp(pair.rejected));
  };
  const auto [winner, loser] = end(Constraint::Identity);
  CHECK(winner == Approx(0.4586215).margin(1e-7));
  CHECK(loser == Approx(0.0413785).margin(1e-7));
  CHECK(winner + loser == Approx(0.5).epsilon(1e-9));
  const auto [risen, fallen] = end(Constraint::Log);
  CHECK(risen == Approx(0.8154845).margin(1e-7));
  CHECK(fallen == Approx(0.0735759).margin(1e-7));
  CHECK(risen * fallen == Approx(0.06).epsilon(1e-9));
}

TEST_CASE("A held constraint lets the winner rise (c2_dpo.md 1.4, 2.7)") {
  Rng rng(6);
  const auto check = [&](const auto& phi, const auto& inverse) {
    int met = 0;
    for (int i = 0; i < 2000; ++i) {
      const double p = rng.uniform(0.01, 0.49), q = rng.uniform(0.01, 0.49), winner = rng.uniform(0.01, 0.98);
      const double loser = inverse(phi(p) + phi(q) - phi(winner));
      if (!(loser > 0 && loser <= 1) || winner / p <= loser / q) continue;
      ++met;
      CHECK(winner / p >= 1 - 1e-12);
      CHECK(loser / q <= 1 + 1e-12);
    }
    CHECK(met > 100);
  };
  check([](double x) { return std::log(x); }, [](double x) { return std::exp(x); });
  check([](double x) { return x; }, [](double x) { return x; });
  check([](double x) { return std::sqrt(x); }, [](double x) { return x < 0 ? -1.0 : x * x; });
}

TEST_CASE("A loss a token is the length-normalised one") {
  Rng rng(7);
  for (int i = 0; i < 100; ++i) {
    const Pair pair = random_pair(rng);
    const auto check = [&](const PairTerm& a, const PairTerm& b) {
      CHECK(a.value == Approx(b.value).epsilon(1e-12));
      CHECK(a.d_chosen == Approx(b.d_chosen).epsilon(1e-12));
      CHECK(a.d_rejected == Approx(b.d_rejected).epsilon(1e-12));
    };
    check(PerToken<Dpo>{}(pair), LengthNormalizedDpo{}(pair));
    check(PerToken<Ipo>{}(pair), LengthNormalizedIpo{}(pair));
  }
  CHECK(PerToken<SquaredPo>{}.clips({.chosen = -600, .chosen_tokens = 10}));
  CHECK_FALSE(PerToken<SquaredPo>{}.clips({.chosen = -400, .chosen_tokens = 10}));
}

TEST_CASE("chiPO's clip bounds the margin and stops the gradient (squared_po.md 1.7)") {
  const ChiPo loss{.reward_limit = 0.5};
  const Pair far{.chosen = 3.0, .rejected = -5.0};
  CHECK(loss(far).value == Approx(std::log1p(std::exp(-1.0))));
  CHECK(loss(far).d_chosen == 0.0);
  CHECK(loss.clips(far));
  const Pair near{.chosen = 0.5, .rejected = 0.25};
  CHECK_FALSE(loss.clips(near));
  CHECK(loss(near).value == ChiPo{}(near).value);
  CHECK(ChiPo{}(near).value == FDpo<ChiSquareKl>{}(near).value);
}

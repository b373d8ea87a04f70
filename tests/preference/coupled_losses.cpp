// SPDX-License-Identifier: Apache-2.0
// Losses of a batch, of single responses, and of tokens.
#include <limits>

#include <mellow/core/rng.hpp>
#include <mellow/preference/batch_losses.hpp>
#include <mellow/preference/token_losses.hpp>
#include <mellow/preference/unpaired.hpp>
#include <mellow/preference/weighed_tokens.hpp>

#include "support/catch.hpp"
#include "support/gradient.hpp"

using namespace mellow;
using namespace mellow::preference;
using Catch::Matchers::Contains;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

// The batch of c2_dpo.md, section 2.
const std::vector<double> l_w{-12.0, -20.5, -8.25}, l_l{-14.5, -18.0, -9.75}, r_w{-11.2, -21.0, -8.0},
    r_l{-13.9, -19.5, -8.5}, n_w{10, 16, 5};
const PairBatch<double> worked{
    .chosen = l_w, .rejected = l_l, .reference_chosen = r_w, .reference_rejected = r_l, .chosen_tokens = n_w};

Vector<double> random_vector(Index n, Rng& rng, double low, double high) {
  return Vector<double>::NullaryExpr(n, [&] { return rng.uniform(low, high); });
}

}  // namespace

TEST_CASE("AOT's numbers (squared_po.md 6.4)") {
  SortScratch<double> scratch;
  Vector<double> d_w = Vector<double>::Zero(3), d_l = d_w;
  CHECK(Aot{}.add(worked, 1.0, d_w, d_l, scratch) == Approx(0.69733017).margin(6e-9));
  CHECK(d_w.sum() == Approx(-d_l.sum()));
  CHECK(Aot{.unpaired = true}.add(worked, 1.0, d_w, d_l, scratch) == Approx(0.69703241).margin(6e-9));
}

TEST_CASE("AOT's gradient agrees with central differences, is scaled and added") {
  for (const bool unpaired : {false, true}) {
    Rng rng(1);
    const Aot loss{.beta = 0.3, .label_smoothing = 0.1, .unpaired = unpaired};
    const Vector<double> reference_chosen = random_vector(6, rng, -30, -1),
                         reference_rejected = random_vector(6, rng, -30, -1);
    const Vector<double> at = random_vector(12, rng, -30, -1);
    SortScratch<double> scratch;
    const auto value = [&](const Vector<double>& x, double scale, VectorRef<double> gradient) {
      const PairBatch<double> batch{.chosen = x.head(6),
                                    .rejected = x.tail(6),
                                    .reference_chosen = reference_chosen,
                                    .reference_rejected = reference_rejected};
      return loss.add(batch, scale, gradient.head(6), gradient.tail(6), scratch);
    };
    Vector<double> gradient = Vector<double>::Zero(12), ignored = gradient, more = Vector<double>::Ones(12);
    value(at, 1.0, gradient);
    expect_gradient([&](const Vector<double>& x) { return value(x, 1.0, ignored); }, at, gradient);
    value(at, 0.5, more);
    CHECK(more.isApprox(Vector<double>::Ones(12) + 0.5 * gradient, 1e-14));
  }
}

TEST_CASE("AOT does not see which pair is which, and is finite far away") {
  SortScratch<float> scratch;
  Vector<float> a(4), b(4), d_a = Vector<float>::Zero(4), d_b = d_a, e_a = d_a, e_b = d_a;
  a << -1e4f, -3, -7, -2;
  b << -5, -1e4f, -8, -4;
  const Vector<float> c = a.reverse(), d = b.reverse();
  const double one = Aot{}.add(PairBatch<float>{.chosen = a, .rejected = b}, 1.0, d_a, d_b, scratch);
  const double other = Aot{}.add(PairBatch<float>{.chosen = c, .rejected = d}, 1.0, e_a, e_b, scratch);
  CHECK(one == Approx(other).epsilon(1e-14));
  CHECK(d_a == e_a.reverse());
  CHECK((d_a.allFinite() && d_b.allFinite()));
  a[2] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_WITH(Aot{}.add(PairBatch<float>{.chosen = a, .rejected = b}, 1.0, d_a, d_b, scratch),
                    Contains("log-probabilities must be finite; those are not of pair (got 2)"));
}

TEST_CASE("Gradients of batches, responses and tokens stay within a float's range, or are refused") {
  constexpr float most = std::numeric_limits<float>::max();
  const std::vector<float> one{-2}, other{-1}, few{1e-40f}, label{1};
  const PairBatch<float> batch{.chosen = one, .rejected = other, .chosen_tokens = few};
  Vector<float> d_w = Vector<float>::Zero(1), d_l = d_w, d_k = d_w, d_m = d_w;
  SortScratch<float> scratch;
  for (int twice = 0; twice < 2; ++twice) {
    Aot{.beta = 1e39}.add(batch, 1.0, d_w, d_l, scratch);
    CHECK((d_w[0] == -most && d_l[0] == most));
  }
  d_w.setZero();
  TokenMeanNll{}.add(batch, 1.0, d_w);
  CHECK(d_w[0] == -most);
  tdpo_loss(Tdpo1{.beta = 1e39}, batch, other, other, TdpoGradients<float>{d_w, d_l, d_k, d_m});
  CHECK((d_w[0] == -most && d_l[0] == most && d_k[0] == -most && d_m[0] == most));
  const UnpairedBatch<float> single{.log_probs = one, .reference = one, .desirable = label};
  unpaired_loss(ApoZeroUnpaired{.beta = 1e40}, single, d_w);
  CHECK(d_w[0] == -most);
  CHECK_THROWS_WITH(unpaired_loss(ApoZeroUnpaired{.beta = 1e300, .desirable_weight = 1e300}, single, d_w),
                    Contains("the loss of response 0 and its gradient must be finite; its log-ratio is 0 (got -inf)"));
  CHECK_THROWS_WITH(
      tdpo_loss(Tdpo2{.beta = 1e300, .alpha = 1e300}, batch, other, other, TdpoGradients<float>{d_w, d_l, d_k, d_m}),
      Contains("the loss of pair 0 and its gradient must be finite"));
  CHECK_THROWS_WITH(
      Aot{.beta = 1e308}.add(PairBatch<float>{.chosen = other, .rejected = label}, 1.0, d_w, d_l, scratch),
      Contains("the loss must be finite"));
}

TEST_CASE("The mean over a batch's tokens") {
  Vector<double> d = Vector<double>::Constant(3, 2.0);
  CHECK(TokenMeanNll{}.add(worked, 0.5, d) == Approx(40.75 / 31));
  for (const double x : d) CHECK(x == Approx(2.0 - 0.5 / 31));
  std::vector<double> broken = l_w;
  broken[0] = not_a_number;
  CHECK_THROWS_WITH(TokenMeanNll{}.add(PairBatch<double>{.chosen = broken, .rejected = l_l}, 1.0, d),
                    Contains("the loss must be finite"));
}

TEST_CASE("KTO's numbers (squared_po.md 6.4)") {
  const double desirable[] = {0.52747230, 0.49500017, 0.51374653},
               d_desirable[] = {-0.02492453, -0.02499750, -0.02498110};
  const double undesirable[] = {0.47751518, 0.52996405, 0.46132739},
               d_undesirable[] = {0.02494944, 0.02491022, 0.02485044};
  for (std::size_t i = 0; i < 3; ++i) {
    const UnpairedTerm up = Kto{}(l_w[i] - r_w[i], true, 0.3), down = Kto{}(l_l[i] - r_l[i], false, 0.3);
    CHECK(up.value == Approx(desirable[i]).margin(6e-9));
    CHECK(up.d == Approx(d_desirable[i]).margin(6e-9));
    CHECK(down.value == Approx(undesirable[i]).margin(6e-9));
    CHECK(down.d == Approx(d_undesirable[i]).margin(6e-9));
  }
}

TEST_CASE("Losses of single responses: gradient, weights, baseline, metrics") {
  const std::vector<double> labels{1, 0, 1}, mismatched{-5, -6, -7}, reference_mismatched{-6, -8, -6.5};
  const auto check = [&](const auto& loss, double baseline) {
    UnpairedBatch<double> batch{.log_probs = l_w,
                                .reference = r_w,
                                .desirable = labels,
                                .mismatched = mismatched,
                                .reference_mismatched = reference_mismatched};
    Vector<double> d(3), ignored(3);
    const auto found = unpaired_loss(loss, batch, d);
    CHECK(found.metrics.baseline == Approx(baseline));
    CHECK(found.metrics.desirable_reward == Approx(loss.beta * (-0.8 - 0.25) / 2));
    CHECK(found.metrics.undesirable_reward == Approx(loss.beta * 0.5));
    CHECK(found.metrics.margin() == Approx(loss.beta * (-0.525 - 0.5)));
    expect_gradient(
        [&](const Vector<double>& x) {
          batch.log_probs = x;
          return unpaired_loss(loss, batch, ignored).value;
        },
        Eigen::Map<const Vector<double>>(l_w.data(), 3), d);
  };
  check(Kto{.beta = 0.4, .desirable_weight = 1.3, .undesirable_weight = 0.7}, 2.5 / 3);
  check(ApoZeroUnpaired{.beta = 0.4}, 0.0);
  CHECK(kto_baseline<double>(reference_mismatched, mismatched) == 0.0);  // a negative mean
  CHECK(mismatched_response(0, 4) == 3);
  CHECK(mismatched_response(3, 4) == 2);
  CHECK_THROWS_WITH(mismatched_response(0, 1), Contains("at least two responses (got 1)"));
  Vector<double> d(3);
  CHECK_THROWS_WITH(unpaired_loss(Kto{}, UnpairedBatch<double>{.log_probs = l_w, .desirable = labels}, d),
                    Contains("there must be mismatched responses"));
  CHECK_THROWS_WITH(unpaired_loss(ApoZeroUnpaired{}, UnpairedBatch<double>{.log_probs = l_w, .desirable = r_w}, d),
                    Contains("desirable must be 0 or 1 (got -11.2)"));
  const std::vector<double> broken{-1, not_a_number, 0};
  CHECK_THROWS_WITH(
      unpaired_loss(ApoZeroUnpaired{}, UnpairedBatch<double>{.log_probs = broken, .desirable = labels}, d),
      Contains("the loss of response 1 and its gradient must be finite"));
  for (const double a : {-1e4, 1e4})
    for (const bool desirable : {false, true}) {
      CHECK(std::isfinite(Kto{}(a, desirable, 0.0).value));
      CHECK(std::isfinite(Kto{}(a, desirable, 0.0).d));
    }
}

TEST_CASE("The sequential divergence: its value, its gradient, and 0 at the reference") {
  Rng rng(2);
  const Matrix<double> reference = Matrix<double>::NullaryExpr(5, 3, [&] { return rng.uniform(-3, 3); });
  const Matrix<double> logits = Matrix<double>::NullaryExpr(5, 3, [&] { return rng.uniform(-3, 3); });
  Matrix<double> d(5, 3), ignored(5, 3);
  CHECK(sequential_kl<double>(reference, reference, d) == Approx(0.0).margin(1e-14));
  CHECK(d.norm() < 1e-14);
  double by_hand = 0;
  for (Index t = 0; t < 3; ++t) {
    const Vector<double> p = reference.col(t).array().exp() / reference.col(t).array().exp().sum();
    const Vector<double> q = logits.col(t).array().exp() / logits.col(t).array().exp().sum();
    by_hand += (p.array() * (p.array() / q.array()).log()).sum();
  }
  CHECK(sequential_kl<double>(reference, logits, d) == Approx(by_hand));
  expect_gradient(
      [&](const Vector<double>& x) {
        return sequential_kl<double>(reference, Eigen::Map<const Matrix<double>>(x.data(), 5, 3), ignored);
      },
      Eigen::Map<const Vector<double>>(logits.data(), 15), Eigen::Map<const Vector<double>>(d.data(), 15));
  Matrix<double> wrong(4, 3);
  CHECK_THROWS_WITH(sequential_kl<double>(reference, logits, wrong), Contains("must be 5 x 3 (got 5 x 3 and 4 x 3)"));
  // A token that the reference rules out, and one that the policy almost does.
  Matrix<double> hard(2, 1), soft(2, 1), of(2, 1);
  hard << 0, -1e4;
  soft << -1e4, 0;
  CHECK(sequential_kl<double>(hard, soft, of) == Approx(1e4));
}

TEST_CASE("TDPO: gradients in log-probabilities and divergences, but for what is held constant") {
  const auto check = [](const auto& loss, bool moves_chosen) {
    const std::vector<double> k_w{0.4, 2.0, 0.1}, k_l{1.3, 0.2, 0.9};
    Vector<double> at(12), gradient(12), ignored(12);
    for (Index i = 0; i < 3; ++i) {
      const auto k = static_cast<std::size_t>(i);
      at[i] = l_w[k];
      at[3 + i] = l_l[k];
      at[6 + i] = k_w[k];
      at[9 + i] = k_l[k];
    }
    const auto value = [&](const Vector<double>& x, Vector<double>& d) {
      PairBatch<double> batch = worked;
      batch.chosen = x.segment(0, 3);
      batch.rejected = x.segment(3, 3);
      return tdpo_loss(loss, batch, x.segment(6, 3), x.segment(9, 3),
                       TdpoGradients<double>{d.segment(0, 3), d.segment(3, 3), d.segment(6, 3), d.segment(9, 3)});
    };
    value(at, gradient);
    if (!moves_chosen) CHECK(gradient.segment(6, 3).norm() == 0.0);
    const Vector<double> kept = gradient;
    expect_gradient(
        [&](const Vector<double>& x) {
          Vector<double> moved = x;
          if (!moves_chosen) moved.segment(6, 3) = at.segment(6, 3);
          return value(moved, ignored);
        },
        at, kept);
  };
  check(Tdpo1{.beta = 0.3}, true);
  check(Tdpo2{.beta = 0.3, .alpha = 0.5}, false);
  const Pair pair{.chosen = -3, .rejected = -4};
  CHECK(Tdpo2{.alpha = 0}(pair, 5, 9).value == Dpo{}(pair).value);
  CHECK(Tdpo1{}(pair, 2, 2).value == Approx(Dpo{}(pair).value).epsilon(1e-14));
  CHECK(std::isfinite(Tdpo1{}({.chosen = -1e4}, 1e4, 0).value));
}

TEST_CASE("Weights of tokens") {
  Vector<double> weights(5);
  ld_weights<double>(3, 0.25, weights);
  CHECK(weights == Eigen::VectorXd{{1, 1, 1, 0.25, 0.25}});
  ld_weights<double>(9, 0.25, weights);
  CHECK(weights == Vector<double>::Ones(5));
  CHECK_THROWS_WITH(ld_weights<double>(3, 1.5, weights), Contains("alpha must lie in [0, 1] (got 1.5)"));
  CHECK_THROWS_WITH(ld_weights<double>(-1, 0.5, weights), Contains("shared_tokens must not be negative (got -1)"));
  const std::vector<double> tokens{-1, -2, -3}, halves{1, 1, 0.5}, squares{-0.5, -1, -1.5};
  CHECK(sum_log_prob<double>(tokens) == -6.0);
  CHECK(sum_log_prob<double>(tokens, halves) == -4.5);
  CHECK_THROWS_WITH(sum_log_prob<double>(tokens, weights),
                    Contains("weights must be absent or have 3 numbers (got 5)"));
  CHECK(wpo_weight<double>(tokens, squares) == Approx(std::exp(-1.0)));
  CHECK_THROWS_WITH(wpo_weight<double>(tokens, weights), Contains("log_sum_squares must have 3 numbers (got 5)"));
  Vector<double> logits(3);
  logits << 0.0, std::log(2.0), 1000.0;
  CHECK(log_sum_squared_probs(logits) == Approx(0.0).margin(1e-12));
  logits << 0.0, std::log(2.0), 0.0;
  CHECK(log_sum_squared_probs(logits) == Approx(std::log(6.0 / 16.0)));
}

TEST_CASE("Single responses of pairs are the same as apart") {
  const Kto loss{.beta = 0.4, .desirable_weight = 1.3, .undesirable_weight = 0.7};
  const PairLossGradient<double> pairs = pair_loss(TakenApart<Kto>{loss, 0.3}, worked);
  double sum = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    const UnpairedTerm chosen = loss(l_w[i] - r_w[i], true, 0.3), rejected = loss(l_l[i] - r_l[i], false, 0.3);
    sum += chosen.value + rejected.value;
    CHECK(pairs.d_chosen[static_cast<Index>(i)] == Approx(chosen.d / 6));
    CHECK(pairs.d_rejected[static_cast<Index>(i)] == Approx(rejected.d / 6));
  }
  CHECK(pairs.value == Approx(sum / 6));
  CHECK(pairs.metrics.chosen_reward == Approx(0.4 * (-0.8 + 0.5 - 0.25) / 3));  // of the wrapped loss's beta
  CHECK_THROWS_WITH(pair_loss(TakenApart<Kto>{{.beta = -1}}, worked), Contains("beta must be positive"));
}

TEST_CASE("Losses of tokens: gradients of every number that they read") {
  // Chosen 3 tokens, rejected 5: log-probabilities, then divergences, of one vector.
  Rng rng(4);
  const Vector<double> reference = random_vector(8, rng, -4, -0.1), squares = random_vector(8, rng, -2, -0.1);
  const Vector<double> at = random_vector(16, rng, -4, -0.1);
  const auto check = [&](const auto& loss) {
    using Loss = std::remove_cvref_t<decltype(loss)>;
    STATIC_REQUIRE(TokenLoss<Loss>);
    const auto value = [&](const Vector<double>& x, Vector<double>& d) {
      const auto response = [&](Index begin, Index n) {
        return ResponseTokens{x.segment(begin, n), reference.segment(begin, n), x.segment(8 + begin, n),
                              squares.segment(begin, n)};
      };
      d.setZero();
      TokenPairGradient gradient{{d.segment(0, 3), d.segment(8, 3)}, {d.segment(3, 5), d.segment(11, 5)}};
      return loss(TokenPair{response(0, 3), response(3, 5)}, gradient);
    };
    Vector<double> gradient(16), ignored(16);
    const double found = value(at, gradient);
    CHECK(std::isfinite(found));
    if (!uses_divergences<Loss>) CHECK(gradient.tail(8).norm() == 0.0);
    expect_gradient([&](const Vector<double>& x) { return value(x, ignored); }, at, gradient);
  };
  check(Tdpo1{.beta = 0.4});
  check(LengthDesensitized<Dpo>{.alpha = 0.3, .loss = {.beta = 0.4}});
  check(LengthDesensitized<LengthNormalizedDpo>{.alpha = 0.3, .loss = {.beta = 2}});
  STATIC_REQUIRE((uses_divergences<Tdpo2> && uses_log_sum_squares<Wpo<>> && !uses_divergences<Wpo<>>));
  STATIC_REQUIRE_FALSE((TokenLoss<Dpo> || TokenLoss<Kto> || PairLoss<Tdpo1> || UnpairedLoss<Tdpo1>));

  // WPO's weight is a constant: at three tokens against two of numbers made by hand.
  const std::vector<double> chosen{-1, -2, -3}, rejected{-2, -1}, of_chosen{-0.5, -1, -1.5}, of_rejected{-1, -1};
  Vector<double> d_w = Vector<double>::Zero(3), d_l = Vector<double>::Zero(2), none;
  TokenPairGradient gradient{{d_w, none}, {d_l, none}};
  const double weight = std::exp(-1.0) * std::exp(-0.5);
  const PairTerm term = Dpo{}({.chosen = -6, .rejected = -3});
  CHECK(Wpo<>{}({{.log_probs = chosen, .log_sum_squares = of_chosen},
                 {.log_probs = rejected, .log_sum_squares = of_rejected}},
                gradient) == Approx(weight * term.value));
  for (const double d : d_w) CHECK(d == Approx(weight * term.d_chosen));
  for (const double d : d_l) CHECK(d == Approx(weight * term.d_rejected));
  CHECK_THROWS_WITH(LengthDesensitized<>{.alpha = 1.5}.validate(), Contains("alpha must lie in [0, 1] (got 1.5)"));
}

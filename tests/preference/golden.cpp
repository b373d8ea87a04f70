// SPDX-License-Identifier: Apache-2.0
// Against trl's own loss code in float64, made by tests/golden/make_trl_losses.py.
#include <mellow/preference/batch_losses.hpp>
#include <mellow/preference/token_losses.hpp>
#include <mellow/preference/unpaired.hpp>
#include <mellow/tools/safetensors.hpp>

#include "preference/losses.hpp"
#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::preference;

namespace {

const tools::Tensor& tensor(const std::string& name) {
  static const auto file = tools::load_safetensors(MELLOW_SOURCE_DIR "/tests/golden/trl_losses.safetensors");
  return file.at(name);
}

const std::vector<double>& numbers(const std::string& name) {
  return std::get<std::vector<double>>(tensor(name).values);
}

/// A tensor, the last dimension as rows: tokens x pairs.
Matrix<double> columns(const std::string& name) {
  const auto& of = tensor(name);
  const auto rows = static_cast<Index>(of.shape.back());
  return Eigen::Map<const Matrix<double>>(numbers(name).data(), rows, static_cast<Index>(numbers(name).size()) / rows);
}

Vector<double> vector(const std::string& name) { return columns(name); }

struct Golden {
  Vector<double> l_w = columns("tokens.chosen").colwise().sum().transpose(),
                 l_l = columns("tokens.rejected").colwise().sum().transpose(), r_w = vector("reference.chosen"),
                 r_l = vector("reference.rejected"), n_w = vector("n.chosen"), n_l = vector("n.rejected");
  PairBatch<double> batch{l_w, l_l, r_w, r_l, n_w, n_l};
};

const Golden& golden() {
  static const Golden one;
  return one;
}

void check_equal(const Vector<double>& ours, const Vector<double>& theirs) {
  REQUIRE(ours.size() == theirs.size());
  for (Index i = 0; i < ours.size(); ++i) CHECK(ours[i] == Approx(theirs[i]).epsilon(1e-10).margin(1e-14));
}

void check_mean(const std::string& name, double value, const Vector<double>& d_chosen,
                const Vector<double>& d_rejected) {
  CHECK(value == Approx(numbers(name + ".mean")[0]).epsilon(1e-10));
  check_equal(d_chosen, vector(name + ".d_chosen"));
  check_equal(d_rejected, vector(name + ".d_rejected"));
}

void check_batch(const std::string& name, const PairLoss auto& loss, const PairBatch<double>& batch) {
  INFO(name);
  const auto found = pair_loss(loss, batch);
  check_mean(name, found.value, found.d_chosen, found.d_rejected);
}

void check(const std::string& name, const PairLoss auto& loss) {
  INFO(name);
  check_batch(name, loss, golden().batch);
  const auto values = vector(name + ".values");
  const Golden& of = golden();
  for (Index i = 0; i < values.size(); ++i)
    CHECK(loss(Pair{of.l_w[i], of.l_l[i], of.r_w[i], of.r_l[i], of.n_w[i], of.n_l[i]}).value ==
          Approx(values[i]).epsilon(1e-10).margin(1e-14));
}

}  // namespace

TEST_CASE("Losses of pairs are trl's") {
  check("sigmoid", Dpo{});
  check("hinge", Hinge{});
  check("exo_pair", ExoPair{});
  check("nca_pair", NcaPair{});
  check("robust", RobustDpo{.label_smoothing = 0.1});
  check("bco_pair", BcoPair{});
  check("sppo_hard", SppoHard{});
  check("apo_zero", ApoZero{});
  check("apo_down", ApoDown{});
  check("discopop", DiscoPop{});
  check("sigmoid.forward_kl", FDpo<ForwardKl>{});
  check("sigmoid.js_divergence", FDpo<JensenShannon>{});
  check("sigmoid.alpha_divergence", FDpo<AlphaDivergence>{});
  check("hinge.alpha_divergence", WithDivergence<Hinge, AlphaDivergence>{});
}

TEST_CASE("Losses divided by token counts are trl's") {
  check("ipo", LengthNormalizedIpo{});
  check("ipo.js_divergence", WithDivergence<LengthNormalizedIpo, JensenShannon>{});
  check("sigmoid_norm", LengthNormalizedDpo{});
}

TEST_CASE("Losses without a reference are trl's") {
  const Golden& of = golden();
  const PairBatch<double> no_reference{.chosen = of.l_w, .rejected = of.l_l};
  check("cpo", Cpo{.alpha = 0});
  check_batch("cpo_hinge", Hinge{}, no_reference);
  check_batch("cpo_ipo", Ipo{}, no_reference);
  check("simpo", SimPo{.beta = 2.0, .gamma = 0.5});
  check("alphapo", AlphaPo{.beta = 2.0, .gamma = 0.5, .alpha = 0.25});
  check("odds_ratio", OddsRatio{});
}

TEST_CASE("Losses that trl lacks are PyTorch's") {
  check("cdpo", ConservativeDpo{.label_smoothing = 0.1});
  check("ipo_sums", Ipo{});
  check("dpop", DpoPositive{.beta = 0.3, .lambda = 5.0});
  check("cal_dpo", CalDpo{});
  check("squared_hellinger", FDpo<SquaredHellinger>{});
  check("chi_square", FDpo<ChiSquare>{});
  check("chipo", ChiPo{});
  check("squared_po", SquaredPo{});
  check("rpo", Rpo{.alpha = 0.7});
  check("slic", Slic{});
  check("c2_log_l1", C2Dpo{.lambda = 0.01, .norm = Norm::L1});
  check("c2_log_l2", C2Dpo{.lambda = 0.01});
  check("c2_identity_l1", C2Dpo{.lambda = 0.01, .constraint = Constraint::Identity, .norm = Norm::L1});
  check("c2_identity_l2", C2Dpo{.lambda = 0.01, .constraint = Constraint::Identity});
}

TEST_CASE("Losses that couple a batch are trl's") {
  const auto& batch = golden().batch;
  const Index n = batch.size();
  const auto check_sum = [&](const std::string& name, const auto& add) {
    INFO(name);
    Vector<double> d_chosen = Vector<double>::Zero(n), d_rejected = d_chosen;
    const double value = add(d_chosen, d_rejected);
    check_mean(name, value, d_chosen, d_rejected);
  };
  SortScratch<double> scratch;
  check_sum("aot",
            [&](auto& d_w, auto& d_l) { return Aot{.label_smoothing = 0.1}.add(batch, 1.0, d_w, d_l, scratch); });
  check_sum("aot_unpaired", [&](auto& d_w, auto& d_l) {
    return Aot{.label_smoothing = 0.1, .unpaired = true}.add(batch, 1.0, d_w, d_l, scratch);
  });
  check_sum("sft", [&](auto& d_w, auto&) { return TokenMeanNll{}.add(batch, 1.0, d_w); });
  check_sum("sigmoid+sft", [&](auto& d_w, auto& d_l) {
    const double dpo = pair_loss(Dpo{}, batch, d_w, d_l).value;
    return dpo + 0.3 * TokenMeanNll{}.add(batch, 0.3, d_w);
  });
}

TEST_CASE("Weights of pairs and tokens are trl's") {
  const Golden& of = golden();
  const Matrix<double> chosen = columns("tokens.chosen"), rejected = columns("tokens.rejected");
  const Matrix<double> chosen_squares = columns("log_sum_squares.chosen"),
                       rejected_squares = columns("log_sum_squares.rejected");
  const Index n = of.batch.size();
  Vector<double> weights(n), l_w(n), l_l(n), r_w = of.r_w, r_l = of.r_l;
  Matrix<double> w_w = Matrix<double>::Zero(chosen.rows(), n), w_l = w_w;
  for (Index i = 0; i < n; ++i) {
    const auto n_w = static_cast<Index>(of.n_w[i]), n_l = static_cast<Index>(of.n_l[i]);
    weights[i] = wpo_weight<double>(chosen.col(i).head(n_w), chosen_squares.col(i).head(n_w)) *
                 wpo_weight<double>(rejected.col(i).head(n_l), rejected_squares.col(i).head(n_l));
    ld_weights<double>(std::min(n_w, n_l), 0.3, w_w.col(i).head(n_w));
    ld_weights<double>(std::min(n_w, n_l), 0.3, w_l.col(i).head(n_l));
    l_w[i] = sum_log_prob<double>(chosen.col(i), w_w.col(i));
    l_l[i] = sum_log_prob<double>(rejected.col(i), w_l.col(i));
  }
  PairBatch<double> weighted = of.batch;
  weighted.weights = weights;
  check_batch("wpo", Dpo{}, weighted);

  const auto ld = pair_loss(
      Dpo{}, PairBatch<double>{.chosen = l_w, .rejected = l_l, .reference_chosen = r_w, .reference_rejected = r_l});
  CHECK(ld.value == Approx(numbers("ld.mean")[0]).epsilon(1e-10));
  const Matrix<double> d_w = columns("ld.d_tokens.chosen"), d_l = columns("ld.d_tokens.rejected");
  for (Index i = 0; i < n; ++i) {
    const auto n_w = static_cast<Index>(of.n_w[i]), n_l = static_cast<Index>(of.n_l[i]);
    check_equal(ld.d_chosen[i] * w_w.col(i).head(n_w), d_w.col(i).head(n_w));
    check_equal(ld.d_rejected[i] * w_l.col(i).head(n_l), d_l.col(i).head(n_l));
  }
}

TEST_CASE("Metrics are trl's") {
  const auto metrics = pair_loss(Dpo{}, golden().batch).metrics;
  const auto theirs = vector("metrics");
  Vector<double> ours(6);
  ours << metrics.chosen_reward, metrics.rejected_reward, metrics.accuracy, metrics.margin(), metrics.chosen_log_prob,
      metrics.rejected_log_prob;
  check_equal(ours, theirs);
}

TEST_CASE("Losses of single responses are trl's") {
  const Golden& of = golden();
  Vector<double> log_probs(of.l_w.size() * 2), reference(log_probs.size()), d(log_probs.size());
  log_probs << of.l_w, of.l_l;
  reference << of.r_w, of.r_l;
  const UnpairedBatch<double> batch{.log_probs = log_probs,
                                    .reference = reference,
                                    .desirable = numbers("kto.labels"),
                                    .mismatched = numbers("kto.mismatched"),
                                    .reference_mismatched = numbers("kto.reference_mismatched")};
  const auto check_unpaired = [&](const std::string& name, const auto& loss) {
    INFO(name);
    CHECK(unpaired_loss(loss, batch, d).value == Approx(numbers(name + ".mean")[0]).epsilon(1e-10));
    check_equal(d, vector(name + ".d"));
  };
  check_unpaired("kto.kto", Kto{.desirable_weight = 1.3, .undesirable_weight = 0.8});
  check_unpaired("kto.apo_zero_unpaired", ApoZeroUnpaired{.desirable_weight = 1.3, .undesirable_weight = 0.8});
}

TEST_CASE("TDPO's divergences and losses are PyTorch's") {
  const Golden& of = golden();
  const Index n = of.batch.size();
  const auto& shape = tensor("tdpo.logits").shape;
  const auto longest = static_cast<Index>(shape[1]);
  const Matrix<double> logits = columns("tdpo.logits"), reference = columns("tdpo.reference_logits");
  Vector<double> kl(2 * n), d(2 * n), d_kl(2 * n);
  for (Index i = 0; i < 2 * n; ++i) {
    const auto tokens = static_cast<Index>(i < n ? of.n_w[i] : of.n_l[i - n]);
    Matrix<double> d_logits(logits.rows(), tokens);
    kl[i] = sequential_kl<double>(reference.middleCols(i * longest, tokens), logits.middleCols(i * longest, tokens),
                                  d_logits);
    if (i == 0)
      for (Index t = 0; t < tokens; ++t) check_equal(d_logits.col(t), columns("tdpo.d_logits.0").col(t));
  }
  check_equal(kl, vector("tdpo.kl"));
  const auto check_tdpo = [&](const std::string& name, const auto& loss) {
    INFO(name);
    const double value = tdpo_loss(loss, of.batch, kl.head(n), kl.tail(n),
                                   TdpoGradients<double>{d.head(n), d.tail(n), d_kl.head(n), d_kl.tail(n)});
    CHECK(value == Approx(numbers(name + ".mean")[0]).epsilon(1e-10));
    check_equal(d, vector(name + ".d"));
    check_equal(d_kl, vector(name + ".d_kl"));
  };
  check_tdpo("tdpo1", Tdpo1{});
  check_tdpo("tdpo2", Tdpo2{});
}

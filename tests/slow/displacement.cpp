// SPDX-License-Identifier: Apache-2.0 What losses do to the chosen responses of a toy in which they resemble the
// rejected ones (c2_dpo.md 3.2, squared_po.md 3.2): 3000 full-batch steps of Adam, 20 seeds, checkpoints at 0, 30, 100,
// 300, 1000 and 3000 steps.
#include <cmath>
#include <limits>

#include <mellow/preference/c2_dpo.hpp>
#include <mellow/preference/f_dpo.hpp>
#include <mellow/preference/margin_losses.hpp>
#include <mellow/preference/out_of_order.hpp>
#include <mellow/preference/toy_training.hpp>
#include <mellow/statistics/aggregates.hpp>
#include <mellow/statistics/bootstrap.hpp>

#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::preference;

namespace {

constexpr Index seeds = 20;

/// Of each seed.
struct Ends {
  Vector<double> median_chosen = Vector<double>(seeds);  ///< log-ratio at the end
  Vector<double> falling = Vector<double>(seeds);        ///< share of winners that fall at every checkpoint
  Vector<double> accuracy = Vector<double>(seeds);       ///< at the end
  Vector<double> mass_change = Vector<double>(seeds);    ///< mean |log(pi_w + pi_l) - log(ref_w + ref_l)| at the end
};

Ends train(const PairLoss auto& loss) {
  Ends ends;
  for (Index seed = 0; seed < seeds; ++seed) {
    Rng rng(static_cast<std::uint64_t>(seed));
    const PairHistory history = preference::train(DisplacementToy(rng), loss);
    const Index end = history.checkpoints() - 1;
    const Matrix<double> chosen = history.chosen - history.reference_chosen;
    const Vector<double> rejected = history.rejected.col(end) - history.reference_rejected.col(end);
    Vector<double> falls = Vector<double>::Ones(history.size());
    for (Index k = 1; k <= end; ++k)
      falls.array() *= (chosen.col(k).array() < chosen.col(k - 1).array()).cast<double>();
    ends.median_chosen[seed] = statistics::Median{}(chosen.col(end));
    ends.falling[seed] = falls.mean();
    ends.accuracy[seed] = (chosen.col(end).array() > rejected.array()).cast<double>().mean();
    ends.mass_change[seed] = 0;
    for (Index i = 0; i < history.size(); ++i)
      ends.mass_change[seed] +=
          std::abs(log_add_exp(history.chosen(i, end), history.rejected(i, end)) -
                   log_add_exp(history.reference_chosen(i, end), history.reference_rejected(i, end))) /
          static_cast<double>(history.size());
  }
  return ends;
}

/// The interval of the mean difference of paired seeds.
statistics::Estimate difference(const Vector<double>& a, const Vector<double>& b) {
  Rng rng(1);
  return statistics::paired_difference(statistics::Scores(Matrix<double>(a)), statistics::Scores(Matrix<double>(b)),
                                       statistics::Mean{}, rng);
}

}  // namespace

TEST_CASE("DPO displaces the chosen responses; C2-DPO raises them, SquaredPO stops") {
  const Ends dpo = train(Dpo{}), c2 = train(C2Dpo{}), squared = train(SquaredPo{});
  const Ends sum2 = train(C2Dpo{.lambda = 0.01, .constraint = Constraint::Identity});
  const Ends sum1 = train(C2Dpo{.lambda = 0.01, .constraint = Constraint::Identity, .norm = Norm::L1});
  const Ends ipo = train(Ipo{}), log2 = train(C2Dpo{.lambda = 0.01}),
             log1 = train(C2Dpo{.lambda = 0.01, .norm = Norm::L1});
  const auto show = [](const char* name, const Ends& ends) {
    UNSCOPED_INFO(name << ": median a_w " << ends.median_chosen.mean() << ", falling " << ends.falling.mean()
                       << ", accuracy " << ends.accuracy.mean() << ", mass change " << ends.mass_change.mean());
  };
  show("DPO", dpo);
  show("C2-DPO", c2);
  show("SquaredPO", squared);
  show("C2-DPO identity l2", sum2);
  show("C2-DPO identity l1", sum1);

  // c2_dpo.md 3.2.
  CHECK(dpo.median_chosen.maxCoeff() < -50.0);
  CHECK(c2.median_chosen.minCoeff() > 0.0);
  CHECK(difference(c2.median_chosen, dpo.median_chosen).low > 0.0);
  CHECK(c2.accuracy.mean() >= dpo.accuracy.mean() - 0.01);
  for (const Ends* ends : {&dpo, &ipo, &c2, &log2, &log1}) CHECK(ends->accuracy.mean() == 1.0);
  for (const Ends* ends : {&sum2, &sum1}) CHECK(ends->accuracy.mean() >= 0.99);
  CHECK(20.0 * sum2.mass_change.mean() <= dpo.mass_change.mean());
  CHECK(20.0 * sum1.mass_change.mean() <= dpo.mass_change.mean());
  // squared_po.md 3.2.
  CHECK(dpo.falling.mean() >= 0.9);
  CHECK(squared.falling.mean() <= 0.4);
  CHECK(difference(squared.median_chosen, dpo.median_chosen).low > 50.0);
}

TEST_CASE("Where the pairs cannot be put in order SquaredPO displaces more than DPO, and needs its gradient clipped") {
  const auto descend = [](const auto& loss, Index seed, const OutOfOrder& setting = {}) {
    Rng rng(static_cast<std::uint64_t>(seed));
    return median_out_of_order(loss, rng, setting);
  };
  constexpr double unclipped = std::numeric_limits<double>::infinity();
  int diverged = 0;
  Vector<double> dpo(seeds), squared(seeds);
  for (Index seed = 0; seed < seeds; ++seed) {
    dpo[seed] = descend(Dpo{}, seed);
    squared[seed] = descend(SquaredPo{}, seed);
    CHECK(std::abs(squared[seed]) < 10.0);
    diverged += std::abs(descend(SquaredPo{}, seed, {.max_gradient_norm = unclipped})) > 1e20 ? 1 : 0;
  }
  CHECK(diverged > 0);  // 3 of the 20
  INFO("median a_w: DPO " << dpo.mean() << ", SquaredPO " << squared.mean());
  CHECK(difference(squared, dpo).high < 0.0);
}

// SPDX-License-Identifier: Apache-2.0
// Value, gradient and metrics of a preference loss over a batch of pairs, in single precision as log-probabilities come
// from a network, and for DPO in double too.
#include <mellow/core/rng.hpp>
#include <mellow/preference/c2_dpo.hpp>
#include <mellow/preference/f_dpo.hpp>
#include <mellow/preference/margin_losses.hpp>
#include <mellow/preference/reference_free.hpp>

#include "shapes.hpp"

namespace {

using namespace mellow;
using namespace mellow::preference;

template <class Scalar>
void batch(benchmark::State& state, const PairLoss auto& loss, Index pairs) {
  Rng rng(1);
  const auto column = [&](double low, double high) {
    return Vector<Scalar>::NullaryExpr(pairs, [&] { return static_cast<Scalar>(rng.uniform(low, high)); }).eval();
  };
  const Vector<Scalar> chosen = column(-60, -40), rejected = column(-60, -40);
  const Vector<Scalar> reference_chosen = chosen + column(-2, 2), reference_rejected = rejected + column(-2, 2);
  const Vector<Scalar> tokens = column(20, 40);
  Vector<Scalar> d_chosen(pairs), d_rejected(pairs);
  const PairBatch<Scalar> of{chosen, rejected, reference_chosen, reference_rejected, tokens, tokens};
  for (auto _ : state) {
    benchmark::DoNotOptimize(pair_loss(loss, of, d_chosen, d_rejected));
    benchmark::DoNotOptimize(d_chosen.data());
    benchmark::DoNotOptimize(d_rejected.data());
  }
  speed::report_rate(state, "pairs/s", static_cast<double>(pairs));
}

template <class Scalar = float>
void add(const std::string& name, const PairLoss auto& loss) {
  for (const Index pairs : {64, 1'000'000})
    benchmark::RegisterBenchmark(fmt::format("preference_{}/{}", name, pairs).c_str(),
                                 [=](benchmark::State& state) { batch<Scalar>(state, loss, pairs); });
}

const bool added = [] {
  add("dpo", Dpo{});
  add<double>("dpo_double", Dpo{});
  add("c2_dpo", C2Dpo{});
  add("c2_dpo_identity", C2Dpo{.constraint = Constraint::Identity});
  add("squared_po", SquaredPo{});
  add("f_dpo_js", FDpo<JensenShannon>{});
  add("ipo", LengthNormalizedIpo{});
  add("simpo", SimPo{});
  return true;
}();

}  // namespace

BENCHMARK_MAIN();

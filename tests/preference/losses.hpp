// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/preference/absolute_losses.hpp>
#include <mellow/preference/c2_dpo.hpp>
#include <mellow/preference/f_dpo.hpp>
#include <mellow/preference/margin_losses.hpp>
#include <mellow/preference/per_token.hpp>
#include <mellow/preference/reference_free.hpp>
#include <mellow/preference/sum.hpp>
#include <mellow/preference/total_variation.hpp>

/// Calls check(name, loss) for each loss of pairs.
template <class Check>
void for_each_pair_loss(const Check& check) {
  using namespace mellow::preference;
  check("Dpo", Dpo{});
  check("ConservativeDpo", ConservativeDpo{});
  check("RobustDpo", RobustDpo{});
  check("LengthNormalizedDpo", LengthNormalizedDpo{.beta = 2.0});
  check("DpoPositive", DpoPositive{.lambda = 5.0});
  check("CalDpo", CalDpo{});
  check("Hinge", Hinge{});
  check("Ipo", Ipo{});
  check("LengthNormalizedIpo", LengthNormalizedIpo{});
  check("ExoPair", ExoPair{});
  check("DiscoPop", DiscoPop{});
  check("NcaPair", NcaPair{});
  check("BcoPair", BcoPair{});
  check("SppoHard", SppoHard{});
  check("ApoZero", ApoZero{});
  check("ApoDown", ApoDown{});
  check("Nll", Nll{});
  check("Rpo", Rpo{});
  check("Cpo", Cpo{});
  check("SimPo", SimPo{});
  check("AlphaPo", AlphaPo{});
  check("AlphaPo, alpha 0", AlphaPo{.alpha = 0.0});
  check("OddsRatio", OddsRatio{});
  check("Orpo", Orpo{});
  check("Slic", Slic{});
  for (const Constraint constraint : {Constraint::Log, Constraint::Identity})
    for (const Norm norm : {Norm::L1, Norm::L2})
      check("C2Dpo", C2Dpo{.lambda = 0.01, .constraint = constraint, .norm = norm});
  check("FDpo<ReverseKl>", FDpo<ReverseKl>{});
  check("FDpo<ForwardKl>", FDpo<ForwardKl>{});
  check("FDpo<JensenShannon>", FDpo<JensenShannon>{});
  check("FDpo<AlphaDivergence>", FDpo<AlphaDivergence>{.generator = {.alpha = 0.3}});
  check("FDpo<SquaredHellinger>", FDpo<SquaredHellinger>{});
  check("FDpo<ChiSquare>", FDpo<ChiSquare>{});
  check("FDpo<ChiSquareKl>", FDpo<ChiSquareKl>{});
  check("FDpo<TotalVariation>", FDpo<TotalVariation>{});
  check("ChiPo", ChiPo{});
  check("SquaredPo", SquaredPo{});
  check("WithDivergence<Ipo>", WithDivergence<Ipo, JensenShannon>{});
  check("WithDivergence<ExoPair>", WithDivergence<ExoPair, AlphaDivergence>{});
  check("PerToken<C2Dpo>", PerToken<C2Dpo>{.loss = {.beta = 2.0, .lambda = 0.1}});
  check("PerToken<SquaredPo>", PerToken<SquaredPo>{});
  check("Sum", Sum(Weighted<Hinge>{.weight = 0.5}, Weighted<Nll>{.weight = 2.0}, SquaredPo{}));
}

/// Calls check(name, generator) for each divergence whose f' increases strictly somewhere.
template <class Check>
void for_each_generator(const Check& check) {
  using namespace mellow::preference;
  check("ReverseKl", ReverseKl{});
  check("ForwardKl", ForwardKl{});
  check("JensenShannon", JensenShannon{});
  check("AlphaDivergence", AlphaDivergence{});
  check("AlphaDivergence 0.2", AlphaDivergence{.alpha = 0.2});
  check("AlphaDivergence 1", AlphaDivergence{.alpha = 1.0});
  check("SquaredHellinger", SquaredHellinger{});
  check("ChiSquare", ChiSquare{});
  check("ChiSquareKl", ChiSquareKl{});
  check("SquaredLog", SquaredLog{});
}

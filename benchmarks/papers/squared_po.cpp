// SPDX-License-Identifier: Apache-2.0
// Displacement-Resistant Extensions of DPO with Nonconvex f-Divergences (Pipano et al. 2026): what SquaredPO's
// generator promises, and what becomes of it on a toy and on a small transformer. Criteria and figures: docs/papers/squared_po.md.
#include <array>
#include <cmath>
#include <vector>

#include <mellow/preference/dpo.hpp>
#include <mellow/preference/exact.hpp>
#include <mellow/preference/f_dpo.hpp>
#include <mellow/preference/generators.hpp>
#include <mellow/preference/margin_losses.hpp>
#include <mellow/preference/out_of_order.hpp>

#include "addition_runs.hpp"
#include "displacement_runs.hpp"

namespace mellow::suite {
namespace {

using namespace preference;

/// A prompt with two responses in pairs, the better first, and two others, the first of which is as good.
RlhfProblem four_responses(double beta) {
  return {.reference = Vector<double>{{0.3, 0.2, 0.4, 0.1}}, .rewards = Vector<double>{{1, 0, 1, 0.2}}, .beta = beta};
}

/// By how much r - beta f'(u) differs between the responses of the optimum: 0 where the penalty leads to a loss of pairs.
template <Generator G>
double disagreement(const G& g, double beta) {
  const RlhfProblem problem = four_responses(beta);
  const OptimalPolicy at = optimal_policy(g, problem);
  Vector<double> multipliers(problem.rewards.size());
  for (Index y = 0; y < multipliers.size(); ++y)
    multipliers[y] = problem.rewards[y] - beta * g.derivative(at.ratios[y]);
  return multipliers.maxCoeff() - multipliers.minCoeff();
}

/// The ratio of the chosen response in the problem whose penalty reaches the pair alone.
template <Generator G>
double chosen_in_sample(const G& g) {
  return in_sample_optimal_policy(g, four_responses(0.5), std::array<Index, 2>{0, 1}).ratios[0];
}

std::vector<Claim> conditions(Study& study) {
  const double squared = disagreement(SquaredLog{}, 0.5), chi = disagreement(ChiSquare{}, 0.2);
  const double kept = chosen_in_sample(SquaredLog{}), lost = chosen_in_sample(ReverseKl{});
  study.row("optima", "SquaredPO", 0, "disagreement of r - beta f'(u)", squared);
  study.row("optima", "chi-square", 0, "disagreement of r - beta f'(u)", chi);
  study.row("optima", "SquaredPO", 0, "ratio of the chosen response", kept);
  study.row("optima", "KL", 0, "ratio of the chosen response", lost);
  return {
      {.claim = "f = (log t)^2 / 2 leads to a loss of pairs, though it is not convex: f'(0+) is minus infinity",
       .paper = "proved",
       .measured = "largest difference of r - beta f'(u) between the responses of an optimum",
       .ours = certain(squared),
       .verdict = verdict(squared < 1e-9 && is_dpo_inducing(SquaredLog{})),
       .note = fmt::format("chi-square, whose f'(0) is finite: {:.2f}", chi)},
      {.claim = "It meets the condition for winners not to fall, argmin f >= 1; DPO's KL does not",
       .paper = "proved",
       .measured = "argmin f",
       .ours = certain(SquaredLog{}.minimizer()),
       .verdict = verdict(is_displacement_resistant(SquaredLog{}) && !is_displacement_resistant(ReverseKl{})),
       .note = fmt::format("KL: {:.3f}", ReverseKl{}.minimizer())},
      {.claim = "Where only the pair is penalised, the optimum keeps the winner's probability; KL's takes it to 1/e",
       .paper = "proved",
       .measured = "pi(y_w) / pi_ref(y_w) in a problem of four responses",
       .ours = certain(kept),
       .verdict = verdict(std::abs(kept - 1) < 1e-6 && std::abs(lost - std::exp(-1.0)) < 1e-6),
       .note = fmt::format("KL: {:.3f}", lost)}};
}

std::vector<Claim> toy(Study& study) {
  const std::vector<ToyRuns> all{run_toy(study, "DPO", Dpo{}), run_toy(study, "IPO", Ipo{}),
                                 run_toy(study, "chiPO", ChiPo{}), run_toy(study, "SquaredPO", SquaredPo{})};
  draw_toy(study, "toy", "Chosen responses of the toy", all);
  tabulate_toy(
      study, all,
      {{"DPO", {"-2.4, -12.0, -37.0, -, -164.3", "-209.7", "1.00", "0.99", "1.000", "0.000"}},
       {"IPO", {"-2.3, -9.5, -14.1, -, -14.1", "-19.1", "1.00", "0.27", "1.000", "0.000"}},
       {"chiPO", {.chosen = "-0.9, -3.6, -19.2, -, -95.2", .below = "0.54", .always = "0.54", .accuracy = "1.00"}},
       {"SquaredPO", {.chosen = "-3.1, -4.3, -4.6, -, -4.6", .always = "0.19", .accuracy = "0.97"}}});
  const ToyRuns &dpo = all[0], &chi = all[2], &squared = all[3];
  Rng rng(0);
  const auto dpo_falls = mean_of(dpo.always_fell, rng), squared_falls = mean_of(squared.always_fell, rng);
  const auto kept = [&](const ToyRuns& runs) {
    return fmt::format("of those that fell at step {}: {:.3f}", runs.steps[1],
                       mean_of(known(kept_falling(runs.always_fell, runs.fell_first)), rng));
  };
  const auto gain = difference_of(squared.chosen.back(), dpo.chosen.back(), rng);
  const auto early = difference_of(squared.chosen[1], dpo.chosen[1], rng);
  const auto accuracy = difference_of(squared.accuracy, dpo.accuracy, rng);
  const auto over_chi = difference_of(squared.chosen.back(), chi.chosen.back(), rng);
  const std::string none = "none for this toy";
  return {{.claim = "Under DPO winners fall and keep falling",
           .paper = "99.63 % of the winners that fell in epoch 1 (Llama 3 8B, TL;DR)",
           .measured = "share of winners that fell at every checkpoint",
           .ours = dpo_falls,
           .verdict = above(dpo_falls, 0.9),
           .note = kept(dpo)},
          {.claim = "Under SquaredPO their fall stops",
           .paper = "4.21 %",
           .measured = "the same share",
           .ours = squared_falls,
           .verdict = below(squared_falls, 0.4),
           .note = kept(squared)},
          {.claim = "Winners end higher under SquaredPO than under DPO, by 50 nats and more",
           .paper = none,
           .measured = "difference of the median a_w after 3000 steps",
           .ours = gain,
           .verdict = above(gain, 50),
           .note = fmt::format("SquaredPO: {:.1f}", mean_of(squared.chosen.back(), rng))},
          {.claim = "They end higher than under chiPO",
           .paper = none,
           .measured = "difference of the median a_w after 3000 steps",
           .ours = over_chi,
           .verdict = above(over_chi, 0)},
          {.claim = "SquaredPO is no better at first: it moves faster",
           .paper = none,
           .measured = "difference of the median a_w after 30 steps, SquaredPO less DPO",
           .ours = early,
           .verdict = below(early, 0)},
          {.claim = "The order of the pairs is learned as well as by DPO, to 0.05",
           .paper = none,
           .measured = "difference of accuracies",
           .ours = accuracy,
           .verdict = above(accuracy, -0.05)}};
}

Claim limit(Study& study) {
  std::vector<double> dpo, squared;
  std::vector<Run> runs;
  for (Index seed = 0; seed < study.seeds("out of order", 20, 100); ++seed) {
    const auto ask = [&](const char* setting, const auto& loss) {
      runs.push_back({.experiment = "out of order",
                      .setting = setting,
                      .number = seed,
                      .identity = "64 pairs, 24 features, 128 steps of rate 5, clip 0.1, beta 0.1",
                      .work = [loss, seed] {
                        Rng rng(static_cast<std::uint64_t>(seed));  // the same pairs for each loss
                        return Figures{{"median a_w", median_out_of_order(loss, rng)}};
                      }});
    };
    ask("DPO", Dpo{});
    ask("SquaredPO", SquaredPo{});
  }
  const auto found = study.measure("pairs that cannot be put in order", runs);
  for (std::size_t i = 0; i < found.size(); ++i) (i % 2 == 0 ? dpo : squared).push_back(figure(found[i], "median a_w"));
  Rng rng(0);
  const auto worse = difference_of(squared, dpo, rng);
  return {.claim = "Where the pairs cannot all be put in order, SquaredPO displaces more than DPO",
          .paper = "none: ours",
          .measured = "difference of the median a_w, SquaredPO less DPO",
          .ours = worse,
          .verdict = below(worse, 0),
          .note = "gradients of displaced pairs in the wrong order grow as exp(-a); here they are clipped"};
}

/// The small transformer: what five losses do to pairs of its own samples.
std::vector<Claim> transformer(Study& study) {
  const std::string c2 = c2_name("Log", "l2", "2e-4");
  const Addition found = run_addition(study, {"DPO", "IPO", "chiPO", "SquaredPO", c2});
  draw_addition(study, found, {"DPO", "IPO", "chiPO", "SquaredPO", c2}, {-4.5, 1.6});
  tabulate_addition(study, found);
  const AdditionRuns &dpo = found["DPO"], &chi = found["chiPO"], &squared = found["SquaredPO"];
  Rng rng(0);
  const auto first = difference_of(squared(chosen_at(1)), dpo(chosen_at(1)), rng);
  const auto fourth = difference_of(squared(chosen_at(4)), dpo(chosen_at(4)), rng);
  const auto of_all = difference_of(dpo.share_fell_always(), squared.share_fell_always(), rng);
  const auto [dpo_kept, squared_kept] = where_both(dpo.share_kept_falling(), squared.share_kept_falling());
  const bool is_known = dpo_kept.size() > 1;
  const auto falling = is_known ? difference_of(dpo_kept, squared_kept, rng) : certain(std::nan(""));
  const auto kept = [&](const AdditionRuns& runs) {
    const auto shares = known(runs.share_kept_falling());
    return shares.size() > 1 ? mean_of(shares, rng) : certain(std::nan(""));
  };
  const auto training_on = [&](const AdditionRuns& runs) {  // right samples: epoch 8 less epoch 1
    return less(runs(right_at(8)), runs(right_at(1)));
  };
  const auto over = difference_of(training_on(squared), training_on(dpo), rng);
  const auto over_chi = difference_of(training_on(squared), training_on(chi), rng);
  const auto at = [&](const AdditionRuns& runs, const std::string& metric) { return mean_of(runs(metric), rng); };
  return {{.claim = "On the small transformer, too, a winner that falls under DPO keeps falling more often than under "
                    "SquaredPO",
           .paper = "of those that fell in epoch 1: DPO 99.63 %, SquaredPO 4.21 %",
           .measured = "of the winners that fell in epoch 1, difference of the shares that fell in each of epochs 2 to "
                       "4, too, DPO less SquaredPO",
           .ours = falling,
           .verdict = is_known ? above(falling, 0) : Verdict::Open,
           .note = fmt::format("of {} seeds: DPO {:.3f}, SquaredPO {:.3f}, chiPO {:.3f}; of all winners the difference "
                               "of those that fell in each epoch is {:.3f}",
                               dpo_kept.size(), kept(dpo), kept(squared), kept(chi), of_all)},
          {.claim = "After the first epoch winners are higher under SquaredPO than under DPO",
           .paper = "so for the median, Llama 3 8B on TL;DR",
           .measured = "difference of the median a_w of the training pairs, SquaredPO less DPO",
           .ours = first,
           .verdict = above(first, 0),
           .note = fmt::format("SquaredPO {:.2f}, DPO {:.2f}", at(squared, chosen_at(1)), at(dpo, chosen_at(1)))},
          {.claim = "They are after the fourth, too",
           .paper = "none given",
           .measured = "the same difference",
           .ours = fourth,
           .verdict = above(fourth, 0),
           .note = fmt::format("SquaredPO {:.2f}, DPO {:.2f}, chiPO {:.2f}", at(squared, chosen_at(4)),
                               at(dpo, chosen_at(4)), at(chi, chosen_at(4)))},
          {.claim = "Training for long costs DPO more than SquaredPO",
           .paper = "win rate after 1 and 4 epochs: DPO 51.8 % and 34.7 %, SquaredPO 50.8 % and 51.0 %",
           .measured = "right samples after epoch 8 less those after epoch 1, SquaredPO less DPO",
           .ours = over,
           .verdict = above(over, 0),
           .note = fmt::format("epoch 1 and 8: SquaredPO {:.3f} and {:.3f}, DPO {:.3f} and {:.3f}",
                               at(squared, right_at(1)), at(squared, right_at(8)), at(dpo, right_at(1)),
                               at(dpo, right_at(8)))},
          {.claim = "It costs chiPO more than SquaredPO, too",
           .paper = "chiPO 51.2 % and 48.3 %",
           .measured = "the same, SquaredPO less chiPO",
           .ours = over_chi,
           .verdict = above(over_chi, 0),
           .note = fmt::format("epoch 1 and 8: chiPO {:.3f} and {:.3f}", at(chi, right_at(1)), at(chi, right_at(8)))}};
}

std::vector<Claim> reproduce(Study& study) {
  std::vector<Claim> claims = conditions(study);
  for (Claim& claim : toy(study)) claims.push_back(std::move(claim));
  claims.push_back(limit(study));
  for (Claim& claim : transformer(study)) claims.push_back(std::move(claim));
  claims.push_back({.claim = "Training a large model for long costs DPO its win rate, and SquaredPO none",
                    .paper = "after 4 epochs DPO 34.7 %, SquaredPO 51.0 % against the base model",
                    .measured = "nothing",
                    .ours = certain(std::nan("")),
                    .verdict = Verdict::NotTestable,
                    .note = "needs a model of 8 billion parameters and a judge"});
  return claims;
}

}  // namespace

Paper squared_po() {
  return {"squared_po", "Displacement-Resistant Extensions of DPO with Nonconvex f-Divergences (Pipano et al. 2026)",
          reproduce};
}

}  // namespace mellow::suite

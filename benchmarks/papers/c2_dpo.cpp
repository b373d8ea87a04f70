// SPDX-License-Identifier: Apache-2.0
// C2-DPO (Asadi et al. 2026): the weaker problem that DPO's loss also stands for, under which winners fall, and the
// constraint that keeps them up, on a toy and on a small transformer. Criteria and figures: docs/papers/c2_dpo.md.
#include <cmath>
#include <vector>

#include <mellow/preference/c2_dpo.hpp>
#include <mellow/preference/dpo.hpp>
#include <mellow/preference/exact.hpp>
#include <mellow/preference/generators.hpp>
#include <mellow/preference/margin_losses.hpp>

#include "addition_runs.hpp"
#include "displacement_runs.hpp"

namespace mellow::suite {
namespace {

using namespace preference;

/// 1 000 random problems of six responses, of which two are in sample: those in which both problems give the pair the
/// same margin, and the responses that do not beat the best one out of sample whose ratio is at most 1 / e.
std::vector<Claim> optima(Study& study) {
  constexpr Index problems = 1'000;
  Rng rng(0);
  Index equal = 0, bounded = 0, responses = 0, above = 0;
  for (Index i = 0; i < problems; ++i) {
    RlhfProblem problem{.reference = Vector<double>(6), .rewards = Vector<double>(6), .beta = 0.1 + rng.uniform()};
    for (Index y = 0; y < 6; ++y) {
      problem.reference[y] = 0.05 + rng.uniform();
      problem.rewards[y] = rng.normal();
    }
    problem.reference /= problem.reference.sum();
    const auto full = optimal_policy(ReverseKl{}, problem);
    const std::array<Index, 2> in_sample{0, 1};
    const auto weak = in_sample_optimal_policy(ReverseKl{}, problem, in_sample);
    const auto margin = [](const OptimalPolicy& at) { return std::log(at.ratios[0]) - std::log(at.ratios[1]); };
    equal += std::abs(margin(full) - margin(weak)) < 1e-6 * (1 + std::abs(margin(full)));
    const double outside = problem.rewards.tail(4).maxCoeff();
    for (const Index y : in_sample) {
      if (problem.rewards[y] > outside) continue;
      ++responses;
      bounded += weak.ratios[y] <= std::exp(-1.0) + 1e-9;
      above += full.ratios[y] > 1.0;
    }
  }
  study.row("optima", "random problems", 0, "share of equal margins", static_cast<double>(equal) / problems);
  return {
      {.claim =
           "The problem whose penalty reaches the responses of pairs alone leads to DPO's loss, as the full one does",
       .paper = "proved",
       .measured =
           fmt::format("share of {} random problems in which both optima give the pair the same margin", problems),
       .ours = share(equal, problems),
       .verdict = verdict(equal == problems)},
      {.claim = "Under it, a response of a pair that does not beat the best one out of sample keeps at most 1/e of its "
                "reference probability",
       .paper = "proved",
       .measured = fmt::format("share of {} such responses", responses),
       .ours = share(bounded, responses),
       .verdict = verdict(bounded == responses),
       .note = fmt::format("under the full problem {:.0f} % of them gain probability",
                           100.0 * static_cast<double>(above) / static_cast<double>(responses))}};
}

std::vector<Claim> toy(Study& study) {
  const auto c2 = [](double lambda, Constraint constraint, Norm norm) {
    return C2Dpo{.lambda = lambda, .constraint = constraint, .norm = norm};
  };
  using enum Constraint;
  using enum Norm;
  const std::vector<ToyRuns> all{
      run_toy(study, "DPO", Dpo{}),
      run_toy(study, "IPO", Ipo{}),
      run_toy(study, "C2-DPO Log l2, 2e-4", c2(2e-4, Log, L2)),
      run_toy(study, "C2-DPO Log l2, 1e-2", c2(1e-2, Log, L2)),
      run_toy(study, "C2-DPO Log l1, 1e-2", c2(1e-2, Log, L1)),
      run_toy(study, "C2-DPO I l2, 1e-2", c2(1e-2, Identity, L2)),
      run_toy(study, "C2-DPO I l1, 1e-2", c2(1e-2, Identity, L1)),
  };
  draw_toy(study, "toy", "Chosen responses of the toy", all);
  draw_toy(study, "constrained", "Chosen responses of the toy, close to the reference", all, std::pair(-5.0, 3.0));
  const std::string lost = "0.000";
  tabulate_toy(study, all,
               {{"DPO", {"-2.4, -12.0, -37.0, -, -164.3", "-209.7", "1.00", "0.99", "1.000", lost}},
                {"IPO", {"-2.3, -9.5, -14.1, -, -14.1", "-19.1", "1.00", "0.27", "1.000", lost}},
                {"C2-DPO Log l2, 2e-4", {"-, -3.4, -, -, 1.68", "-21.5", "0.00", "0.00", "1.000", "0.976"}},
                {"C2-DPO Log l2, 1e-2", {"-, 0.64, -, -, 1.70", "-3.6", "0.00", "0.00", "1.000", "0.995"}},
                {"C2-DPO Log l1, 1e-2", {"-, 0.43, -, -, 1.68", "-19.0", "0.00", "0.00", "1.000", "0.974"}},
                {"C2-DPO I l2, 1e-2", {"-, -0.22, -, -, 0.57", "-30.4", "0.11", "0.00", "at least 0.99", "0.400"}}});
  const ToyRuns &dpo = all[0], &log = all[2], &sum2 = all[5], &sum1 = all[6];
  Rng rng(0);
  const auto end_of_dpo = mean_of(dpo.chosen.back(), rng), end_of_c2 = mean_of(log.chosen.back(), rng);
  const auto gain = difference_of(log.chosen.back(), dpo.chosen.back(), rng);
  const auto falls = mean_of(dpo.always_fell, rng), c2_falls = mean_of(log.always_fell, rng);
  const auto accuracy = difference_of(log.accuracy, dpo.accuracy, rng);
  const auto ratio_to_dpo = [&](const ToyRuns& runs) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < runs.mass_change.size(); ++i)
      ratios.push_back(dpo.mass_change[i] / runs.mass_change[i]);
    return mean_of(ratios, rng);
  };
  const auto l2 = ratio_to_dpo(sum2), l1 = ratio_to_dpo(sum1);
  const std::string none = "none for this toy";
  return {{.claim = "DPO displaces the chosen responses",
           .paper = "shown on language models",
           .measured = "median a_w after 3000 steps",
           .ours = end_of_dpo,
           .verdict = below(end_of_dpo, -50)},
          {.claim = "Under DPO nearly all of them fall at every checkpoint",
           .paper = none,
           .measured = "share of pairs",
           .ours = falls,
           .verdict = above(falls, 0.9),
           .note = fmt::format("C2-DPO Log l2, 2e-4: {:.3f}", c2_falls)},
          {.claim = "C2-DPO (Log, l2, lambda 2e-4) raises them",
           .paper = none,
           .measured = "median a_w after 3000 steps",
           .ours = end_of_c2,
           .verdict = above(end_of_c2, 0)},
          {.claim = "They end higher than under DPO",
           .paper = none,
           .measured = "difference of the medians",
           .ours = gain,
           .verdict = above(gain, 0)},
          {.claim = "The order of the pairs is learned as well",
           .paper = none,
           .measured = "difference of accuracies, C2-DPO less DPO",
           .ours = accuracy,
           .verdict = above(accuracy, -0.01)},
          {.claim = "The I constraint (l2, lambda 1e-2) holds a pair's probability twenty times better than DPO",
           .paper = none,
           .measured = "ratio of the mean changes of log(pi_w + pi_l)",
           .ours = l2,
           .verdict = above(l2, 20)},
          {.claim = "So does it with l1",
           .paper = none,
           .measured = "the same ratio",
           .ours = l1,
           .verdict = above(l1, 20)}};
}

/// The small transformer: DPO, IPO and all C2-DPO on pairs of its own samples.
std::vector<Claim> transformer(Study& study) {
  const std::string small = "2e-4", large = "1e-2";
  std::vector<std::string> headline, sure;
  for (const char* constraint : {"Log", "I"})
    for (const char* norm : {"l1", "l2"}) {
      headline.push_back(c2_name(constraint, norm, small));
      sure.push_back(c2_name(constraint, norm, large));
    }
  std::vector<std::string> names{"DPO", "IPO"}, drawn{"DPO", "IPO", headline[1], headline[3], sure[1], sure[3]};
  names.insert(names.end(), headline.begin(), headline.end());
  names.insert(names.end(), sure.begin(), sure.end());
  const Addition found = run_addition(study, names);
  draw_addition(study, found, drawn, {-1.6, 1.6});
  tabulate_addition(study, found);
  const AdditionRuns& dpo = found["DPO"];
  Rng rng(0);
  const auto right = mean_of(found.reference(right_at(0)), rng);
  std::vector<Claim> claims{{.claim = "A small transformer imitates its teacher of long addition",
                             .paper = "none: ours; a perfect imitator is right in 0.26 of its samples",
                             .measured = "share of right samples before the alignment",
                             .ours = right,
                             .verdict = between(right, 0.2, 0.36),
                             .note = fmt::format("{:.0f} pairs a seed", mean_of(dpo(pairs_learned), rng).value)}};
  names.erase(names.begin(), names.begin() + 2);
  for (const std::string& name : names) {
    const AdditionRuns& c2 = found[name];
    const auto gain = difference_of(c2(chosen_at(4)), dpo(chosen_at(4)), rng);
    const auto unseen = difference_of(c2(chosen_at(4, Pairs::HeldOut)), dpo(chosen_at(4, Pairs::HeldOut)), rng);
    claims.push_back(
        {.claim = name + " leaves the winners of its pairs higher than DPO",
         .paper = "none for this task",
         .measured = "difference of the median a_w of the training pairs after 4 epochs",
         .ours = gain,
         .verdict = above(gain, 0),
         .note = fmt::format("{:.3f}, DPO {:.3f}; difference on held-out pairs {:.3f}",
                             mean_of(c2(chosen_at(4)), rng).value, mean_of(dpo(chosen_at(4)), rng).value, unseen)});
  }
  for (const std::string& name : names) {
    const AdditionRuns& c2 = found[name];
    const auto gain = difference_of(c2(right_at(8)), dpo(right_at(8)), rng);
    claims.push_back(
        {.claim = name + " is right more often than DPO after over-training",
         .paper = "preferred by a judge, on language models",
         .measured = "difference of the right samples after 8 epochs",
         .ours = gain,
         .verdict = above(gain, 0),
         .note = fmt::format("{:.3f}, DPO {:.3f}, before alignment {:.3f}", mean_of(c2(right_at(8)), rng).value,
                             mean_of(dpo(right_at(8)), rng).value, right.value)});
  }
  return claims;
}

std::vector<Claim> reproduce(Study& study) {
  std::vector<Claim> claims = optima(study);
  for (Claim& claim : toy(study)) claims.push_back(std::move(claim));
  for (Claim& claim : transformer(study)) claims.push_back(std::move(claim));
  claims.push_back({.claim = "C2-DPO's models are preferred to DPO's by a judge",
                    .paper = "so on several language models, lambda = 2e-4",
                    .measured = "nothing",
                    .ours = certain(std::nan("")),
                    .verdict = Verdict::NotTestable,
                    .note = "needs models of billions of parameters and a judge"});
  return claims;
}

}  // namespace

Paper c2_dpo() {
  return {"c2_dpo", "C2-DPO: Constrained Controlled Direct Preference Optimization (Asadi et al. 2026)", reproduce};
}

}  // namespace mellow::suite

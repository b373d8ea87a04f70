// SPDX-License-Identifier: Apache-2.0
// Faster Deep Reinforcement Learning with Slower Online Network (Asadi et al. 2022): proximal operators on tables, DQN Pro
// on CartPole, Rainbow Pro on MinAtar. Criteria and figures: docs/papers/dqn_pro.md.
#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <mellow/environments/gridworlds.hpp>
#include <mellow/environments/random_mdps.hpp>
#include <mellow/models/proximal_iteration.hpp>
#include <mellow/models/value_iteration.hpp>
#include <mellow/value/proximal.hpp>
#include <mellow/value/target_noise.hpp>

#include "cart_pole_runs.hpp"
#include "minatar_claims.hpp"

namespace mellow::suite {
namespace {

using statistics::Estimate;

// ---------------------------------------------------------------------------------------------------------------------
// 1. Random models: the proximal operator as a contraction.

/// By how much the operator shrinks the distance of two values on a random model, of what the theory allows; how far
/// from the true values iterations with either divergence end.
Figures contract(Index seed) {
  constexpr double discount = 0.9;
  Rng rng(static_cast<std::uint64_t>(seed), 1);
  const auto model = environments::random_mdp(rng);
  Matrix<double> policy(model.actions(), model.states());
  for (double& p : policy.reshaped()) p = rng.uniform();
  for (Index s = 0; s < model.states(); ++s) policy.col(s) /= policy.col(s).sum();
  const auto largest = [](const Vector<double>& x) { return x.cwiseAbs().maxCoeff(); };

  double share = 0;
  for (const double c : {0.1, 1.0, 4.0, 9.0})
    for (const Index n : {1, 3})
      for (const bool optimal : {false, true}) {
        Vector<double> a(model.states()), b(model.states());
        for (double& x : a) x = rng.normal();
        for (double& x : b) x = rng.normal();
        const auto apply = [&](const Vector<double>& v) {
          return models::proximal_values(models::SquaredDistance{},
                                         optimal ? models::optimality_backup(model, v, discount, n)
                                                 : models::policy_backup(model, policy, v, discount, n),
                                         v, c);
        };
        const double allowed = (std::pow(discount, n) * c + 1) / (1 + c);
        share = std::max(share, largest(apply(a) - apply(b)) / largest(a - b) / allowed);
      }

  const models::PlanOptions exactly{.discount = discount, .tolerance = 1e-12};
  const models::ProximalOptions proximal{.c = 1, .applications = 2};
  const Vector<double> of_policy = models::exact_policy_evaluation(model, policy, discount),
                       best = models::state_values(models::value_iteration(model, exactly).q, operators::Max{}),
                       ones = Vector<double>::Ones(model.states());
  const auto end = [&](const auto& divergence) {
    const auto evaluated = models::proximal_policy_evaluation(model, policy, proximal, exactly, ones, divergence),
               planned = models::proximal_value_iteration(model, proximal, exactly, ones, divergence);
    return std::max(largest(evaluated.v - of_policy), largest(planned.v - best));
  };
  return {{"share of the modulus", rounded(share)},
          {"error, squared distance", rounded(end(models::SquaredDistance{}))},
          {"error, entropy", rounded(end(models::Entropy{}))}};
}

std::vector<Claim> contraction(Study& study) {
  const std::string experiment = "random models", arm = "all operators";
  const MeasuredArms runs(study, experiment, "2 to 10 states, 2 to 5 actions, discount 0.9, c 0.1 to 9, n 1 and 3",
                          study.seeds(experiment, 100, 300), {{arm, contract}});
  const auto shares = runs(arm, "share of the modulus"), entropic = runs(arm, "error, entropy"),
             squared = runs(arm, "error, squared distance");
  const auto below = [](const std::vector<double>& x, double limit) {
    return static_cast<Index>(std::ranges::count_if(x, [&](double value) { return value <= limit; }));
  };
  const Index contracting = below(shares, 1), ending = std::min(below(entropic, 1e-8), below(squared, 1e-8));
  return {{.claim = "The proximal Bellman operators of the squared distance contract, by (1 - beta) gamma^n + beta",
           .paper = "proved: a contraction",
           .measured =
               fmt::format("share of {} random models on which two random values come nearer by that", runs.seeds()),
           .ours = share(contracting, runs.seeds()),
           .verdict = verdict(contracting == runs.seeds()),
           .note = fmt::format("at most {:.3f} of that factor; it is above gamma^n, so without noise the pull slows",
                               *std::ranges::max_element(shares))},
          {.claim = "Whatever the divergence, they lead to the policy's and to the best values",
           .paper = "proved, for f smooth and strongly convex",
           .measured = "share of these models on which iterations by squared distance and by entropy end within 1e-8",
           .ours = share(ending, runs.seeds()),
           .verdict = verdict(ending == runs.seeds()),
           .note = fmt::format("farthest: {:.0e}",
                               std::max(*std::ranges::max_element(entropic), *std::ranges::max_element(squared)))}};
}

// ---------------------------------------------------------------------------------------------------------------------
// 2. A frozen lake: value iteration whose backups are noisy.

constexpr std::array<Index, 13> lake_iterations{1, 2, 5, 10, 20, 50, 100, 200, 300, 500, 1'000, 2'000, 3'000};
const std::array<double, 5> pulls{0, 0.5, 0.8, 0.9, 0.95};

std::string pulled(double b) { return fmt::format("b = {}", b); }
std::string error_after(Index k) { return fmt::format("error after {:04}", k); }
std::string value_after(Index k) { return fmt::format("start value after {:04}", k); }

/// v <- (1 - b) (T* v + 0.1 xi) + b v from v = 0: the largest error, and what the greedy policy earns from the start.
Figures plan_on_lake(double b, Index seed) {
  constexpr double discount = 0.99;
  const auto lake = environments::frozen_lake(environments::frozen_lake_8x8());
  const Vector<double> best =
      models::state_values(models::value_iteration(lake, {.tolerance = 1e-12}).q, operators::Max{});
  Rng rng(static_cast<std::uint64_t>(seed), 2);
  Figures figures;
  Vector<double> v = Vector<double>::Zero(lake.states());
  Index done = 0;
  for (const Index k : lake_iterations) {
    for (; done < k; ++done) {
      Vector<double> u = models::optimality_backup(lake, v, discount);
      for (Index s = 0; s < u.size(); ++s)
        if (best[s] > 0) u[s] += 0.1 * rng.normal();  // holes and the goal end the episode
      v = models::proximal_values(models::SquaredDistance{}, u, v, 1 / b - 1);
    }
    const auto greedy = models::greedy_policy(models::action_values(lake, v, discount));
    const auto earned =
        models::exact_policy_evaluation(lake, models::as_probabilities(greedy, lake.actions()), discount);
    figures.push_back({error_after(k), rounded((v - best).cwiseAbs().maxCoeff())});
    figures.push_back({value_after(k), rounded(earned[0])});
  }
  return figures;
}

std::vector<Claim> frozen_lake(Study& study) {
  const std::string experiment = "FrozenLake 8x8";
  std::vector<Arm> arms;
  for (const double b : pulls) arms.push_back({pulled(b), [b](Index seed) { return plan_on_lake(b, seed); }});
  const MeasuredArms runs(study, experiment, "v from 0, noise 0.1, discount 0.99", study.seeds(experiment, 20, 40),
                          arms);
  Rng rng(0, 2);
  tools::Plot errors{.title = "Noisy value iteration on FrozenLake 8x8: largest error of a value",
                     .x_label = "iteration",
                     .y_label = "error",
                     .log_x = true};
  tools::Plot values{.title = "Noisy value iteration on FrozenLake 8x8: what the greedy policy earns",
                     .x_label = "iteration",
                     .y_label = "value of the start",
                     .log_x = true};
  for (const double b : pulls) {
    errors.series.push_back({.label = pulled(b)});
    values.series.push_back({.label = pulled(b)});
    for (const Index k : lake_iterations) {
      add_point(errors.series.back(), static_cast<double>(k), mean_of(runs(pulled(b), error_after(k)), rng));
      add_point(values.series.back(), static_cast<double>(k), mean_of(runs(pulled(b), value_after(k)), rng));
    }
  }
  tools::save_plot(study.folder() / "lake_errors", errors);
  tools::save_plot(study.folder() / "lake_values", values);

  // The least of the differences from each b to the next.
  const auto least_step = [&](Index k, bool falls) {
    Estimate least{.value = std::numeric_limits<double>::infinity()};
    for (std::size_t i = 1; i < pulls.size(); ++i) {
      const auto weaker = runs(pulled(pulls[i - 1]), error_after(k)), stronger = runs(pulled(pulls[i]), error_after(k));
      const auto step = falls ? difference_of(weaker, stronger, rng) : difference_of(stronger, weaker, rng);
      if (step.value < least.value) least = step;
    }
    return least;
  };
  const auto table = [&](const auto& figure_after, Index k) {
    std::string text;
    for (const double b : pulls)
      text += fmt::format("{}{:.3f}", text.empty() ? "" : ", ", statistics::Mean{}(runs(pulled(b), figure_after(k))));
    return text;
  };
  const Estimate falls = least_step(3'000, true), rises = least_step(20, false),
                 earns =
                     difference_of(runs(pulled(0.95), value_after(1'000)), runs(pulled(0), value_after(1'000)), rng);
  const auto settings = fmt::format("means of {} seeds, b = 0 to 0.95: ", runs.seeds());
  return {{.claim = "Where backups are noisy, values are in the end the more accurate the stronger the pull",
           .paper = "shown; no figures read",
           .measured = "fall of the largest error after 3000 iterations from one b to the next, the least of four",
           .ours = falls,
           .verdict = above(falls, 0),
           .note = settings + table(error_after, 3'000)},
          {.claim = "At first they are the less accurate: robustness is paid for with speed",
           .paper = "none: ours",
           .measured = "rise of the largest error after 20 iterations from one b to the next, the least of four",
           .ours = rises,
           .verdict = above(rises, 0),
           .note = settings + table(error_after, 20)},
          {.claim = "The greedy policy of pulled values is better",
           .paper = "shown; no figures read",
           .measured = "value of the start after 1000 iterations, b = 0.95 less b = 0",
           .ours = earns,
           .verdict = above(earns, 0),
           .note = settings + table(value_after, 1'000) + "; the best policy earns 0.415"}};
}

// ---------------------------------------------------------------------------------------------------------------------
// 3. CartPole: a calibration.

std::vector<Claim> cart_pole(Study& study) {
  constexpr double rule = 1e-3 * pole_period / 2.5;  // c = learning rate x period / 2.5: the authors' strength on Atari
  const value::PeriodicCopy copies{.every = pole_period};
  const value::Proximal pull{.c = rule};
  const value::ProximalPenalty penalty{.weight = 0.005};
  const value::TargetNoise noise{.deviation = 1}, much{.deviation = 3};
  const std::string plain = "DQN", pro = "DQN Pro", coupled = "penalty", noisy = "DQN, noise 1",
                    noisy_pro = "DQN Pro, noise 1", very_noisy = "DQN, noise 3", very_noisy_pro = "DQN Pro, noise 3";
  const std::string experiment = "CartPole";
  const MeasuredArms runs(study, experiment, pole_identity + fmt::format("; c {}, penalty 0.005", rule),
                          study.seeds(experiment, 20, 40),
                          {{plain, [=](Index seed) { return balance_pole(seed, copies); }},
                           {pro, [=](Index seed) { return balance_pole(seed, copies, pull); }},
                           {coupled, [=](Index seed) { return balance_pole(seed, copies, penalty); }},
                           {noisy, [=](Index seed) { return balance_pole(seed, copies, noise); }},
                           {noisy_pro, [=](Index seed) { return balance_pole(seed, copies, noise, pull); }},
                           {very_noisy, [=](Index seed) { return balance_pole(seed, copies, much); }},
                           {very_noisy_pro, [=](Index seed) { return balance_pole(seed, copies, much, pull); }}});
  Rng rng(0, 3);
  tools::save_plot(study.folder() / "cart_pole",
                   pole_plot(runs, {plain, pro, coupled, very_noisy, very_noisy_pro}, rng));

  const auto more = [&](const std::string& a, const std::string& b, const std::string& metric) {
    return difference_of(runs(a, metric), runs(b, metric), rng);
  };
  const auto means = [&](const std::string& metric) { return pole_means(runs, runs.names(), metric, rng); };
  const Estimate better = more(pro, plain, "mean return"), late = more(pro, plain, "late return"),
                 early = more(plain, pro, "early return"), decoupled = more(pro, coupled, "mean return"),
                 noisy_late = more(noisy_pro, noisy, "late return"),
                 very_noisy_late = more(very_noisy_pro, very_noisy, "late return");
  const auto lost = [&](const std::string& with, const std::string& without) {
    return less(runs(without, "mean return"), runs(with, "mean return"));
  };
  const Estimate saved = difference_of(lost(noisy, plain), lost(noisy_pro, pro), rng),
                 saved_from_more = difference_of(lost(very_noisy, plain), lost(very_noisy_pro, pro), rng);
  const Index slower = count_below(runs(pro, "target movement"), runs(plain, "target movement"));
  const auto moves = [&](const std::string& arm) { return statistics::Mean{}(runs(arm, "target movement")); };
  return {
      {.claim = "DQN Pro earns more than DQN on CartPole",
       .paper = "better on some 41 of 55 Atari games, worse on 13",
       .measured = "mean evaluation return over training, DQN Pro less DQN",
       .ours = better,
       .verdict = above(better, 0),
       .note = fmt::format("c = {}; {} seeds; {}; last five evaluations {:.1f}", rule, runs.seeds(),
                           means("mean return"), late)},
      {.claim = "At first it earns less",
       .paper =
           "below the baseline for the first 10 to 20 of 200 million frames in most games of the authors' later runs",
       .measured = "mean return of the first quarter of training, DQN less DQN Pro",
       .ours = early,
       .verdict = above(early, 0),
       .note = means("early return")},
      {.claim = "The pull makes the target move less, in every run",
       .paper = "shown on four games",
       .measured = "share of seeds in which the mean distance of successive targets, second half, is smaller",
       .ours = share(slower, runs.seeds()),
       .verdict = verdict(slower == runs.seeds()),
       .note = fmt::format("means: {:.3f} and {:.3f} without; with noise of 3 {:.3f} and {:.3f}", moves(pro),
                           moves(plain), moves(very_noisy_pro), moves(very_noisy))},
      {.claim = "The penalty in the loss does worse than the decoupled pull",
       .paper = "worse in most of 20 games",
       .measured = "mean return over training, DQN Pro less the penalty",
       .ours = decoupled,
       .verdict = above(decoupled, 0)},
      {.claim = "Noise of targets costs DQN Pro less than DQN",
       .paper = "argued: the pull averages noise away",
       .measured = "fall of the mean return over training by noise of deviation 1, of DQN less of DQN Pro",
       .ours = saved,
       .verdict = above(saved, 0),
       .note = fmt::format("falls of {:.1f} and {:.1f}; by noise of 3, of {:.1f} and {:.1f}, difference {:.1f}; below "
                           "0, noise does good",
                           mean_of(lost(noisy, plain), rng), mean_of(lost(noisy_pro, pro), rng),
                           mean_of(lost(very_noisy, plain), rng), mean_of(lost(very_noisy_pro, pro), rng),
                           saved_from_more)},
      {.claim = "With noisy targets DQN Pro ends higher than DQN",
       .paper = "none: ours",
       .measured = "mean return of the last five evaluations, noise of deviation 1, DQN Pro less DQN",
       .ours = noisy_late,
       .verdict = above(noisy_late, 0),
       .note = fmt::format("with noise of 3 {:.1f}; {}", very_noisy_late, means("late return"))}};
}

std::vector<Claim> reproduce(Study& study) {
  std::vector<Claim> claims = contraction(study);
  std::ranges::move(frozen_lake(study), std::back_inserter(claims));
  std::ranges::move(cart_pole(study), std::back_inserter(claims));
  std::ranges::move(proximal_on_minatar(study), std::back_inserter(claims));
  return claims;
}

}  // namespace

Paper dqn_pro() {
  return {"dqn_pro", "Faster Deep Reinforcement Learning with Slower Online Network (Asadi et al. 2022)", reproduce};
}

}  // namespace mellow::suite

// SPDX-License-Identifier: Apache-2.0
// Resetting the Optimizer in Deep RL: An Empirical Study (Asadi, Fakoor & Sabach 2023): sequences of quadratics, DQN on
// CartPole, C51 on MinAtar. Criteria and figures: docs/papers/optimizer_reset.md.
#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <mellow/nn/adam.hpp>
#include <mellow/tools/plot.hpp>
#include <mellow/value/reset_optimizer.hpp>
#include <mellow/value/target_change_diagnosis.hpp>
#include <mellow/value/tracking.hpp>

#include "../suite/estimates.hpp"
#include "cart_pole_runs.hpp"
#include "measured_arms.hpp"
#include "minatar_claims.hpp"

namespace mellow::suite {
namespace {

using statistics::Estimate;

/// What an optimiser forgets at each new problem.
struct Forgetting {
  std::string name;
  std::optional<nn::Moments> moments;
};

const std::vector<Forgetting> forgettings{{"kept", {}},
                                          {"all reset", nn::Moments{}},
                                          {"first moment", nn::Moments{.second = false}},
                                          {"second moment", nn::Moments{.first = false}},
                                          {"counters", nn::Moments::counters_only()}};

// ---------------------------------------------------------------------------------------------------------------------
// 1. Sequences of quadratics.

constexpr std::array<Index, 5> step_counts{20, 50, 100, 200, 500};

/// How the scales of successive losses are drawn.
struct Scales {
  std::string name;
  double decades;
};

const std::array<Scales, 2> scales{{{"scale jumps", 2}, {"one scale", 0}}};

std::string left_after(const Scales& scale, Index steps) { return fmt::format("{}, K = {}", scale.name, steps); }

/// The share of the loss a |w - c|^2 / 2 in 20 dimensions that Adam leaves after `steps` steps, mean of 100 such in a
/// row; c is normal, a = 10^u with u uniform in +- decades.
double loss_left(const std::optional<nn::Moments>& forget, Index steps, double decades, Rng rng) {
  const nn::Adam adam{.learning_rate = 0.02};
  nn::Adam::State<double> state;
  state.reset(20);
  Eigen::Vector<double, 20> w = Eigen::Vector<double, 20>::Zero(), c, gradient;
  double sum = 0;
  for (int problem = 0; problem < 100; ++problem) {
    for (double& x : c) x = rng.normal();
    const double a = std::pow(10, rng.uniform(-decades, decades)), before = (w - c).squaredNorm();
    if (forget) state.forget(*forget);
    for (Index k = 0; k < steps; ++k) {
      gradient = a * (w - c);
      adam.step(state, w, gradient);
    }
    sum += (w - c).squaredNorm() / before;
  }
  return sum / 100;
}

std::vector<Claim> quadratics(Study& study) {
  const std::string experiment = "quadratics";
  std::vector<Arm> arms;
  for (const Forgetting& forgetting : forgettings)
    arms.push_back({forgetting.name, [forget = forgetting.moments](Index seed) {
                      Figures figures;
                      for (const Scales& scale : scales)
                        for (const Index k : step_counts)
                          figures.push_back({left_after(scale, k), loss_left(forget, k, scale.decades,
                                                                             Rng(static_cast<std::uint64_t>(seed)))});
                      return figures;
                    }});
  const MeasuredArms runs(study, experiment,
                          "100 problems of 20 dimensions, Adam 0.02, 20 to 500 steps, scales 1 and 10^(+-2)",
                          study.seeds(experiment, 20, 100), arms);

  Rng rng(0, 1);
  const auto left = [&](std::size_t setting, const Scales& scale, Index k) {
    return runs(forgettings[setting].name, left_after(scale, k));
  };
  for (const Scales& scale : scales) {
    tools::Plot plot{.title = fmt::format("Adam on a sequence of quadratics: {}", scale.name),
                     .x_label = "steps on each",
                     .y_label = "share of the loss that is left",
                     .log_x = true,
                     .log_y = true};
    for (std::size_t i = 0; i < forgettings.size(); ++i) {
      plot.series.push_back({.label = forgettings[i].name});
      for (const Index k : step_counts)
        add_point(plot.series.back(), static_cast<double>(k), mean_of(left(i, scale, k), rng));
    }
    tools::save_plot(study.folder() / (scale.decades > 0 ? "jumps" : "one_scale"), plot);
  }

  // Orders of magnitude by which one setting leaves less than another, of the same problems.
  const auto gain = [&](std::size_t from, std::size_t to, const Scales& scale, Index k) {
    auto before = left(from, scale, k), after = left(to, scale, k);
    for (double& x : before) x = std::log10(x);
    for (double& x : after) x = std::log10(x);
    return difference_of(before, after, rng);
  };
  const auto [jumps, same] = std::pair(scales[0], scales[1]);
  const auto means = [&](const Scales& scale) {
    std::string text = fmt::format("{} sequences of 100; means", runs.seeds());
    for (const Index k : step_counts) {
      text += fmt::format("{} K = {}:", text.ends_with("means") ? "" : ";", k);
      for (std::size_t i = 0; i < forgettings.size(); ++i)
        text += fmt::format("{} {:.3g}", i == 0 ? "" : ",", statistics::Mean{}(left(i, scale, k)));
    }
    return text + " (kept, all reset, first, second, counters)";
  };
  bool always = true;
  for (const Index k : step_counts) always &= gain(0, 1, jumps, k).low > 0;
  const Estimate full = gain(0, 1, jumps, 200), cost = gain(1, 0, same, 200), first = gain(0, 2, jumps, 200),
                 second = gain(0, 3, jumps, 200), counters = gain(4, 1, jumps, 200);
  const std::string orders = "orders of magnitude less that are left after 200 steps: ";
  return {{.claim = "Where the scale of successive losses jumps, a reset of Adam leaves less of each",
           .paper = "argued: moments of the former loss contaminate",
           .measured = orders + "all reset than kept",
           .ours = full,
           .verdict = verdict(always),
           .note = means(jumps)},
          {.claim = "Where the scale stays, a reset costs: the former second moment was good",
           .paper = "none: ours",
           .measured = orders + "kept than all reset",
           .ours = cost,
           .verdict = above(cost, 0),
           .note = means(same)},
          {.claim = "A reset of the first moment alone does little where the scale jumps",
           .paper = "no effect, on Atari",
           .measured = orders + "first moment reset than kept",
           .ours = first,
           .verdict = verdict(first.high < 0.25 * full.low)},
          {.claim = "A reset of the second moment alone helps where the scale jumps",
           .paper = "a clear improvement, on Atari",
           .measured = orders + "second moment reset than kept",
           .ours = second,
           .verdict = above(second, 0),
           .note = "a first moment of a loss of greater scale is divided by a second moment of the new one"},
          {.claim = "Restarting the counters alone (Adam-Rel) is no substitute where the scale jumps",
           .paper = "none: ours; on Atari Ellis et al. (2024) found it the better of the two",
           .measured = orders + "all reset than counters restarted",
           .ours = counters,
           .verdict = above(counters, 0)}};
}

// ---------------------------------------------------------------------------------------------------------------------
// 2. CartPole: a calibration of the score, and what a change of the target does to momentum and gradient.

std::vector<Claim> cart_pole(Study& study) {
  const std::string experiment = "CartPole", kept = "kept", reset = "all reset";
  const value::PeriodicCopy copies{.every = pole_period};
  const value::TargetChangeDiagnosis diagnosis{.small = pole_optimizer().epsilon};
  const MeasuredArms runs(
      study, experiment, pole_identity, study.seeds(experiment, 10, 100),
      {{kept, [=](Index seed) { return balance_pole(seed, copies, diagnosis); }},
       {reset, [=](Index seed) { return balance_pole(seed, copies, diagnosis, value::ResetOptimizer{}); }}});

  Rng rng(0, 2);
  const auto mean = [&](const std::string& arm, const std::string& metric) { return mean_of(runs(arm, metric), rng); };
  tools::save_plot(study.folder() / "cart_pole", pole_plot(runs, runs.names(), rng));
  tools::Plot moves{.title = "Length of the first steps after a change of the target, CartPole-v1",
                    .x_label = "update after the change",
                    .y_label = "|change of parameters|",
                    .y_range = std::pair(0.0, 0.0)};
  for (const std::string& arm : runs.names()) {
    moves.series.push_back({.label = arm});
    for (std::size_t k = 0; k < value::TargetChangeDiagnosis::steps; ++k)
      add_point(moves.series.back(), static_cast<double>(k + 1), mean(arm, step_norm(k)));
  }
  for (const tools::Series& line : moves.series)
    for (const double x : line.high) moves.y_range->second = std::max(moves.y_range->second, 1.1 * x);
  tools::save_plot(study.folder() / "first_steps", moves);

  const Estimate gain = difference_of(runs(reset, "mean return"), runs(kept, "mean return"), rng);
  const Estimate including = mean(kept, cosine_including), after = mean(kept, cosine_after),
                 before = mean(kept, cosine_before);
  const Estimate drop = difference_of(runs(kept, cosine_before), runs(kept, cosine_after), rng),
                 longer = difference_of(runs(reset, step_norm(0)), runs(kept, step_norm(0)), rng);
  return {
      {.claim = "On CartPole resets at each change of the target make no difference to the return",
       .paper = "none: a calibration of ours; no evidence either way for harder tasks",
       .measured = "mean evaluation return over training, all reset less kept",
       .ours = gain,
       .verdict = within(gain, 0.1 * mean(kept, "mean return").value),
       .note = fmt::format("within 10 % counts as none; {} seeds; kept {:.1f}, all reset {:.1f}; last five evaluations "
                           "{:.1f} and {:.1f}",
                           runs.seeds(), mean(kept, "mean return"), mean(reset, "mean return"),
                           mean(kept, "late return"), mean(reset, "late return"))},
      {.claim = "Right before a change of the target the momentum points along the gradient",
       .paper = "a cosine of about 0.39, on Atari",
       .measured = "cosine of gradient and momentum, which has taken it in, in the last update before a change; kept",
       .ours = including,
       .verdict = above(including, 0.1),
       .note = "gradients that are nothing but noise give 0.436 here: sqrt(1 - beta1^2)"},
      {.claim = "Right after it, it does not",
       .paper = "a cosine of about 0, on Atari",
       .measured = "cosine of the first gradient after a change and the momentum that meets it; kept",
       .ours = after,
       .verdict = within(after, 0.1),
       .note = fmt::format("the gradient's norm is multiplied by {:.2f} there; a share of {:.2f} of its components is "
                           "below Adam's epsilon",
                           mean(kept, norm_ratio), mean(kept, small_share))},
      {.claim = "It is the change of the target that makes the cosine fall",
       .paper = "read so: the old momentum says nothing about the new loss",
       .measured = "fall of the cosine at a change, both of a momentum that has not taken the gradient in; kept",
       .ours = drop,
       .verdict = above(drop, 0.1),
       .note = fmt::format("before {:.3f}, after {:.3f}", before, after)},
      {.claim = "After a reset the first step is longer than where moments are kept",
       .paper = "none: ours; a first step of Adam has the learning rate's size wherever the gradient exceeds epsilon",
       .measured = "length of the first step after a change, all reset less kept",
       .ours = longer,
       .verdict = above(longer, 0),
       .note = fmt::format("{:.4f} and {:.4f}", mean(reset, step_norm(0)), mean(kept, step_norm(0)))}};
}

std::vector<Claim> reproduce(Study& study) {
  std::vector<Claim> claims = quadratics(study);
  std::ranges::move(cart_pole(study), std::back_inserter(claims));
  std::ranges::move(reset_on_minatar(study), std::back_inserter(claims));
  return claims;
}

}  // namespace

Paper optimizer_reset() {
  return {"optimizer_reset", "Resetting the Optimizer in Deep RL: An Empirical Study (Asadi, Fakoor & Sabach 2023)",
          reproduce};
}

}  // namespace mellow::suite

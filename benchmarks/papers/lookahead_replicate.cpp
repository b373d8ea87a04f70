// SPDX-License-Identifier: Apache-2.0
// Learning the Target Network in Function Space (Asadi et al. 2024): two states in closed form, DQN on CartPole, the
// simplified Rainbow on MinAtar. Criteria and figures: docs/papers/lookahead_replicate.md.
#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <mellow/value/lookahead_replicate.hpp>
#include <mellow/value/replicate.hpp>

#include "cart_pole_runs.hpp"
#include "minatar_claims.hpp"

namespace mellow::suite {
namespace {

using statistics::Estimate;
using value::LookaheadReplicate;
using value::LookaheadReplicateOptions;
using value::ParameterPair;

// ---------------------------------------------------------------------------------------------------------------------
// 1. Two states: where both sets of parameters end, and how fast.

constexpr Index iterations = 800;
const std::string shared = "shared features", other = "other features", copied = "copies";

/// The paper's process; online values by the same three features, or by two others.
LookaheadReplicate two_states(bool same) {
  if (same) return LookaheadReplicate(environments::redundant_features());
  return LookaheadReplicate(environments::redundant_features(), (Matrix<double>(2, 2) << 1, 2, 2, 1).finished());
}
ParameterPair begin(bool same) {
  if (same) return {Eigen::Vector3d(1.2, 2, 0.5), Eigen::Vector3d(0.1, 2, 0.5)};
  return {Eigen::Vector3d(1.2, 0, 0.3), Eigen::Vector2d(0.3, 0.6)};
}
/// K_L = 400, K_R = 1 and steps of 1 / L.
LookaheadReplicateOptions of_theory(const LookaheadReplicate& lr, Index replicate_steps = 1) {
  return {.replicate_steps = replicate_steps,
          .lookahead_rate = 1 / lr.lookahead_smoothness(),
          .replicate_rate = 1 / lr.replicate_smoothness()};
}

/// Iterations that are shown: each of the first ten, then every fifth to 100, and the last.
std::vector<Index> shown_iterations() {
  std::vector<Index> shown;
  for (Index t = 0; t <= 100; t += t < 10 ? 1 : 5) shown.push_back(t);
  shown.push_back(iterations);
  return shown;
}
std::string component(const char* of, Index number, Index t) { return fmt::format("{}{} at {:03}", of, number + 1, t); }

/// Values and parameters on the way.
Figures walk(bool same, bool copies) {
  const auto lr = two_states(same);
  const auto options = of_theory(lr);
  ParameterPair at = begin(same);
  const auto limit = lr.limit(at);
  Figures figures;
  const auto add = [&](const char* name, const Vector<double>& x, Index t) {
    for (Index i = 0; i < x.size(); ++i) figures.push_back({component(name, i, t), rounded(x[i])});
  };
  Index done = 0;
  for (const Index t : shown_iterations()) {
    for (; done < t; ++done) {
      lr.lookahead(at, options);
      if (copies) at.theta = at.w;
      else lr.replicate(at, options);
    }
    add("target value ", lr.target_values(at.theta), t);
    add("online value ", lr.online_values(at.w), t);
    add("theta ", at.theta, t);
    add("w ", at.w, t);
  }
  const double apart = same ? (at.theta - at.w).norm() : std::numeric_limits<double>::quiet_NaN();
  figures.push_back({"parameters apart", rounded(apart)});
  figures.push_back({"values apart", rounded((lr.target_values(at.theta) - lr.online_values(at.w)).norm())});
  figures.push_back({"values wrong", rounded((lr.online_values(at.w) - lr.values()).norm())});
  figures.push_back(
      {"from the closed form", rounded(std::max((at.theta - limit.theta).norm(), (at.w - limit.w).norm()))});
  return figures;
}

const std::array<Index, 5> replicate_steps{1, 2, 5, 10, 50};
std::string with_steps(Index steps) { return fmt::format("K_R = {}", steps); }
std::string error_at(Index t) { return fmt::format("error at {:03}", t); }

/// The error of the target's values on the way, beside what powers of the theory's map make of the first one until
/// rounding shows; the map's spectral radius.
Figures contract(Index steps) {
  const auto lr = two_states(true);
  const auto options = of_theory(lr, steps);
  const Matrix<double> map = lr.error_map(steps, options.replicate_rate);
  ParameterPair at = begin(true);
  const auto error = [&]() -> Vector<double> { return lr.target_values(at.theta) - lr.values(); };
  Vector<double> predicted = error();
  Figures figures;
  double apart = 0;
  for (Index t = 0; t <= 300; ++t) {
    const Vector<double> found = error();
    if (t % 5 == 0 || t < 10) figures.push_back({error_at(t), rounded(found.norm())});
    if (found.norm() > 1e-8) apart = std::max(apart, (found - predicted).norm() / predicted.norm());
    at = lr.run(at, 1, options);
    predicted = map * predicted;
  }
  figures.push_back({"from the prediction", rounded(apart)});
  figures.push_back({"spectral radius", rounded(value::spectral_radius(map))});
  return figures;
}

tools::Plot path_plot(const MeasuredArms& runs, const std::string& arm) {
  tools::Plot plot{.title = "Lookahead-Replicate on two states: " + arm, .x_label = "iteration", .y_label = "value"};
  for (const char* of : {"target value ", "online value "})
    for (const Index state : {0, 1}) {
      plot.series.push_back({.label = fmt::format("{}{}", of, state + 1)});
      for (const Index t : shown_iterations())
        if (t <= 100) {
          plot.series.back().x.push_back(static_cast<double>(t));
          plot.series.back().y.push_back(runs.of(arm, component(of, state, t)));
        }
    }
  return plot;
}

std::vector<Claim> closed_forms(Study& study) {
  const MeasuredArms runs(study, "two states", "800 iterations, K_L 400, K_R 1, steps of 1 / L", 1,
                          {{shared, [](Index) { return walk(true, false); }},
                           {other, [](Index) { return walk(false, false); }},
                           {copied, [](Index) { return walk(true, true); }}});
  tools::save_plot(study.folder() / "two_states", path_plot(runs, shared));
  tools::save_plot(study.folder() / "two_states_other", path_plot(runs, other));
  tools::Plot parameters{
      .title = "Two states: the way of the parameters", .x_label = "first parameter", .y_label = "second parameter"};
  for (const auto& [arm, of, label] :
       {std::tuple(shared, "theta ", "target"), {shared, "w ", "online"}, {copied, "theta ", "both, by copies"}}) {
    parameters.series.push_back({.label = label});
    for (const Index t : shown_iterations()) {
      parameters.series.back().x.push_back(runs.of(arm, component(of, 0, t)));
      parameters.series.back().y.push_back(runs.of(arm, component(of, 1, t)));
    }
  }
  tools::save_plot(study.folder() / "two_states_parameters", parameters);

  const auto last = [&](const std::string& arm, const char* of) {
    const Index size = arm == other && std::string(of) == "w " ? 2 : 3;
    std::string text;
    for (Index i = 0; i < size; ++i)
      text += fmt::format("{}{:.4f}", i == 0 ? "" : ", ", runs.of(arm, component(of, i, iterations)));
    return "(" + text + ")";
  };
  const auto ends = [&](const std::string& arm) {
    return fmt::format("theta = {}, w = {}", last(arm, "theta "), last(arm, "w "));
  };
  /// How far the parameters end from what the paper prints.
  const auto from_printed = [&](const std::string& arm, const std::vector<double>& theta,
                                const std::vector<double>& w) {
    double farthest = 0;
    for (std::size_t i = 0; i < theta.size(); ++i)
      farthest =
          std::max(farthest, std::abs(theta[i] - runs.of(arm, component("theta ", static_cast<Index>(i), iterations))));
    for (std::size_t i = 0; i < w.size(); ++i)
      farthest = std::max(farthest, std::abs(w[i] - runs.of(arm, component("w ", static_cast<Index>(i), iterations))));
    return farthest;
  };
  const double same = from_printed(shared, {0.663, 0.445, 0.445}, {-0.236, 0.745, 0.745}),
               different = from_printed(other, {1.264, 0.245, 0.245}, {2.0 / 3, 2.0 / 3}),
               closed = std::max(runs.of(shared, "from the closed form"), runs.of(other, "from the closed form")),
               apart = runs.of(shared, "parameters apart"), values = runs.of(shared, "values apart");
  return {{.claim = "On two states with three features the parameters end where the paper says",
           .paper = "theta = (0.663, 0.445, 0.445), w = (-0.236, 0.745, 0.745)",
           .measured = "largest difference of a parameter from that, after 800 iterations",
           .ours = certain(same),
           .verdict = verdict(same < 1e-3),
           .note = ends(shared)},
          {.claim = "The networks end as the same function with different parameters",
           .paper = "the set of such pairs is larger than that of equal parameters",
           .measured = "distance of theta and w in the end",
           .ours = certain(apart),
           .verdict = verdict(apart > 0.1 && values < 1e-8 && runs.of(shared, "values wrong") < 1e-8),
           .note = fmt::format("of their values {:.0e}; by copies of the parameters {:.0e}, {}", values,
                               runs.of(copied, "parameters apart"), ends(copied))},
          {.claim = "Target and online values may have different features, where a copy is impossible",
           .paper = "theta = (1.264, 0.245, 0.245), w = (2/3, 2/3)",
           .measured = "largest difference of a parameter from that",
           .ours = certain(different),
           .verdict = verdict(different < 1e-3 && runs.of(other, "values apart") < 1e-8),
           .note = ends(other)},
          {.claim = "Where they end does not depend on the step sizes: at the parameters nearest to the start that "
                    "have the values",
           .paper = "none: ours",
           .measured = "largest distance from x_0 + pinv(Phi) (v* - Phi x_0), both cases",
           .ours = certain(closed),
           .verdict = verdict(closed < 1e-8)}};
}

Claim rates(Study& study) {
  std::vector<Arm> arms;
  for (const Index steps : replicate_steps)
    arms.push_back({with_steps(steps), [steps](Index) { return contract(steps); }});
  const MeasuredArms runs(study, "rates", "300 iterations, K_L 400, steps of 1 / L", 1, arms);
  tools::Plot plot{.title = "Two states: error of the target's values",
                   .x_label = "iteration",
                   .y_label = "|v_theta - v*|",
                   .y_range = std::pair(1e-10, 10.0),
                   .log_y = true};
  double worst = 0;
  std::string text;
  for (const Index steps : replicate_steps) {
    const std::string arm = with_steps(steps);
    plot.series.push_back({.label = arm});
    for (Index t = 0; t <= 300; t += t < 10 ? 1 : 5)
      if (const double error = runs.of(arm, error_at(t)); error > 1e-10) {
        plot.series.back().x.push_back(static_cast<double>(t));
        plot.series.back().y.push_back(error);
      }
    worst = std::max(worst, runs.of(arm, "from the prediction"));
    text += fmt::format("{} {}: {:.4f}", text.empty() ? "" : ",", arm, runs.of(arm, "spectral radius"));
  }
  tools::save_plot(study.folder() / "rates", plot);
  return {
      .claim = "The error of the target's values shrinks geometrically, by the map A^K_R + (I - A^K_R) gamma P",
      .paper = "theorem 4.3: geometrically; the map is ours",
      .measured = "largest relative distance of the error from what powers of the map predict, K_R = 1, 2, 5, 10, 50",
      .ours = certain(worst),
      .verdict = verdict(worst < 1e-6),
      .note = "spectral radius" + text + "; without noise more Replicate steps are better, to gamma = 0.5"};
}

// ---------------------------------------------------------------------------------------------------------------------
// 2. Tables: the lemma on Lookahead.

/// A random table, parameters and number of steps: the distance to the best w after Lookahead, of what lemma A.3 allows.
Figures look_ahead(Index seed) {
  Rng rng(static_cast<std::uint64_t>(seed), 3);
  const Index n = 2 + rng.below(5);
  environments::LinearMrp table{.transitions = Matrix<double>(n, n),
                                .rewards = Vector<double>(n),
                                .discount = rng.uniform(),
                                .features = Matrix<double>::Identity(n, n),
                                .weights = Vector<double>(n)};
  for (double& p : table.transitions.reshaped()) p = -std::log(1 - rng.uniform());
  for (Index s = 0; s < n; ++s) table.transitions.row(s) /= table.transitions.row(s).sum();
  for (double& r : table.rewards) r = rng.normal();
  for (double& d : table.weights) d = rng.uniform(0.05, 1);
  table.weights /= table.weights.sum();
  const LookaheadReplicate lr(table);
  double share = 0;
  for (Index steps = 1; steps <= 10; ++steps) {
    const double convexity = 2 * table.weights.minCoeff(), smoothness = 2 * table.weights.maxCoeff();
    const Matrix<double> ahead = 2 * table.discount * table.weights.asDiagonal() * table.transitions;
    const double eta = value::spectral_norm(ahead) / convexity,
                 a = std::pow(std::max(0.0, 1 - convexity / smoothness), static_cast<double>(steps));
    const Vector<double> best = lr.values();
    ParameterPair at{Vector<double>(n), Vector<double>(n)};
    for (double& x : at.theta) x = rng.normal();
    for (double& x : at.w) x = rng.normal();
    const double allowed = a * (at.w - best).squaredNorm() + eta * eta * (1 - a) * (at.theta - best).squaredNorm();
    lr.lookahead(at, {.lookahead_steps = steps, .lookahead_rate = 1 / smoothness});
    share = std::max(share, (at.w - best).squaredNorm() / allowed);
  }
  return {{"share of the bound", rounded(share)}};
}

std::vector<Claim> theorem(Study& study) {
  const std::string experiment = "random tables", arm = "Lookahead";
  const MeasuredArms runs(study, experiment, "2 to 6 states, 1 to 10 steps of 1 / L",
                          study.seeds(experiment, 200, 2'000), {{arm, look_ahead}});
  const auto shares = runs(arm, "share of the bound");
  const auto kept = static_cast<Index>(std::ranges::count_if(shares, [](double x) { return x <= 1; }));
  return {{.claim = "Lookahead brings w nearer to its best value, by lemma A.3",
           .paper = "proved",
           .measured = fmt::format("share of {} random tables on which it does, for 1 to 10 steps", runs.seeds()),
           .ours = share(kept, runs.seeds()),
           .verdict = verdict(kept == runs.seeds()),
           .note = fmt::format("at most {:.3f} of the bound", *std::ranges::max_element(shares))},
          {.claim = "Theorem 4.3: with alpha = 1 / L and a suitable beta the pair converges linearly where F_w > "
                    "max(F_theta, 7 kappa^2, ..)",
           .paper = "proved",
           .measured = "no such instance exists where both networks share their parameterisation",
           .ours = certain(std::numeric_limits<double>::quiet_NaN()),
           .verdict = Verdict::NotTestable,
           .note = "H(theta*, w) <= kappa^2 |w - w*|^2, so F_w <= 2 kappa^2; linear convergence itself is the row on "
                   "the spectral radius"}};
}

// ---------------------------------------------------------------------------------------------------------------------
// 3. CartPole: a calibration.

std::string replicated(Index steps) { return fmt::format("{} steps", steps); }

std::vector<Claim> cart_pole(Study& study) {
  const auto replicate = [](Index steps, bool all = true) {
    return value::Replicate<>{.every = pole_period, .steps = steps, .all_actions = all, .optimizer = pole_optimizer()};
  };
  const auto narrow = value::TargetNetwork{nn::Mlp({4, 32, 32, 2})},
             wide = value::TargetNetwork{nn::Mlp({4, 128, 128, 2})};
  const std::vector<Index> counts{20, 100, 200, 400, 1'000};
  const Index equal = pole_period;
  const std::string copy = "copy", polyak = "Polyak 0.005", one = "200 steps, one action",
                    small = "200 steps, half width", large = "200 steps, double width";
  std::vector<Arm> arms{
      {copy, [=](Index seed) { return balance_pole(seed, value::PeriodicCopy{.every = pole_period}); }},
      {polyak, [=](Index seed) { return balance_pole(seed, value::Polyak{.tau = 0.005}); }}};
  for (const Index steps : counts)
    arms.push_back({replicated(steps), [=](Index seed) { return balance_pole(seed, replicate(steps)); }});
  arms.push_back({one, [=](Index seed) { return balance_pole(seed, replicate(equal, false)); }});
  arms.push_back({small, [=](Index seed) { return balance_pole(seed, replicate(equal), narrow); }});
  arms.push_back({large, [=](Index seed) { return balance_pole(seed, replicate(equal), wide); }});
  const std::string experiment = "CartPole";
  const MeasuredArms runs(study, experiment, pole_identity, study.seeds(experiment, 10, 40), arms);
  Rng rng(0, 4);
  tools::save_plot(study.folder() / "cart_pole",
                   pole_plot(runs, {copy, polyak, replicated(20), replicated(equal), replicated(1'000)}, rng));
  tools::Plot sweep{.title = "DQN on CartPole-v1: steps of the target in 200 updates",
                    .x_label = "steps K_R",
                    .y_label = "mean return over training",
                    .series = {{.label = "Lookahead-Replicate"}},
                    .log_x = true};
  for (const Index steps : counts)
    add_point(sweep.series[0], static_cast<double>(steps), mean_of(runs(replicated(steps), "mean return"), rng));
  sweep.reference = tools::ReferenceLine{statistics::Mean{}(runs(copy, "mean return")), "copy"};
  tools::save_plot(study.folder() / "cart_pole_sweep", sweep);

  const auto mean = [&](const std::string& arm, const std::string& metric) {
    return statistics::Mean{}(runs(arm, metric));
  };
  const auto earned = [&](const std::string& arm) { return mean(arm, "mean return"); };
  const auto more = [&](const std::string& a, const std::string& b) {
    return difference_of(runs(a, "mean return"), runs(b, "mean return"), rng);
  };
  const auto best_of = [&](const std::vector<Index>& some) {
    return replicated(*std::ranges::max_element(some, {}, [&](Index steps) { return earned(replicated(steps)); }));
  };
  const std::string best = best_of(counts), middling = best_of({100, 200, 400}), extreme = best_of({20, 1'000});
  const Estimate gain = more(best, copy), rise = more(replicated(equal), replicated(counts.front())),
                 inverted = more(middling, extreme), all = more(replicated(equal), one);
  const Estimate kept = std::ranges::min(std::array{more(small, replicated(equal)), more(large, replicated(equal))}, {},
                                         &Estimate::value);
  const Index n = runs.seeds();
  const auto apart = [&](const std::string& arm) {
    const auto distance = runs(arm, "network distance"), norm = runs(arm, "online norm"), gap = runs(arm, "value gap");
    return count_runs(gap.size(), [&](std::size_t i) { return distance[i] > 0.1 * norm[i] && gap[i] < 0.05; });
  };
  const auto smaller = [&](const std::string& arm) {
    const auto norm = runs(arm, "online norm"), target = runs(arm, "target norm"), of_copy = runs(copy, "online norm");
    return count_runs(norm.size(), [&](std::size_t i) { return norm[i] < of_copy[i] && target[i] < of_copy[i]; });
  };
  std::string apart_text, smaller_text;
  for (const Index steps : counts) {
    const std::string arm = replicated(steps), comma = steps == counts.front() ? "" : "; ";
    apart_text += fmt::format("{}{}: {}, parameters apart by {:.1f}, values by {:.2f} %", comma, arm, apart(arm),
                              mean(arm, "network distance"), 100 * mean(arm, "value gap"));
    smaller_text += fmt::format("{}{}: {}, {:.2f} of w and {:.2f} of theta", comma, arm, smaller(arm),
                                mean(arm, "online norm"), mean(arm, "target norm"));
  }
  return {
      {.claim = "With its best number of steps Lookahead-Replicate is not worse than copies on CartPole",
       .paper = "better than Rainbow on all but one of six Atari games",
       .measured = "mean evaluation return over training, the best less copies",
       .ours = gain,
       .verdict = above(gain, -0.05 * earned(copy)),
       .note = fmt::format("{}; {} seeds; {}", best, n, pole_means(runs, runs.names(), "mean return", rng))},
      {.claim = "Too few steps do not follow",
       .paper = "an inverted U over 20 to 1000 steps for 2000 updates, six Atari games",
       .measured = "mean return, 200 steps for 200 updates less 20",
       .ours = rise,
       .verdict = above(rise, 0),
       .note = "the tenth that serves on Atari is too few here, where values must grow to 100"},
      {.claim = "Neither the fewest nor the most steps are best",
       .paper = "the same",
       .measured = "mean return, the best of 100, 200 and 400 steps less the better of 20 and 1000",
       .ours = inverted,
       .verdict = above(inverted, 0),
       .note = fmt::format("{} and {}", middling, extreme)},
      {.claim = "Learning all actions is not worse than learning those taken",
       .paper = "better",
       .measured = "mean return, 200 steps, all less one",
       .ours = all,
       .verdict = above(all, -0.05 * earned(one)),
       .note = "of two actions little is to be gained"},
      {.claim = "Both networks become the same function by different parameters",
       .paper = "the norms of both differ",
       .measured =
           "share of seeds with parameters apart by more than 10 % of w's norm and values by less than 5 %, half a "
           "period after the last Replicate, with the best number of steps",
       .ours = share(apart(best), n),
       .verdict = verdict(5 * apart(best) >= 4 * n),
       .note = fmt::format("of {} seeds, means: {}", n, apart_text)},
      {.claim = "Both have a smaller norm than those of copies in at least 80 % of the seeds",
       .paper = "shown on six Atari games",
       .measured = "share of seeds in which both norms are smaller, with the best number of steps",
       .ours = share(smaller(best), n),
       .verdict = verdict(5 * smaller(best) >= 4 * n),
       .note = fmt::format("of {} seeds, mean norms: {}; copies {:.2f}", n, smaller_text, mean(copy, "online norm"))},
      {.claim = "A target network of half or double the width earns at least 80 % of the return",
       .paper = "named as future work",
       .measured = "mean return, less that of the same width; the lesser of both",
       .ours = kept,
       .verdict = above(kept, -0.2 * earned(replicated(equal))),
       .note = fmt::format("half {:.1f}, same {:.1f}, double {:.1f}", earned(small), earned(replicated(equal)),
                           earned(large))}};
}

std::vector<Claim> reproduce(Study& study) {
  std::vector<Claim> claims = closed_forms(study);
  claims.push_back(rates(study));
  std::ranges::move(theorem(study), std::back_inserter(claims));
  std::ranges::move(cart_pole(study), std::back_inserter(claims));
  std::ranges::move(replicate_on_minatar(study), std::back_inserter(claims));
  return claims;
}

}  // namespace

Paper lookahead_replicate() {
  return {"lookahead_replicate", "Learning the Target Network in Function Space (Asadi et al. 2024)", reproduce};
}

}  // namespace mellow::suite

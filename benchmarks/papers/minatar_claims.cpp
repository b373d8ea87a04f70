// SPDX-License-Identifier: Apache-2.0
#include "minatar_claims.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <string>

#include <mellow/statistics/improvement.hpp>
#include <mellow/statistics/profile.hpp>
#include <mellow/statistics/share.hpp>
#include <mellow/tools/atomic_file.hpp>

#include "minatar_runs.hpp"

namespace mellow::suite {
namespace {

using statistics::Estimate;

constexpr Index short_sweep_frames = 20'000, sweep_frames = 200'000, headline_frames = 300'000;

/// The frames of a sweep: those of the scale, or of earlier results; 0 where these have none.
Index frames_of_sweep(const Study& study) {
  if (!study.reads_only()) return study.scaled(short_sweep_frames, sweep_frames);
  for (const Index frames : {sweep_frames, short_sweep_frames})
    if (study.has(minatar_experiment(breakout, frames))) return frames;
  return 0;
}

/// How many seeds a game is played with.
Index seeds_of(const Study& study, const MinatarGame& game, Index frames, Index quick, Index full) {
  return study.seeds(minatar_experiment(game, frames), quick, full);
}

/// The sweep of a paper: arms on Breakout, of which the first is the agent as it is.
class Sweep {
 public:
  Sweep(Study& study, Index frames, const std::vector<MinatarArm>& arms)
      : runs_(run_minatar(study, "sweep on MinAtar's Breakout",
                          {{breakout, frames, seeds_of(study, breakout, frames, 3, 5), arms}})) {
    tools::Plot plot{.title = "MinAtar Breakout", .x_label = "frame", .y_label = "return of training episodes"};
    for (const MinatarRuns& runs : runs_) plot.series.push_back(runs.curve(runs.arm));
    for (tools::Series& line : plot.series) line.low.clear(), line.high.clear();  // bands of so many would hide lines
    tools::save_plot(study.folder() / "minatar_sweep", plot);
  }

  const MinatarRuns& operator[](const MinatarArm& arm) const { return runs_of(runs_, breakout, arm.name); }

  /// Of some arms, the one of the greatest mean area.
  const MinatarArm& best(const std::vector<MinatarArm>& arms) const {
    return *std::ranges::max_element(arms, {}, [&](const MinatarArm& arm) { return area(arm); });
  }
  double area(const MinatarArm& arm) const { return statistics::Mean{}((*this)[arm](minatar_area)); }

  /// Mean area and score of each arm, in words.
  std::string text() const {
    std::string text = fmt::format("{} seeds of {} frames; mean return over training, and in the last tenth:",
                                   runs_.front().seeds.size(), runs_.front().frames);
    for (const MinatarRuns& runs : runs_)
      text += fmt::format("{} {} {:.2f}, {:.2f}", &runs == &runs_.front() ? "" : ";", runs.arm,
                          statistics::Mean{}(runs(minatar_area)), statistics::Mean{}(runs(minatar_score)));
    return text;
  }

 private:
  std::vector<MinatarRuns> runs_;
};

/// How many seeds would settle what so many leave open, if the difference stays as it is; empty where it is settled.
std::string needed(const Estimate& difference, std::size_t seeds) {
  if (difference.low > 0 || difference.high < 0) return "";
  const double half = 0.5 * (difference.high - difference.low), ratio = half / std::abs(difference.value);
  return fmt::format("; if it stays, some {:.0f} seeds would settle it",
                     std::ceil(static_cast<double>(seeds) * ratio * ratio));
}

/// By how much the normalised mean return over training of one arm exceeds that of another, seed by seed.
Estimate gain(const MinatarRuns& of, const MinatarRuns& over, Rng& rng) {
  return difference_of(of.normalized(), over.normalized(), rng);
}

constexpr auto gain_measured = "difference of the mean return over training, of the published DQN's";

statistics::Scores scores_of(const std::vector<MinatarRuns>& all, const std::string& arm, Index seeds) {
  Matrix<double> scores(seeds, 3);
  Index game = 0;
  for (const MinatarRuns& runs : all)
    if (runs.arm == arm) {
      const auto values = runs.normalized();
      for (Index seed = 0; seed < seeds; ++seed) scores(seed, game) = values[static_cast<std::size_t>(seed)];
      ++game;
    }
  return scores;
}

/// The best setting of a sweep against the agent as it is, on three games.
std::vector<Claim> headline(Study& study, const MinatarArm& arm, const std::string& name, const std::string& paper) {
  constexpr Index frames = headline_frames;
  if (study.reads_only() ? !study.has(minatar_experiment(asterix, frames)) : !study.full()) return {};
  const MinatarArm copy = minatar_copy();
  const std::vector<MinatarArm> arms{copy, arm};
  const auto runs = run_minatar(study, name + " on three games of MinAtar",
                                {{breakout, frames, seeds_of(study, breakout, frames, 10, 10), arms},
                                 {asterix, frames, seeds_of(study, asterix, frames, 5, 5), arms},
                                 {space_invaders, frames, seeds_of(study, space_invaders, frames, 5, 5), arms}});
  const Index common = seeds_of(study, asterix, frames, 5, 5);
  std::string table = "| game | seeds | " + copy.name + " | " + arm.name + " |\n|---|---|---|---|\n";
  Rng rng(0, 12);
  for (const MinatarGame& game : {breakout, asterix, space_invaders}) {
    const auto &without = runs_of(runs, game, copy.name), &with = runs_of(runs, game, arm.name);
    tools::save_plot(study.folder() / ("minatar_" + game.name),
                     tools::Plot{.title = "MinAtar " + game.name,
                                 .x_label = "frame",
                                 .y_label = "return of training episodes",
                                 .series = {without.curve(copy.name), with.curve(arm.name)}});
    table += fmt::format("| {} | {} | {:.2f} | {:.2f} |\n", game.name, with.seeds.size(),
                         mean_of(without(minatar_score), rng), mean_of(with(minatar_score), rng));
  }
  tools::write_file_atomically(study.folder() / "minatar.md", table);
  const std::array scores{scores_of(runs, copy.name, common), scores_of(runs, arm.name, common)};
  tools::Plot profiles{.title = "Mean return over training, three games of MinAtar",
                       .x_label = "normalised return",
                       .y_label = "share of runs above"};
  for (std::size_t i = 0; i < 2; ++i) {
    const auto profile = statistics::performance_profile(scores[i], statistics::even_thresholds(scores), rng);
    profiles.series.push_back({arms[i].name, profile.tau, profile.share, profile.low, profile.high});
  }
  tools::save_plot(study.folder() / "minatar_profiles", profiles);
  const Estimate difference = statistics::bootstrap_difference(scores[1], scores[0], statistics::Iqm{}, rng);
  const Estimate improvement = statistics::probability_of_improvement(scores[1], scores[0], rng);
  return {{.claim = fmt::format("{} learns faster than the agent as it is, over three games", name),
           .paper = paper,
           .measured = fmt::format("difference of the interquartile means of the normalised return over training, {} "
                                   "seeds of {} frames a game",
                                   common, frames),
           .ours = difference,
           .verdict = verdict(difference.low > 0),
           .note = fmt::format("{}; probability of improvement {:.2f}; on Breakout, {} seeds, {:.3f}{}", arm.name,
                               improvement, runs_of(runs, breakout, arm.name).seeds.size(),
                               gain(runs_of(runs, breakout, arm.name), runs_of(runs, breakout, copy.name), rng),
                               needed(difference, static_cast<std::size_t>(common)))}};
}

void add(std::vector<Claim>& claims, std::vector<Claim> more) { std::ranges::move(more, std::back_inserter(claims)); }

}  // namespace

std::vector<Claim> proximal_on_minatar(Study& study) {
  const Index frames = frames_of_sweep(study);
  if (frames == 0) return {};
  const MinatarArm copy = minatar_copy(), near = minatar_pro(0.025), far = minatar_pro(0.1),
                   noisy = with_noise(copy, 1), noisy_near = with_noise(near, 1);
  const Sweep sweep(study, frames, {copy, near, far, noisy, noisy_near});
  const std::vector<MinatarArm> pulls{near, far};
  const MinatarArm& best = sweep.best(pulls);
  Rng rng(0, 13);
  const auto difference = gain(sweep[best], sweep[copy], rng);
  const auto n = std::ssize(sweep[copy].seeds);
  const Index slower = std::min(count_below(sweep[near](target_movement), sweep[copy](target_movement)),
                                count_below(sweep[far](target_movement), sweep[copy](target_movement)));
  const auto movement = [&](const MinatarArm& arm) { return statistics::Mean{}(sweep[arm](target_movement)); };
  // What noise takes away, of both; positive where the pull saves some of it.
  const auto lost = [&](const MinatarArm& with, const MinatarArm& without) {
    auto drop = sweep[without].normalized();
    const auto after = sweep[with].normalized();
    for (std::size_t i = 0; i < drop.size(); ++i) drop[i] -= after[i];
    return drop;
  };
  const auto saved = difference_of(lost(noisy, copy), lost(noisy_near, near), rng);
  std::vector<Claim> claims{
      {.claim = "With the best pull the agent is not worse on Breakout than without",
       .paper = "Rainbow Pro better on 37 of 55 Atari games, worse on 16",
       .measured = gain_measured,
       .ours = difference,
       .verdict = verdict(difference.low > -0.05),
       .note = best.name + " is the better; " + sweep.text() + needed(difference, static_cast<std::size_t>(n))},
      {.claim = "The pull makes the target move less in at least 80 % of the seeds",
       .paper = "shown on four games",
       .measured = "share of seeds in which |theta_{t+1} - theta_t|, the mean of the second half of training, is "
                   "smaller; the lesser of both pulls'",
       .ours = share(slower, n),
       .verdict = verdict(5 * slower >= 4 * n),
       .note = fmt::format("means: {:.3f} for c = 0.025, {:.3f} for c = 0.1, {:.3f} without", movement(near),
                           movement(far), movement(copy))},
      {.claim = "The stronger the pull, the less the target moves",
       .paper = "none: ours",
       .measured = "share of seeds in which it moves less for c = 0.025 than for c = 0.1",
       .ours = share(count_below(sweep[near](target_movement), sweep[far](target_movement)), n),
       .verdict = verdict(movement(near) < movement(far) && movement(far) < movement(copy))},
      {.claim = "Noise of targets costs the agent less with a pull than without",
       .paper = "argued: the pull averages noise away",
       .measured = "fall of the normalised return by noise of deviation 1, without a pull less with c = 0.025",
       .ours = saved,
       .verdict = verdict(saved.low > 0),
       .note = fmt::format("an agent that earns less has less to lose{}", needed(saved, static_cast<std::size_t>(n)))}};
  add(claims, headline(study, best, "Rainbow Pro", "about 40 % more than Rainbow over 55 Atari games"));
  return claims;
}

std::vector<Claim> replicate_on_minatar(Study& study) {
  const Index frames = frames_of_sweep(study);
  if (frames == 0) return {};
  const MinatarArm copy = minatar_copy(), polyak = minatar_polyak(0.005), few = minatar_replicate(25),
                   some = minatar_replicate(125), many = minatar_replicate(500), one = minatar_replicate(125, false);
  const Sweep sweep(study, frames, {copy, polyak, few, some, many, one});
  const MinatarArm& best = sweep.best({few, some, many});
  Rng rng(0, 14);
  const auto n = std::ssize(sweep[copy].seeds);
  const auto difference = gain(sweep[best], sweep[copy], rng), all_actions = gain(sweep[some], sweep[one], rng);
  const auto inverted = std::min(gain(sweep[some], sweep[few], rng).value, gain(sweep[some], sweep[many], rng).value);
  // Far apart as parameters, near as functions.
  const auto distance = sweep[best](network_distance), norm = sweep[best](online_norm), gap = sweep[best](function_gap);
  Index apart = 0, smaller = 0;
  for (std::size_t i = 0; i < distance.size(); ++i) {
    apart += distance[i] > 0.1 * norm[i] && gap[i] < 0.05;
    smaller += norm[i] < sweep[copy](online_norm)[i] && sweep[best](target_norm)[i] < sweep[copy](target_norm)[i];
  }
  const auto mean = [](const std::vector<double>& values) { return statistics::Mean{}(values); };
  std::vector<Claim> claims{
      {.claim = "With its best number of steps Lookahead-Replicate is not worse on Breakout than copies",
       .paper = "better than Rainbow on all but one of six Atari games",
       .measured = gain_measured,
       .ours = difference,
       .verdict = verdict(difference.low > -0.05),
       .note = best.name + " is the best; " + sweep.text() + needed(difference, static_cast<std::size_t>(n))},
      {.claim = "Learning all actions is not worse than learning those taken",
       .paper = "better",
       .measured = std::string(gain_measured) + ", 125 steps",
       .ours = all_actions,
       .verdict = verdict(all_actions.value >= 0),
       .note = "the criterion is the mean" + needed(all_actions, static_cast<std::size_t>(n))},
      {.claim = "A middling number of steps is best: too few do not follow, too many follow each noise",
       .paper = "an inverted U over 20 to 1000 steps, six Atari games",
       .measured = "normalised return of 125 steps less that of the better of 25 and 500",
       .ours = certain(inverted),
       .verdict = verdict(inverted > 0),
       .note = "a difference of means over seeds"},
      {.claim = "Both networks become the same function by different parameters",
       .paper = "the norms of both differ",
       .measured = "share of seeds with |theta - w| > 0.1 |w| and a mean KL(p_w, p_theta) below 0.05 in the end",
       .ours = share(apart, n),
       .verdict = verdict(5 * apart >= 4 * n),
       .note = fmt::format("means: |theta - w| {:.2f}, |w| {:.2f}, KL {:.4f}", mean(distance), mean(norm), mean(gap))},
      {.claim = "Both networks have a smaller norm than those of copies in at least 80 % of the seeds",
       .paper = "shown on six Atari games",
       .measured = "share of seeds in which |w| and |theta| are",
       .ours = share(smaller, n),
       .verdict = verdict(5 * smaller >= 4 * n),
       .note = fmt::format("means: |w| {:.2f}, |theta| {:.2f}; of copies {:.2f}", mean(norm),
                           mean(sweep[best](target_norm)), mean(sweep[copy](online_norm)))}};
  add(claims, headline(study, best, "Lookahead-Replicate", "a higher human-normalised median over 55 Atari games"));
  return claims;
}

std::vector<Claim> reset_on_minatar(Study& study) {
  const Index frames = frames_of_sweep(study);
  if (frames == 0) return {};
  const nn::Moments all{}, first{.second = false}, second{.first = false};
  const std::vector<MinatarArm> kept{minatar_copy(250), minatar_copy(62), minatar_copy(1000)},
      reset{minatar_reset(250, all, "all"), minatar_reset(62, all, "all"), minatar_reset(1000, all, "all")};
  const MinatarArm of_first = minatar_reset(250, first, "first moment"),
                   of_second = minatar_reset(250, second, "second moment");
  std::vector<MinatarArm> arms = kept;
  arms.insert(arms.end(), reset.begin(), reset.end());
  arms.insert(arms.end(), {of_first, of_second});
  const Sweep sweep(study, frames, arms);
  const MinatarArm &best = sweep.best(reset), &copy = kept.front();
  Rng rng(0, 15);
  const auto seeds = sweep[copy].seeds.size();
  const auto over_best = gain(sweep[best], sweep[sweep.best(kept)], rng),
             over_default = gain(sweep[best], sweep[copy], rng), by_first = gain(sweep[of_first], sweep[copy], rng),
             by_second = gain(sweep[of_second], sweep[copy], rng);
  const auto mean = [&](const std::string& metric) { return mean_of(sweep[copy](metric), rng); };
  const auto including = mean(cosine_including), before = mean(cosine_before), after = mean(cosine_after);
  std::vector<Claim> claims{
      {.claim = "With the best period of each, resets earn more on Breakout than none",
       .paper = "better in aggregate over the Atari games, with a period of 1000 against 8000 frames",
       .measured = gain_measured,
       .ours = over_best,
       .verdict = verdict(over_best.low > 0),
       .note = fmt::format("{} and {} are the best; over the usual period {:.3f}; {}{}", best.name,
                           sweep.best(kept).name, over_default, sweep.text(), needed(over_best, seeds))},
      {.claim = "A reset of the first moment alone changes nothing",
       .paper = "no effect",
       .measured = std::string(gain_measured) + ", period 250",
       .ours = by_first,
       .verdict = verdict(by_first.low <= 0 && by_first.high >= 0)},
      {.claim = "A reset of the second moment alone improves",
       .paper = "a clear improvement",
       .measured = std::string(gain_measured) + ", period 250",
       .ours = by_second,
       .verdict = verdict(by_second.low > 0),
       .note = "counters are reset with their moment" + needed(by_second, seeds)},
      {.claim = "At a change of the target the momentum loses its direction",
       .paper = "the cosine of momentum and gradient falls from about 0.39 to about 0",
       .measured = "cosine of the gradient and the momentum that has taken it in, last update before a change",
       .ours = including,
       .verdict = verdict(including.low > 0.1 && std::abs(after.value) < 0.5 * including.value),
       .note =
           fmt::format("after the change {:.3f}; but with the gradient that it has not yet taken in the momentum has "
                       "{:.3f} before as well: gradients that are nothing but noise give 0.436",
                       after, before)}};
  add(claims, headline(study, best, "The agent with resets", "better in aggregate over the Atari games"));
  return claims;
}

}  // namespace mellow::suite

// SPDX-License-Identifier: Apache-2.0
#include "minatar_claims.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <mellow/statistics/improvement.hpp>
#include <mellow/statistics/profile.hpp>
#include <mellow/statistics/share.hpp>
#include <mellow/tools/atomic_file.hpp>

#include "minatar_runs.hpp"

namespace mellow::suite {
namespace {

using statistics::Estimate;

constexpr Index short_sweep_frames = 20'000, sweep_frames = 200'000, headline_frames = 300'000, million = 1'000'000;
constexpr std::uint64_t fresh_seeds = 1'000;  // of the headline: those of the sweep chose its arms

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

/// Arms on Breakout, of which the first is the agent as it is.
class Sweep {
 public:
  Sweep(Study& study, Index frames, const std::vector<MinatarArm>& arms)
      : runs_(run_minatar(study, "sweep on MinAtar's Breakout",
                          {{breakout, frames, seeds_of(study, breakout, frames, 3, 5), arms}})) {}

  const MinatarRuns& operator[](const MinatarArm& arm) const { return runs_of(runs_, breakout, arm.name); }

  /// Of some arms, the one of the greatest mean area.
  MinatarArm best(const std::vector<MinatarArm>& arms) const {
    return *std::ranges::max_element(arms, {}, [&](const MinatarArm& arm) { return mean(arm, minatar_area); });
  }
  double mean(const MinatarArm& arm, const std::string& metric) const {
    return statistics::Mean{}((*this)[arm](metric));
  }

  void plot(const Study& study) const {
    tools::Plot plot{.title = "MinAtar Breakout, training episodes", .x_label = "frame", .y_label = "return"};
    for (const MinatarRuns& runs : runs_) plot.series.push_back(runs.curve(runs.arm));
    for (tools::Series& line : plot.series) line.low.clear(), line.high.clear();  // bands of so many would hide lines
    tools::save_plot(study.folder() / "minatar_sweep", plot);
  }

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
  if (difference.low > 0 || difference.high < 0 || difference.value == 0) return "";
  const double half = 0.5 * (difference.high - difference.low), ratio = half / std::abs(difference.value);
  return fmt::format("; if it stays, some {:.0f} seeds would settle it",
                     std::ceil(static_cast<double>(seeds) * ratio * ratio));
}

/// By how much a normalised figure of one arm exceeds that of another, seed by seed.
Estimate gain(const MinatarRuns& of, const MinatarRuns& over, const std::string& metric, Rng& rng) {
  return difference_of(of.normalized(metric), over.normalized(metric), rng);
}

/// What of a normalised figure counts as little: 5 % of the mean.
double little(const MinatarRuns& of, const std::string& metric) {
  return 0.05 * statistics::Mean{}(of.normalized(metric));
}

constexpr auto in_units = "; a random player is 0, the published DQN after 5 million frames 1";

// ---------------------------------------------------------------------------------------------------------------------
// The best arms of sweeps on three games.

/// Whether the runs of the headline are there or are to be made.
bool has_headline(const Study& study) {
  return study.reads_only() ? study.has(minatar_experiment(asterix, headline_frames)) : study.full();
}

/// Arms on three games, of which the first is the agent as it is.
class Headline {
 public:
  Headline(Study& study, const std::vector<MinatarArm>& arms)
      : runs_(run_minatar(
            study, "three games of MinAtar",
            {plan(study, breakout, 10, arms), plan(study, asterix, 5, arms), plan(study, space_invaders, 5, arms)})) {
    for (const MinatarArm& arm : arms) names_.push_back(arm.name);
    for (const MinatarGame& game : games) {
      const auto seeds = std::ssize((*this)(game, names_.front()).seeds);
      common_ = common_ == 0 ? seeds : std::min<Index>(common_, seeds);
    }
  }

  const MinatarRuns& operator()(const MinatarGame& game, const std::string& arm) const {
    return runs_of(runs_, game, arm);
  }

  /// Of an arm: seeds that all games have, by games.
  statistics::Scores scores(const std::string& arm, const std::string& metric = minatar_area) const {
    Matrix<double> scores(common_, std::ssize(games));
    for (Index game = 0; game < scores.cols(); ++game) {
      const auto values = (*this)(games[static_cast<std::size_t>(game)], arm).normalized(metric);
      for (Index seed = 0; seed < common_; ++seed) scores(seed, game) = values[static_cast<std::size_t>(seed)];
    }
    return scores;
  }
  Index common() const { return common_; }  ///< seeds that all games have

  /// Curves, profiles, and a table in Markdown.
  void show(const Study& study) const {
    Rng rng(0, 12);
    std::string table = "| | " + fmt::format("{}", fmt::join(names_, " | ")) + " |\n|---|";
    for (std::size_t i = 0; i < names_.size(); ++i) table += "---|";
    const auto row = [&](const std::string& name, const auto& cell) {
      table += "\n| " + name + " |";
      for (const std::string& arm : names_) table += fmt::format(" {:.2f} |", cell(arm));
    };
    for (const MinatarGame& game : games) {
      tools::Plot plot{
          .title = "MinAtar " + game.name + ", training episodes", .x_label = "frame", .y_label = "return"};
      for (const std::string& arm : names_) plot.series.push_back((*this)(game, arm).curve(arm));
      tools::save_plot(study.folder() / ("minatar_" + game.name), plot);
      for (const auto& [metric, what] : {std::pair(minatar_score, "last tenth"), std::pair(minatar_area, "training")})
        row(fmt::format("{}, {} seeds: return, {}", game.name, (*this)(game, names_.front()).seeds.size(), what),
            [&](const std::string& arm) { return mean_of((*this)(game, arm)(metric), rng); });
    }
    for (const auto& [metric, what] : {std::pair(minatar_score, "last tenth"), std::pair(minatar_area, "training")})
      row(fmt::format("normalised, {} seeds a game: IQM, {}", common_, what),
          [&](const std::string& arm) { return statistics::bootstrap(scores(arm, metric), statistics::Iqm{}, rng); });
    row("probability of improvement over the first, training", [&](const std::string& arm) {
      return statistics::probability_of_improvement(scores(arm), scores(names_.front()), rng);
    });
    tools::write_file_atomically(study.folder() / "minatar.md", table + "\n");

    std::vector<statistics::Scores> all;
    for (const std::string& arm : names_) all.push_back(scores(arm));
    tools::Plot profiles{.title = "Mean return over training, three games of MinAtar",
                         .x_label = "normalised return",
                         .y_label = "share of runs above"};
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto profile = statistics::performance_profile(all[i], statistics::even_thresholds(all), rng);
      profiles.series.push_back({names_[i], profile.tau, profile.share, profile.low, profile.high});
    }
    tools::save_plot(study.folder() / "minatar_profiles", profiles);
  }

 private:
  static inline const std::array games{breakout, asterix, space_invaders};

  static MinatarPlan plan(const Study& study, const MinatarGame& game, Index seeds,
                          const std::vector<MinatarArm>& arms) {
    return {game, headline_frames, seeds_of(study, game, headline_frames, seeds, seeds), arms, fresh_seeds};
  }

  std::vector<MinatarRuns> runs_;
  std::vector<std::string> names_;
  Index common_ = 0;
};

/// The best setting of a sweep against the agent as it is.
std::vector<Claim> headline(Study& study, const MinatarArm& arm, const std::string& name, const std::string& paper) {
  if (!has_headline(study)) return {};
  const MinatarArm copy = minatar_copy();
  const Headline runs(study, {copy, arm});
  runs.show(study);
  Rng rng(0, 16);
  const auto of = runs.scores(arm.name), over = runs.scores(copy.name);
  const Estimate difference = statistics::paired_difference(of, over, statistics::Mean{}, rng);
  const auto iqm = [&](const statistics::Scores& scores) {
    return statistics::bootstrap(scores, statistics::Iqm{}, rng);
  };
  const auto &with = runs(breakout, arm.name), &without = runs(breakout, copy.name);
  return {
      {.claim = fmt::format("{} learns faster than the agent as it is, over three games", name),
       .paper = paper,
       .measured = fmt::format("normalised return over training, mean of {} seeds of {} frames a game, seed by seed",
                               runs.common(), headline_frames),
       .ours = difference,
       .verdict = above(difference, 0),
       .note = fmt::format("{}; IQM {:.3f}, without {:.3f}; probability of improvement {:.2f}; Breakout alone, {} "
                           "seeds, {:.3f}{}",
                           arm.name, iqm(of), iqm(over), statistics::probability_of_improvement(of, over, rng),
                           with.seeds.size(), gain(with, without, minatar_area, rng),
                           needed(difference, static_cast<std::size_t>(runs.common())))}};
}

/// What a pull does to the published DQN, which makes more updates of a game than the sweeps do of any: one a frame.
std::vector<Claim> pull_over_a_million_updates(Study& study) {
  const auto experiment = minatar_experiment(breakout, million);
  if (study.reads_only() ? !study.has(experiment) : !study.full()) return {};
  const Index seeds = study.seeds(experiment, 5, 5);
  const MinatarRuns without = run_published_dqn(study, breakout, million, seeds),
                    with = run_published_dqn(study, breakout, million, seeds, true);
  tools::save_plot(study.folder() / "minatar_million",
                   tools::Plot{.title = "MinAtar Breakout, the published DQN",
                               .x_label = "frame",
                               .y_label = "return",
                               .series = {without.curve("as it is"), with.curve("with the rule's pull")}});
  Rng rng(0, 17);
  const auto score = [&](const MinatarRuns& runs) { return mean_of(runs(minatar_score), rng); };
  const auto late = difference_of(with(minatar_score), without(minatar_score), rng),
             over_training = difference_of(with(minatar_area), without(minatar_area), rng);
  return {
      {.claim = "After a million updates the published DQN earns more on Breakout with the pull of the authors' rule",
       .paper = "DQN Pro better on some 41 of 55 Atari games, worse on 13",
       .measured = "difference of returns in the last tenth of a million frames",
       .ours = late,
       .verdict = above(late, 0),
       .note = fmt::format("{} seeds; with {:.2f}, without {:.2f}; over training {:.2f}{}", seeds, score(with),
                           score(without), over_training, needed(late, with.seeds.size()))}};
}

// ---------------------------------------------------------------------------------------------------------------------
// What is swept.

std::vector<MinatarArm> pulls() { return {minatar_pro(0.025), minatar_pro(0.1)}; }
std::vector<MinatarArm> replicates() { return {minatar_replicate(25), minatar_replicate(125), minatar_replicate(500)}; }
std::vector<MinatarArm> resets() {
  return {minatar_reset(250, {}, "all"), minatar_reset(62, {}, "all"), minatar_reset(1000, {}, "all")};
}

void add(std::vector<Claim>& claims, std::vector<Claim> more) { std::ranges::move(more, std::back_inserter(claims)); }

}  // namespace

std::vector<Claim> proximal_on_minatar(Study& study) {
  const Index frames = frames_of_sweep(study);
  if (frames == 0) return {};
  const auto all = pulls();
  const MinatarArm copy = minatar_copy(), &near = all[0], &far = all[1], noisy = with_noise(copy, 1),
                   noisy_near = with_noise(near, 1);
  const Sweep sweep(study, frames, {copy, near, far, noisy, noisy_near});
  sweep.plot(study);
  const MinatarArm best = sweep.best(all);
  Rng rng(0, 13);
  const auto difference = gain(sweep[best], sweep[copy], minatar_score, rng);
  const auto seeds = sweep[copy].seeds.size();
  const auto n = static_cast<Index>(seeds);
  const Index slower = std::min(count_below(sweep[near](target_movement), sweep[copy](target_movement)),
                                count_below(sweep[far](target_movement), sweep[copy](target_movement)));
  const auto movement = [&](const MinatarArm& arm) { return sweep.mean(arm, target_movement); };
  // What noise takes away, of both; positive where the pull saves some of it.
  const auto lost = [&](const MinatarArm& with, const MinatarArm& without) {
    return less(sweep[without].normalized(minatar_area), sweep[with].normalized(minatar_area));
  };
  const auto saved = difference_of(lost(noisy, copy), lost(noisy_near, near), rng);
  std::vector<Claim> claims{
      {.claim = "With the best pull the agent is not worse on Breakout than without",
       .paper = "Rainbow Pro better on 37 of 55 Atari games, worse on 16",
       .measured = "difference of normalised returns in the last tenth",
       .ours = difference,
       .verdict = above(difference, -little(sweep[copy], minatar_score)),
       .note = best.name + " is the better; " + sweep.text() + in_units},
      {.claim = "The pull makes the target move less in at least 80 % of the seeds",
       .paper = "shown on four games",
       .measured = "share of seeds in which the mean distance of successive targets, second half of training, is "
                   "smaller; the lesser of both pulls'",
       .ours = share(slower, n),
       .verdict = verdict(5 * slower >= 4 * n),
       .note = fmt::format("means: {:.3f} for c = 0.025, {:.3f} for c = 0.1, {:.3f} without", movement(near),
                           movement(far), movement(copy))},
      {.claim = "The stronger the pull, the less the target moves",
       .paper = "none: ours",
       .measured = "share of seeds in which it moves less for c = 0.025 than for c = 0.1",
       .ours = share(count_below(sweep[near](target_movement), sweep[far](target_movement)), n),
       .verdict = verdict(movement(near) < movement(far) && movement(far) < movement(copy)),
       .note = "the criterion is the order of the means"},
      {.claim = "Noise of targets costs the agent less with a pull than without",
       .paper = "argued: the pull averages noise away",
       .measured = "fall of the normalised return over training by noise of deviation 1, without a pull less with "
                   "c = 0.025",
       .ours = saved,
       .verdict = above(saved, 0),
       .note = fmt::format("an agent that earns less has less to lose{}", needed(saved, seeds))}};
  add(claims, headline(study, best, "Rainbow Pro", "about 40 % more than Rainbow over 55 Atari games"));
  add(claims, pull_over_a_million_updates(study));
  return claims;
}

std::vector<Claim> replicate_on_minatar(Study& study) {
  const Index frames = frames_of_sweep(study);
  if (frames == 0) return {};
  const auto all = replicates();
  const MinatarArm copy = minatar_copy(), polyak = minatar_polyak(0.005), &few = all[0], &some = all[1], &many = all[2],
                   one = minatar_replicate(125, false), small = minatar_replicate_to(8, 125),
                   large = minatar_replicate_to(32, 125);
  const Sweep sweep(study, frames, {copy, polyak, few, some, many, one, small, large});
  sweep.plot(study);
  const MinatarArm best = sweep.best(all);
  Rng rng(0, 14);
  const auto seeds = sweep[copy].seeds.size();
  const auto n = static_cast<Index>(seeds);
  const auto more = [&](const MinatarArm& of, const MinatarArm& over) {
    return gain(sweep[of], sweep[over], minatar_area, rng);
  };
  const auto difference = more(best, copy), all_actions = more(some, one),
             inverted = more(some, sweep.best({few, many}));
  const auto kept = std::ranges::min(std::array{more(small, some), more(large, some)}, {}, &Estimate::value);
  // Far apart as parameters, near as functions.
  const auto apart = [&](const MinatarArm& arm) {
    const auto distance = sweep[arm](network_distance), norm = sweep[arm](online_norm), gap = sweep[arm](function_gap);
    return count_runs(seeds, [&](std::size_t i) { return distance[i] > 0.1 * norm[i] && gap[i] < 0.05; });
  };
  const auto smaller = [&](const MinatarArm& arm) {
    const auto of_copy = sweep[copy](online_norm);
    return std::min(count_below(sweep[arm](online_norm), of_copy), count_below(sweep[arm](target_norm), of_copy));
  };
  std::string apart_text, smaller_text;
  for (const MinatarArm& arm : all) {
    apart_text += fmt::format(
        "{}{}: {} of {}, means: apart by {:.2f}, norm of w {:.2f}, KL {:.4f}", apart_text.empty() ? "" : "; ", arm.name,
        apart(arm), n, sweep.mean(arm, network_distance), sweep.mean(arm, online_norm), sweep.mean(arm, function_gap));
    smaller_text +=
        fmt::format("{}{}: {} of {}, mean norms {:.2f} of w and {:.2f} of theta", smaller_text.empty() ? "" : "; ",
                    arm.name, smaller(arm), n, sweep.mean(arm, online_norm), sweep.mean(arm, target_norm));
  }
  std::vector<Claim> claims{
      {.claim = "With its best number of steps Lookahead-Replicate is not worse on Breakout than copies",
       .paper = "better than Rainbow on all but one of six Atari games",
       .measured = "difference of normalised returns over training",
       .ours = difference,
       .verdict = above(difference, -little(sweep[copy], minatar_area)),
       .note = best.name + " is the best; " + sweep.text() + in_units},
      {.claim = "Learning all actions is not worse than learning those taken",
       .paper = "better",
       .measured = "difference of normalised returns over training, 125 steps",
       .ours = all_actions,
       .verdict = above(all_actions, -little(sweep[some], minatar_area)),
       .note = "within 5 % counts" + needed(all_actions, seeds)},
      {.claim = "A middling number of steps is best: too few do not follow, too many follow each noise",
       .paper = "an inverted U over 20 to 1000 steps, six Atari games",
       .measured = "normalised return over training of 125 steps less that of the better of 25 and 500",
       .ours = inverted,
       .verdict = above(inverted, 0),
       .note = sweep.best({few, many}).name + " is the better" + needed(inverted, seeds)},
      {.claim = "Both networks become the same function by different parameters",
       .paper = "the norms of both differ",
       .measured =
           "share of seeds in which theta and w are apart by more than 10 % of w's norm, and KL(p_w, p_theta) is "
           "below 0.05 in the mean, half a period after the last Replicate, with the best number of steps",
       .ours = share(apart(best), n),
       .verdict = verdict(5 * apart(best) >= 4 * n),
       .note = apart_text},
      {.claim = "Both networks have a smaller norm than those of copies in at least 80 % of the seeds",
       .paper = "shown on six Atari games",
       .measured = "share of seeds in which the norms of w and theta are, the lesser, with the best number of steps",
       .ours = share(smaller(best), n),
       .verdict = verdict(5 * smaller(best) >= 4 * n),
       .note = fmt::format("{}; copies {:.2f}", smaller_text, sweep.mean(copy, online_norm))},
      {.claim = "A target network of half or double the filters earns at least 80 % of the return",
       .paper = "named as future work",
       .measured = "normalised return over training, 125 steps, less that of the same size; the lesser of both",
       .ours = kept,
       .verdict = above(kept, -4 * little(sweep[some], minatar_area))}};
  add(claims, headline(study, best, "Lookahead-Replicate", "a higher human-normalised median over 55 Atari games"));
  return claims;
}

std::vector<Claim> reset_on_minatar(Study& study) {
  const Index frames = frames_of_sweep(study);
  if (frames == 0) return {};
  const std::vector<MinatarArm> kept{minatar_copy(250), minatar_copy(62), minatar_copy(1000)}, reset = resets();
  const MinatarArm of_first = minatar_reset(250, {.second = false}, "first moment"),
                   of_second = minatar_reset(250, {.first = false}, "second moment");
  std::vector<MinatarArm> arms = kept;
  arms.insert(arms.end(), reset.begin(), reset.end());
  arms.insert(arms.end(), {of_first, of_second});
  const Sweep sweep(study, frames, arms);
  sweep.plot(study);
  const MinatarArm best = sweep.best(reset), best_kept = sweep.best(kept), &copy = kept.front(), &all = reset.front();
  Rng rng(0, 15);
  const auto seeds = sweep[copy].seeds.size();
  const auto more = [&](const MinatarArm& of, const MinatarArm& over) {
    return gain(sweep[of], sweep[over], minatar_area, rng);
  };
  const auto over_best = more(best, best_kept), over_default = more(best, copy), by_first = more(of_first, copy),
             by_second = more(of_second, copy);
  const auto mean = [&](const MinatarArm& arm, const std::string& metric) { return mean_of(sweep[arm](metric), rng); };
  const auto including = mean(copy, cosine_including), after = mean(copy, cosine_after);
  const auto drop = difference_of(sweep[copy](cosine_before), sweep[copy](cosine_after), rng);
  std::vector<Claim> claims{
      {.claim = "With the best period of each, resets earn more on Breakout than none",
       .paper = "better in aggregate over the Atari games, with a period of 1000 against 8000 frames",
       .measured = "difference of normalised returns over training",
       .ours = over_best,
       .verdict = above(over_best, 0),
       .note = fmt::format("{} and {} are the best; over the usual period {:.3f}; {}{}{}", best.name, best_kept.name,
                           over_default, sweep.text(), needed(over_best, seeds), in_units)},
      {.claim = "A reset of the first moment alone changes nothing",
       .paper = "no effect",
       .measured = "difference of normalised returns over training, period 250",
       .ours = by_first,
       .verdict = within(by_first, 2 * little(sweep[copy], minatar_area)),
       .note = "within 10 % of what the agent earns without counts as nothing"},
      {.claim = "A reset of the second moment alone improves",
       .paper = "a clear improvement",
       .measured = "difference of normalised returns over training, period 250",
       .ours = by_second,
       .verdict = above(by_second, 0),
       .note = "counters are reset with their moment" + needed(by_second, seeds)},
      {.claim = "The cosine of momentum and gradient falls at a change of the target",
       .paper = "from about 0.39 to about 0",
       .measured = "cosine of the gradient and the momentum that has taken it in, last update before a change",
       .ours = including,
       .verdict = verdict(including.low > 0.1 && std::abs(after.value) < 0.5 * including.value),
       .note = fmt::format(
           "after the change {:.3f}; gradients that are nothing but noise give 0.436 before and 0 after", after)},
      {.claim = "It is the change of the target that makes it fall",
       .paper = "read so: the old momentum says nothing about the new loss",
       .measured = "fall of the cosine at a change, both of a momentum that has not taken the gradient in",
       .ours = drop,
       .verdict = above(drop, 0.1),
       .note =
           fmt::format("the gradient's norm is multiplied by {:.2f}; a share of {:.2f} of its components is below "
                       "Adam's epsilon; the first step after a change is {:.4f} long, the tenth {:.4f}; with resets "
                       "{:.4f} and {:.4f}",
                       mean(copy, norm_ratio), mean(copy, small_share), mean(copy, step_norm(0)),
                       mean(copy, step_norm(9)), mean(all, step_norm(0)), mean(all, step_norm(9)))}};
  add(claims, headline(study, best, "The agent with resets", "better in aggregate over the Atari games"));
  return claims;
}

void compare_on_minatar(Study& study) {
  if (!has_headline(study)) return;
  std::vector<MinatarArm> swept{minatar_copy()};
  for (const auto& arms : {pulls(), replicates(), resets()}) swept.insert(swept.end(), arms.begin(), arms.end());
  const Sweep sweep(study, sweep_frames, swept);
  Headline(study, {minatar_copy(), sweep.best(pulls()), sweep.best(replicates()), sweep.best(resets())}).show(study);
}

}  // namespace mellow::suite

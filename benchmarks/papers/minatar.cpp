// SPDX-License-Identifier: Apache-2.0
// MinAtar (Young & Tian 2019): whether the published DQN learns here as its authors say. Criteria and figures:
// docs/papers/minatar.md.
#include <vector>

#include <mellow/statistics/aggregates.hpp>

#include "minatar_runs.hpp"

namespace mellow::suite {
namespace {

/// Mean return that the authors' curve shows at these frames, as read off their plot, and how exactly.
struct Published {
  MinatarGame game;
  Index frames;
  double mean, reading;
};

Claim learns_as_published(Study& study, const Published& published) {
  const Index frames = study.reads_only() ? published.frames : study.scaled(published.frames / 20, published.frames);
  const Index seeds =
      study.seeds(minatar_experiment(published.game, frames), 2, published.game.name == "Breakout" ? 5 : 3);
  const MinatarRuns runs = run_published_dqn(study, published.game, frames, seeds);
  tools::Plot plot{.title = "The published DQN in " + published.game.name,
                   .x_label = "frames",
                   .y_label = "return of training episodes",
                   .series = {runs.curve("ours")}};
  plot.series.push_back({.label = "published", .x = {static_cast<double>(published.frames)}, .y = {published.mean}});
  if (frames == published.frames) tools::save_plot(study.folder() / runs.game.name, plot);
  Rng rng(0, 11);
  const auto mean = mean_of(runs(minatar_return(minatar_parts - 1)), rng);
  return {.claim = fmt::format("DQN with the published settings reaches the published return in {}", runs.game.name),
          .paper = fmt::format("about {} at {} frames, 30 seeds", published.mean, published.frames),
          .measured = fmt::format("mean return of the last twentieth of {} frames", frames),
          .ours = mean,
          .verdict = frames < published.frames ? Verdict::NotTestable
                                               : verdict(mean.low <= published.mean + published.reading &&
                                                         mean.high >= published.mean - published.reading),
          .note = fmt::format("{} seeds; the plot is read to {} or so", runs.seeds.size(), published.reading)};
}

}  // namespace

Paper minatar() {
  return {
      .name = "minatar",
      .title = "MinAtar: An Atari-Inspired Testbed (Young & Tian 2019)",
      .reproduce = [](Study& study) {
        std::vector<Claim> claims;
        for (const Published& published : {Published{breakout, 1'000'000, 9, 1}, Published{asterix, 1'000'000, 7, 1},
                                           Published{space_invaders, 1'000'000, 33, 3}})
          claims.push_back(learns_as_published(study, published));
        return claims;
      }};
}

}  // namespace mellow::suite

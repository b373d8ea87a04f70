// SPDX-License-Identifier: Apache-2.0
// MinAtar (Young & Tian 2019): whether the published DQN learns here as its authors say. Criteria and figures:
// docs/papers/minatar.md.
#include <algorithm>
#include <vector>

#include <mellow/statistics/aggregates.hpp>

#include "minatar_claims.hpp"
#include "minatar_runs.hpp"

namespace mellow::suite {
namespace {

/// Mean return that the authors' curve shows at these frames, as read off their plot, and how exactly.
struct Published {
  MinatarGame game;
  Index frames;
  double mean, reading;
};

MinatarRuns runs_for(Study& study, const Published& published) {
  const Index frames = study.reads_only() ? published.frames : study.scaled(published.frames / 20, published.frames);
  const Index seeds =
      study.seeds(minatar_experiment(published.game, frames), 2, published.game.name == space_invaders.name ? 3 : 5);
  return run_published_dqn(study, published.game, frames, seeds);
}

void plot(const Study& study, const MinatarRuns& runs, const Published& published) {
  tools::Plot plot{.title = "The published DQN in " + published.game.name,
                   .x_label = "frames",
                   .y_label = "return",
                   .series = {runs.curve("ours")}};
  if (runs.frames == published.frames)
    plot.series.push_back({.label = "published, as read off its plot",
                           .x = {static_cast<double>(published.frames)},
                           .y = {published.mean},
                           .low = {published.mean - published.reading},
                           .high = {published.mean + published.reading}});
  tools::save_plot(study.folder() / published.game.name, plot);
}

Claim reaches_the_published_return(const MinatarRuns& runs, const Published& published) {
  Rng rng(0, 11);
  const auto mean = mean_of(runs(minatar_return(minatar_parts - 1)), rng);
  return {.claim = fmt::format("DQN with the published settings reaches the published return in {}", runs.game.name),
          .paper = fmt::format("about {} at {} frames, 30 seeds", published.mean, published.frames),
          .measured = fmt::format("mean return of the last twentieth of {} frames", runs.frames),
          .ours = mean,
          .verdict = runs.frames < published.frames
                         ? Verdict::NotTestable
                         : between(mean, published.mean - published.reading, published.mean + published.reading),
          .note = fmt::format("{} seeds; the plot is read to {} or so", runs.seeds.size(), published.reading)};
}

/// A floor below which something would be wrong.
Claim beats_random(const MinatarRuns& runs) {
  constexpr Index at = 200'000;
  const Index part = std::min(at * minatar_parts / runs.frames, minatar_parts) - 1;
  Rng rng(0, 12);
  const auto mean = mean_of(runs(minatar_return(part)), rng);
  return {
      .claim = fmt::format("After {} frames it earns four times what a random player does in {}", at, runs.game.name),
      .paper = "none: ours",
      .measured =
          fmt::format("mean return of the twentieth that ends with frame {}", (part + 1) * runs.frames / minatar_parts),
      .ours = mean,
      .verdict = runs.frames < at ? Verdict::NotTestable : above(mean, 4 * runs.game.random),
      .note = fmt::format("a random player earns {}", runs.game.random)};
}

}  // namespace

Paper minatar() {
  return {
      .name = "minatar",
      .title = "MinAtar: An Atari-Inspired Testbed (Young & Tian 2019)",
      .reproduce = [](Study& study) {
        std::vector<Claim> claims;
        for (const Published& published : {Published{breakout, 1'000'000, 9, 1}, Published{asterix, 1'000'000, 7, 1},
                                           Published{space_invaders, 1'000'000, 33, 3}}) {
          const MinatarRuns runs = runs_for(study, published);
          plot(study, runs, published);
          claims.push_back(reaches_the_published_return(runs, published));
          if (published.game.name == breakout.name) claims.push_back(beats_random(runs));
        }
        compare_on_minatar(study);
        return claims;
      }};
}

}  // namespace mellow::suite

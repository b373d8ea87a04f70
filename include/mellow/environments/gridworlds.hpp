// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/environments/grid.hpp>
#include <mellow/environments/tabular_mdp.hpp>

namespace mellow::environments {

/// The numbers of a gridworld.
struct GridworldOptions {
  double slip = 0.0;             ///< probability that a move goes to one of its two sides instead, half each; in [0, 1]
  double step_reward = 0.0;      ///< of each move that leads to no marked cell
  double goal_reward = 1.0;      ///< of entering G, which ends the episode
  double hole_reward = 0.0;      ///< of entering H, which ends the episode
  double cliff_reward = -100.0;  ///< of entering C, which leads back to the first start
};

/// A gridworld from a map of characters: S start (several: one at random), G goal, H hole, C cliff, # wall,
/// and F or a full stop for free cells. Moves are left, down, right, up; a move against a wall or the border stays
/// where it is. States are the cells that are not walls, row by row.
///
/// Throws Error for an unknown character, a map without a start, or options out of range.
inline TabularMdp gridworld(const Grid& grid, const GridworldOptions& options = {}) {
  require(options.slip >= 0 && options.slip <= 1, "gridworld", "slip must lie in [0, 1]", options.slip);
  for (Index s = 0; s < grid.states(); ++s)
    if (std::string_view("SGHCF.").find(grid.at(s)) == std::string_view::npos)
      throw Error("gridworld", "a map's characters are S, G, H, C, F, . and #", grid.at(s));
  const std::vector<Index> starts = grid.find('S');
  require(!starts.empty(), "gridworld", "a map needs a start S", starts.size());
  Vector<double> start = Vector<double>::Zero(grid.states());
  for (const Index s : starts) start[s] = 1.0 / static_cast<double>(starts.size());

  const auto move = [&](Index s, Move direction, double probability) -> Outcome {
    const Index next = grid.neighbor(s, direction);
    switch (grid.at(next)) {
      case 'G':
        return {probability, next, options.goal_reward, true};
      case 'H':
        return {probability, next, options.hole_reward, true};
      case 'C':
        return {probability, starts.front(), options.cliff_reward, false};
      default:
        return {probability, next, options.step_reward, false};
    }
  };
  const auto outcomes = [&](Index s, Index a) -> std::vector<Outcome> {
    if (grid.at(s) == 'G' || grid.at(s) == 'H') return {{1.0, s, 0.0, true}};
    return Grid::slipping(a, options.slip,
                          [&](Move direction, double probability) { return move(s, direction, probability); });
  };
  return TabularMdp(grid.states(), Grid::moves, outcomes, start);
}

/// @{
/// Gymnasium's maps of FrozenLake-v1 (the default) and FrozenLake8x8-v1.
inline Grid frozen_lake_4x4() { return Grid("SFFF\nFHFH\nFFFH\nHFFG"); }
inline Grid frozen_lake_8x8() {
  return Grid("SFFFFFFF\nFFFFFFFF\nFFFHFFFF\nFFFFFHFF\nFFFHFFFF\nFHHFFFHF\nFHFFHFHF\nFFFHFFFG");
}
/// @}

/// Gymnasium's FrozenLake: reward 1 at the goal; on slippery ice each move goes to either side as often as ahead.
/// Gymnasium cuts episodes after 100 steps (8x8: 200) and counts a return of 0.7 (0.85) as solved.
inline TabularMdp frozen_lake(const Grid& map = frozen_lake_4x4(), bool slippery = true) {
  return gridworld(map, {.slip = slippery ? 2.0 / 3.0 : 0.0});
}

/// The map of the cliff walk (Sutton & Barto 2018, example 6.6).
inline Grid cliff_walking_map() { return Grid("............\n............\n............\nSCCCCCCCCCCG"); }

/// The cliff walk, Gymnasium's CliffWalking-v1 but for the order of the moves: -1 a step, -100 and back to the start
/// over the cliff. The best return is -13, along the cliff's edge; the way that is safe for an explorer takes 17 steps.
inline TabularMdp cliff_walking() { return gridworld(cliff_walking_map(), {.step_reward = -1.0, .goal_reward = -1.0}); }

}  // namespace mellow::environments

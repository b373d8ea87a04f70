// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/environments/grid.hpp>
#include <mellow/environments/tabular_mdp.hpp>

namespace mellow::environments {

/// The numbers of the taxi.
struct PassengerTaxiOptions {
  double slip = 0.0;  ///< probability that a move goes to one of its two sides instead, half each; in [0, 1]
};

/// The maze of `passenger_taxi`: S start, F a passenger, D the destination.
inline Grid passenger_taxi_map() { return Grid("S#F.#.D\n.#..#..\n.......\n##...##\n......F\nF.....#"); }

/// The multi-passenger taxi (Dearden, Friedman & Russell 1998; Asadi & Littman 2017, section 7.2): a hard exploration
/// problem. Entering a passenger's cell picks them up for good; entering D ends the episode with reward 0, 1, 3 or 15
/// for 0 to 3 passengers. All else is worth 0.
///
/// State: cell + 33 x (bit i set: passenger i, row by row, is aboard); moves as in `gridworld`. 264 states. Throws
/// Error for a slip out of range.
inline TabularMdp passenger_taxi(const PassengerTaxiOptions& options = {}) {
  require(options.slip >= 0 && options.slip <= 1, "passenger_taxi", "slip must lie in [0, 1]", options.slip);
  static constexpr std::array<double, 8> rewards{0, 1, 1, 3, 1, 3, 3, 15};  // by who is aboard
  const Grid grid = passenger_taxi_map();
  const std::vector<Index> passengers = grid.find('F');
  const Index cells = grid.states(), parties = static_cast<Index>(rewards.size());
  const auto move = [&](Index state, Move direction, double probability) -> Outcome {
    const Index next = grid.neighbor(state % cells, direction);
    Index aboard = state / cells;
    for (std::size_t i = 0; i < passengers.size(); ++i)
      if (next == passengers[i]) aboard |= Index{1} << i;
    const bool arrived = grid.at(next) == 'D';
    return {probability, aboard * cells + next, arrived ? rewards[static_cast<std::size_t>(aboard)] : 0.0, arrived};
  };
  const auto outcomes = [&](Index s, Index a) -> std::vector<Outcome> {
    if (grid.at(s % cells) == 'D') return {{1.0, s, 0.0, true}};
    return Grid::slipping(a, options.slip,
                          [&](Move direction, double probability) { return move(s, direction, probability); });
  };
  return TabularMdp(cells * parties, Grid::moves, outcomes,
                    Vector<double>::Unit(cells * parties, grid.find('S').front()));
}

}  // namespace mellow::environments

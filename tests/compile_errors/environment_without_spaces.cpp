// SPDX-License-Identifier: Apache-2.0
// expect: this environment lacks observation_space() const or action_space() const
#include <mellow/environments/check.hpp>
#include <mellow/environments/time_limit.hpp>

using namespace mellow;

struct Corridor {
  void reset(Rng&) {}
  Step step(Index, Rng&) { return {}; }
  void observe(Index& place) const { place = 0; }
};

void run() { environments::check(environments::TimeLimit(Corridor{}, 100)); }

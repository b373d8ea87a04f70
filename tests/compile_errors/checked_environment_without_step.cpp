// SPDX-License-Identifier: Apache-2.0
// expect: this environment lacks step(action, mellow::Rng&)
#include <mellow/environments/check.hpp>

using namespace mellow;

struct Corridor {
  Discrete observation_space() const { return Discrete(5); }
  Discrete action_space() const { return Discrete(2); }
  void reset(Rng&) {}
  void observe(Index& place) const { place = 0; }
};

void run() { environments::check(Corridor{}); }

// SPDX-License-Identifier: Apache-2.0
// expect: this environment lacks observe(out) const
#include <mellow/training/evaluate.hpp>

using namespace mellow;

struct Corridor {
  Discrete observation_space() const { return Discrete(5); }
  Discrete action_space() const { return Discrete(2); }
  void reset(Rng&) {}
  Step step(Index, Rng&) { return {}; }
  Index observe() const { return 0; }
};

struct Right {
  Index greedy(Index) { return 1; }
};

void run() {
  Right agent;
  training::evaluate(agent, Corridor{}, 1, Rng(0));
}

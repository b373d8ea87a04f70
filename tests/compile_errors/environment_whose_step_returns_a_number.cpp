// SPDX-License-Identifier: Apache-2.0
// expect: this environment lacks step(action, mellow::Rng&)
#include <mellow/nn/mlp.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/dqn.hpp>

using namespace mellow;

struct Corridor {
  Box observation_space() const { return Box(1, 0, 4); }
  Discrete action_space() const { return Discrete(2); }
  void reset(Rng&) {}
  double step(Index, Rng&) { return 1.0; }
  void observe(VectorRef<float> place) const { place[0] = 0; }
};

void run() {
  value::Dqn agent(nn::Mlp({1, 8, 2}));
  training::train(agent, Corridor{}, {});
}

// SPDX-License-Identifier: Apache-2.0
// expect: this environment lacks step(action, mellow::Rng&)
#include <mellow/environments/vectorized.hpp>

using namespace mellow;

struct Corridor {
  Box observation_space() const { return Box(1, 0, 4); }
  Discrete action_space() const { return Discrete(2); }
  void reset(Rng&) {}
  void observe(VectorRef<float> place) const { place[0] = 0; }
};

void run() {
  environments::Vectorized environments(environments::TimeLimit(Corridor{}, 100), 16);
  Rng rng;
  environments.reset(rng);
  environments.step(Vector<Index>::Ones(16));
}

// SPDX-License-Identifier: Apache-2.0
// expect: this environment masks actions, but this agent lacks act(observation, rng, mask)
#include <optional>

#include <mellow/training/run.hpp>

using namespace mellow;

struct Corridor {
  Box observation_space() const { return Box(1, 0, 4); }
  Discrete action_space() const { return Discrete(2); }
  void reset(Rng&) {}
  Step step(Index, Rng&) { return {}; }
  void observe(VectorRef<float> place) const { place[0] = 0; }
  void action_mask(std::span<bool> allowed) const { allowed[0] = allowed[1] = true; }
};

struct Found {
  std::array<Metric, 0> metrics() const { return {}; }
};

struct Agent {
  Index act(const Vector<float>&, Rng&) { return 0; }
  Index greedy(const Vector<float>&) { return 0; }
  std::optional<Found> observe(const Transition<>&, Rng&) { return {}; }
  void require_fits(const Box&, const Discrete&) const {}
};

void run() {
  Agent agent;
  training::train(agent, Corridor{}, {});
}

// SPDX-License-Identifier: Apache-2.0
// expect: mellow: this agent lacks greedy(observation) returning an action of this environment
#include <optional>

#include <mellow/environments/cart_pole.hpp>
#include <mellow/training/run.hpp>

struct Update {
  std::array<mellow::Metric, 0> metrics() const { return {}; }
};

struct Agent {
  mellow::Index act(const mellow::ConstVectorRef<float>&, mellow::Rng&) { return 0; }
  std::optional<Update> observe(const mellow::Transition<>&, mellow::Rng&) { return {}; }
  void require_fits(const mellow::Box&, const mellow::Discrete&) const {}
};

int main() {
  Agent agent;
  mellow::training::train(agent, mellow::environments::CartPole{}, {});
}

// SPDX-License-Identifier: Apache-2.0
// A DQN update (sample a batch, target and online forward pass, Huber loss, backward pass, Adam), whole and by its
// parts.
#include <limits>
#include <map>

#include "agents.hpp"
#include "shapes.hpp"

namespace {

using namespace mellow;
using speed::Agent;

/// A copy of the agent trained at a shape; it is trained once.
Agent trained_agent(const speed::Shape& shape) {
  static std::map<std::string, Agent> trained;
  auto found = trained.find(shape.name);
  if (found == trained.end()) found = trained.emplace(shape.name, speed::train(shape)).first;
  return found->second;
}

/// Times `part(agent, rng)`.
template <class Part>
void add(const std::string& name, const speed::Shape& shape, double flop, Part part) {
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
    Rng rng;
    Agent agent = trained_agent(shape);
    agent.learn(rng);  // so that the tapes see the copy's own batch
    for (auto _ : state) {
      part(agent, rng);
      benchmark::ClobberMemory();
    }
    speed::report_rate(state, "updates/s", 1);
    if (flop > 0) speed::report_rate(state, "flop/s", flop);
  });
}

void add_all(const speed::Shape& shape) {
  const std::string name = "dqn_update_" + shape.name;
  add(name, shape, speed::flop(shape), [](Agent& agent, Rng& rng) { agent.learn(rng); });
  add(name + "/replay", shape, 0, [](Agent& agent, Rng& rng) {
    auto& l = agent.learner();
    l.replay.sample(l.replay_state, l.batch, rng);
  });
  add(name + "/forward", shape, 0, [](Agent& agent, Rng&) {
    auto& l = agent.learner();
    l.target_network.forward(l.target, l.batch.next_observations, l.target_tape);
    l.network.forward(l.online, l.batch.observations, l.tape);
  });
  add(name + "/loss", shape, 0, [q = Matrix<>::Random(shape.widths.back(), shape.batch).eval()](Agent& agent, Rng&) {
    auto& l = agent.learner();
    l.head.targets<float>(l.head_state, operators::Max{}, l.batch, q, q);
    benchmark::DoNotOptimize(l.head.evaluate<float>(l.head_state, l.batch, q, l.d_outputs));
  });
  add(name + "/backward", shape, 0, [](Agent& agent, Rng&) {
    auto& l = agent.learner();
    l.gradient.setZero();
    l.network.backward(l.online, l.tape, l.d_outputs, l.gradient);
  });
  add(name + "/optimizer", shape, 0, [](Agent& agent, Rng&) {
    auto& l = agent.learner();
    nn::clip_norm<float>(l.gradient, std::numeric_limits<float>::infinity());
    l.optimizer.step(l.optimizer_state, l.online, l.gradient);
  });
}

}  // namespace

int main(int argc, char** argv) {
  for (const auto& shape : speed::shapes) add_all(shape);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}

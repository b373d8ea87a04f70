// SPDX-License-Identifier: Apache-2.0
// A DQN update (sample a batch, target and online forward pass, Huber loss, backward pass, Adam), whole and by its
// parts.
#include <limits>
#include <mellow/nn/mlp.hpp>
#include <mellow/value/dqn.hpp>

#include "shapes.hpp"

namespace {

using namespace mellow;
using Agent = value::Dqn<nn::Mlp<>>;

/// An agent with 10 000 random transitions to learn from.
Agent make_agent(const speed::Shape& shape, Rng& rng) {
  constexpr Index transitions = 10'000;
  Agent agent(nn::Mlp<>(shape.widths), {.batch_size = shape.batch,
                                        .learning_starts = transitions + 1,
                                        .max_gradient_norm = std::numeric_limits<double>::infinity()});
  const Box space(shape.widths.front(), -1, 1);
  Vector<> next = space.sample(rng);
  for (Index i = 0; i < transitions; ++i) {
    const Vector<> observation = next;
    next = space.sample(rng);
    agent.observe({.observation = observation,
                   .action = rng.below(shape.widths.back()),
                   .reward = rng.uniform(),
                   .next_observation = next,
                   .terminated = rng.uniform() < 0.05},
                  rng);
  }
  agent.learn(rng);
  return agent;
}

/// Times `part(agent, rng)`.
template <class Part>
void add(const std::string& name, const speed::Shape& shape, double flop, Part part) {
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
    Rng rng;
    Agent agent = make_agent(shape, rng);
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

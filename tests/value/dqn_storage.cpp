// SPDX-License-Identifier: Apache-2.0
#include <mellow/data/uniform_replay.hpp>
#include <mellow/environments/minatar/breakout.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/value/dqn.hpp>

#include "support/catch.hpp"

using namespace mellow;

namespace {

/// The weights after 500 steps of MinAtar's Breakout, an update a step.
template <class Replay>
Vector<float> learned(const Replay& replay) {
  using environments::minatar::Breakout;
  Breakout game({.minimal_actions = true});
  value::Dqn agent(nn::Mlp{{Breakout::features, 16, 3}}, {.batch_size = 8, .learning_starts = 20}, replay);
  Rng rng(1);
  Vector<float> observation(Breakout::features), next(Breakout::features);
  game.reset(rng);
  for (int i = 0; i < 500; ++i) {
    game.observe(observation);
    const Index action = agent.act(observation, rng);
    const Step step = game.step(action, rng);
    game.observe(next);
    agent.observe({observation, action, step.reward, next, step.terminated, step.truncated}, rng);
    if (step.terminated) game.reset(rng);
  }
  CHECK(agent.learner().counters.updates > 400);
  return agent.parameters();
}

}  // namespace

TEST_CASE("DQN learns the same of zeros and ones from a replay in bits, bytes and floats") {
  const Vector<float> theta = learned(data::UniformReplay{.capacity = 300});
  CHECK(learned(data::BitReplay{.capacity = 300}) == theta);
  CHECK(learned(data::UInt8Replay{.capacity = 300}) == theta);
}

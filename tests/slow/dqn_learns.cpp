// SPDX-License-Identifier: Apache-2.0
#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/dqn.hpp>

#include "support/catch.hpp"

using namespace mellow;

// Over 40 seeds the best weights always reached 500.0; a random policy reaches 22.
TEST_CASE("DQN as it stands learns CartPole-v1", "[slow]") {
  const environments::TimeLimit environment(environments::CartPole{}, 500);
  value::Dqn agent(nn::Mlp{{4, 64, 64, 2}}, {.seed = 1});
  const auto run = training::train(agent, environment, {.steps = 50'000, .seed = 1});
  agent.set_parameters(run.best_parameters);
  CHECK(training::mean(training::evaluate(agent, environment, 100, Rng(1, training::streams::test))) >= 400);
}

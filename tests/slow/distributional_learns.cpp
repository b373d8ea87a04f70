// SPDX-License-Identifier: Apache-2.0
#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/nn/dueling.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/nn/noisy.hpp>
#include <mellow/nn/sequential.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/categorical_head.hpp>
#include <mellow/value/dqn.hpp>
#include <mellow/value/quantile_head.hpp>

#include "support/catch.hpp"

using namespace mellow;

namespace {

/// Mean return of the best weights over 100 fresh episodes of CartPole; a random policy reaches 22.
template <class Agent>
double learned(Agent agent) {
  const environments::TimeLimit environment(environments::CartPole{}, 500);
  const auto run = training::train(agent, environment, {.steps = 30'000, .seed = 1});
  agent.set_parameters(run.best_parameters);
  return training::mean(training::evaluate(agent, environment, 100, Rng(1, training::streams::test)));
}

}  // namespace

TEST_CASE("A categorical head learns CartPole-v1", "[slow]") {
  CHECK(learned(value::Dqn(nn::Mlp{{4, 64, 64, 2 * 51}}, value::CategoricalHead{.v_min = 0, .v_max = 100})) >= 200);
}

TEST_CASE("A quantile head learns CartPole-v1", "[slow]") {
  CHECK(learned(value::Dqn(nn::Mlp{{4, 64, 64, 2 * 20}}, value::QuantileHead{.quantiles = 20})) >= 200);
}

TEST_CASE("Dueling noisy streams without epsilon learn CartPole-v1", "[slow]") {
  const nn::Sequential network(nn::Dense(4, 64), nn::ReLU{},
                               nn::Dueling(nn::Sequential(nn::NoisyDense(64, 64), nn::ReLU{}, nn::NoisyDense(64, 1)),
                                           nn::Sequential(nn::NoisyDense(64, 64), nn::ReLU{}, nn::NoisyDense(64, 2))));
  CHECK(learned(value::Dqn(network, value::DoubleQ{}, operators::EpsilonGreedy{.epsilon = 0.0})) >= 200);
}

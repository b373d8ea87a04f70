// SPDX-License-Identifier: Apache-2.0
#include "mellow/value/greedy_policy.hpp"

#include <array>

#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/training/evaluate.hpp>
#include <mellow/value/dqn.hpp>

#include "support/catch.hpp"

using namespace mellow;
using Catch::Contains;

TEST_CASE("A greedy policy acts as the agent whose parameters it has, in every state and under every mask") {
  const nn::Mlp network({4, 32, 5});
  value::Dqn agent(network, {.seed = 3});
  value::GreedyPolicy policy(network, agent.parameters());
  CHECK(policy.parameters() == agent.parameters());
  Rng rng(1);
  Vector<Index> taken = Vector<Index>::Zero(5);
  for (int i = 0; i < 300; ++i) {
    Vector<float> observation(4);
    for (auto& x : observation) x = static_cast<float>(rng.uniform(-3.0, 3.0));
    CHECK(policy.greedy(observation) == agent.greedy(observation));
    CHECK(policy.values(observation)[policy.greedy(observation)] == policy.values(observation).maxCoeff());
    ++taken[policy.greedy(observation)];
    std::array<bool, 5> mask{};
    for (bool& allowed : mask) allowed = rng.uniform() < 0.5;
    mask[static_cast<std::size_t>(rng.below(5))] = true;
    const Index masked = policy.greedy(observation, mask);
    CHECK(masked == agent.greedy(observation, mask));
    CHECK(mask[static_cast<std::size_t>(masked)]);
  }
  CHECK((taken.array() > 0).count() >= 2);  // it is not one action everywhere
}

TEST_CASE("A greedy policy is evaluated like an agent, in another precision too") {
  const environments::TimeLimit environment(environments::CartPole{}, 500);
  const nn::Mlp network({4, 16, 2});
  value::Dqn agent(network, {.seed = 5});
  value::GreedyPolicy policy(network, agent.parameters());
  value::GreedyPolicy precise(nn::Mlp<double>({4, 16, 2}), agent.parameters().cast<double>());
  const auto returns = training::evaluate(agent, environment, 20, Rng(2));
  CHECK(training::evaluate(policy, environment, 20, Rng(2)) == returns);
  const Vector<float> observation = Vector<float>::Constant(4, 0.1f);
  CHECK(precise.values(observation).cast<float>().isApprox(policy.values(observation), 1e-5f));
}

TEST_CASE("A greedy policy refuses parameters that are not its network's") {
  CHECK_THROWS_WITH(value::GreedyPolicy(nn::Mlp({4, 16, 2}), Vector<float>::Zero(113)),
                    Contains("value::GreedyPolicy") && Contains("has 114 parameters") && Contains("got 113"));
}

TEST_CASE("A greedy policy refuses an observation or a mask that does not fit") {
  const nn::Mlp network({4, 8, 2});
  value::GreedyPolicy policy(network, Vector<float>::Zero(network.parameters()));
  const bool none[] = {false, false}, three[] = {true, true, true};
  CHECK_THROWS_WITH(policy.greedy(Vector<float>::Zero(3)), Contains("4 numbers (got 3)"));
  CHECK_THROWS_WITH(policy.greedy(Vector<float>::Zero(4), three), Contains("2 entries (got 3)"));
  CHECK_THROWS_WITH(policy.greedy(Vector<float>::Zero(4), none), Contains("allows no action"));
}

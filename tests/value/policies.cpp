// SPDX-License-Identifier: Apache-2.0
// Policies of mellow/operators as exploration parts of a deep Q agent.
#include <mellow/nn/mlp.hpp>
#include <mellow/operators/explore.hpp>
#include <mellow/operators/mellowmax_policy.hpp>
#include <mellow/value/dqn.hpp>

#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::operators;

TEST_CASE("A deep Q agent acts by a policy, within what the mask allows") {
  const nn::Mlp network({2, 8, 3});
  const Vector<float> observation = Eigen::Vector2f(0.5f, -1);
  const bool mask[] = {true, false, true};
  const auto expect = [&](const auto& policy) {
    value::Dqn agent(network, {.seed = 3}, explore(policy));
    nn::Mlp<>::Tape tape;
    const Vector<float> q = network.forward(agent.parameters(), observation, tape).col(0);
    Vector<float> pi(3), masked(2), count = Vector<float>::Zero(3), masked_count = count;
    policy.probabilities(q, pi);
    policy.probabilities(Eigen::Vector2f(q[0], q[2]), masked);
    Rng rng(1);
    constexpr int draws = 10'000;
    for (int i = 0; i < draws; ++i) {
      count[agent.act(observation, rng)] += 1.0f / draws;
      masked_count[agent.act(observation, rng, mask)] += 1.0f / draws;
    }
    CHECK((count - pi).cwiseAbs().maxCoeff() < 0.025f);
    CHECK((masked_count - Eigen::Vector3f(masked[0], 0, masked[1])).cwiseAbs().maxCoeff() < 0.025f);
  };
  expect(Boltzmann{.beta = 3});
  expect(MellowmaxPolicy{.omega = 10});
}

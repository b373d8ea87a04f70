// SPDX-License-Identifier: Apache-2.0
// expect: a callback given to train has none of on_step, on_episode, on_evaluation, on_end
#include <mellow/environments/cart_pole.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/dqn.hpp>

using namespace mellow;

struct Print {
  void operator()(const training::RunStatus&) const {}
};

void run() {
  value::Dqn agent(nn::Mlp({4, 8, 2}));
  training::train(agent, environments::CartPole{}, {}, Print{});
}

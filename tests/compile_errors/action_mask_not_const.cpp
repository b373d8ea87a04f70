// SPDX-License-Identifier: Apache-2.0
// expect: this environment's action_mask is not action_mask(std::span<bool>) const
#include <mellow/environments/cart_pole.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/dqn.hpp>

using namespace mellow;

struct Masked : environments::CartPole {
  void action_mask(std::span<bool> out) { out[0] = true; }
};

void run() {
  value::Dqn agent(nn::Mlp({4, 8, 2}));
  training::train(agent, Masked{}, {});
}

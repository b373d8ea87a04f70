// SPDX-License-Identifier: Apache-2.0
// expect: a callback given to train has an on_step, on_episode, on_evaluation or on_end that cannot be called with a const RunStatus
#include <mellow/environments/cart_pole.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/dqn.hpp>

using namespace mellow;

struct Print {
  void on_step(const training::RunStatus&) const {}
  void on_end(const training::RunResult<Vector<>, environments::CartPole>&) const {}
};

void run() {
  value::Dqn agent(nn::Mlp({4, 8, 2}));
  training::train(agent, environments::CartPole{}, {}, Print{});
}

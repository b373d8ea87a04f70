// SPDX-License-Identifier: Apache-2.0
// expect: after_step or after_target_change would never be called
#include <mellow/nn/mlp.hpp>
#include <mellow/value/dqn.hpp>

using namespace mellow;

struct Watched : data::UniformReplay {
  template <class State>
  void after_step(State&) const {}
};

value::Dqn agent(nn::Mlp({4, 8, 2}), {}, Watched{});

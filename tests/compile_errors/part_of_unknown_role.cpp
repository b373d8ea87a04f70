// SPDX-License-Identifier: Apache-2.0
// expect: a part names a role that this algorithm does not have
#include <mellow/nn/mlp.hpp>
#include <mellow/value/dqn.hpp>

using namespace mellow;

struct Planner {
  struct role {};
};

value::Dqn agent(nn::Mlp({4, 8, 2}), {}, Planner{});

// SPDX-License-Identifier: Apache-2.0
// expect: the part for roles::TargetNetwork does not fit
#include <mellow/nn/mlp.hpp>
#include <mellow/value/dqn.hpp>

using namespace mellow;

struct Frozen : nn::Mlp<float> {
  using role = roles::TargetNetwork;
};

value::Dqn agent(nn::Mlp({4, 8, 2}), {}, Frozen{nn::Mlp({4, 8, 2})});

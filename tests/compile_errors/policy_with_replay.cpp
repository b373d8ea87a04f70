// SPDX-License-Identifier: Apache-2.0
// expect: a part names a role that this algorithm does not have
#include <mellow/data/uniform_replay.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/policy/reinforce.hpp>

using namespace mellow;

policy::Reinforce agent(nn::Mlp({4, 8, 2}), {}, data::UniformReplay{});

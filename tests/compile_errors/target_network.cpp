// SPDX-License-Identifier: Apache-2.0
// expect: PeriodicCopy and Polyak need a target network of the online one's type
#include <mellow/nn/mlp.hpp>
#include <mellow/value/dqn.hpp>

using namespace mellow;

value::Dqn agent(nn::Mlp({4, 8, 2}), {}, value::TargetNetwork{nn::Mlp<double>({4, 8, 2})});

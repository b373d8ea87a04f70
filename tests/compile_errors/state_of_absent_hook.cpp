// SPDX-License-Identifier: Apache-2.0
// expect: state<Hook>() needs the type of a hook of this agent that was given once
#include <mellow/nn/mlp.hpp>
#include <mellow/value/dqn.hpp>
#include <mellow/value/reset_optimizer.hpp>

using namespace mellow;

value::Dqn agent(nn::Mlp({4, 8, 2}));
const Index resets = agent.state<value::ResetOptimizer>().resets;

// SPDX-License-Identifier: Apache-2.0
// expect: Proximal needs a target network of the online one's type
#include <mellow/nn/mlp.hpp>
#include <mellow/value/dqn.hpp>
#include <mellow/value/proximal.hpp>
#include <mellow/value/replicate.hpp>

using namespace mellow;

value::Dqn agent(nn::Mlp({4, 8, 2}), {}, value::TargetNetwork{nn::Mlp({4, 8, 2}, nn::Tanh{})}, value::Replicate<>{},
                 value::Proximal{});

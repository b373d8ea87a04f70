// SPDX-License-Identifier: Apache-2.0
// expect: a head with distance(outputs, wanted, actions, d_outputs)
#include <mellow/nn/mlp.hpp>
#include <mellow/value/dqn.hpp>
#include <mellow/value/replicate.hpp>

using namespace mellow;

struct Own : value::ScalarHead {
  void distance() const = delete;
};

value::Dqn agent(nn::Mlp({4, 8, 2}), {}, Own{}, value::Replicate<>{});

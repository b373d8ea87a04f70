// SPDX-License-Identifier: Apache-2.0
// expect: two parts fill roles::Backup
#include <mellow/nn/mlp.hpp>
#include <mellow/value/dqn.hpp>

using namespace mellow;

value::Dqn agent(nn::Mlp({4, 8, 2}), {}, value::DoubleQ{}, operators::Max{});

// SPDX-License-Identifier: Apache-2.0
// expect: a head of distributions needs one that selects an action
#include <mellow/nn/mlp.hpp>
#include <mellow/operators/mellowmax.hpp>
#include <mellow/value/categorical_head.hpp>
#include <mellow/value/dqn.hpp>

using namespace mellow;

value::Dqn agent(nn::Mlp({4, 8, 102}), {}, value::CategoricalHead{}, operators::Mellowmax{});

// SPDX-License-Identifier: Apache-2.0
// expect: the part for roles::Exploration does not fit
#include <mellow/nn/mlp.hpp>
#include <mellow/value/dqn.hpp>

using namespace mellow;

struct Always {
  using role = roles::Exploration;
  auto choose(auto& choice, Index, Rng&) const { return choice.values(); }  // no action
};

value::Dqn agent(nn::Mlp({4, 8, 2}), {}, Always{});

// SPDX-License-Identifier: Apache-2.0
// expect: the part for roles::Initializer does not fit
#include <mellow/nn/mlp.hpp>
#include <mellow/value/dqn.hpp>

using namespace mellow;

struct Zero {
  using role = roles::Initializer;
  void fill(VectorRef<float> values) const { values.setZero(); }
};

value::Dqn agent(nn::Mlp({4, 8, 2}), {}, Zero{});

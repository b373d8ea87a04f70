// SPDX-License-Identifier: Apache-2.0
// expect: the part for roles::Head does not fit
#include <mellow/nn/mlp.hpp>
#include <mellow/value/dqn.hpp>

using namespace mellow;

struct Atoms {
  using role = roles::Head;
  using Action = Index;
  Index greedy(const Vector<float>& outputs) const;
};

value::Dqn agent(nn::Mlp({4, 8, 2}), {}, Atoms{});

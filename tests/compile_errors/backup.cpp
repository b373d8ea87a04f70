// SPDX-License-Identifier: Apache-2.0
// expect: the part for roles::Backup does not fit
#include <mellow/nn/mlp.hpp>
#include <mellow/value/dqn.hpp>

using namespace mellow;

struct Median {
  using role = roles::Backup;
  float of(const Vector<float>& q) const { return q[q.size() / 2]; }
};

value::Dqn agent(nn::Mlp({4, 8, 2}), {}, Median{});

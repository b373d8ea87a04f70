// SPDX-License-Identifier: Apache-2.0
// expect: the part for roles::Backup has a State
#include <mellow/nn/mlp.hpp>
#include <mellow/value/dqn.hpp>

using namespace mellow;

struct Remembering {
  using role = roles::Backup;
  template <class Scalar>
  struct State {
    Scalar last;
  };
  template <class Values>
  auto operator()(const Values& q) const {
    return q.maxCoeff();
  }
};

void build() { value::Dqn agent(nn::Mlp({1, 8, 2}), {}, Remembering{}); }

// SPDX-License-Identifier: Apache-2.0
// expect: a part for roles::Hook acts at no moment
#include <mellow/nn/mlp.hpp>
#include <mellow/value/dqn.hpp>

using namespace mellow;

struct Watch {
  using role = roles::Hook;
  template <class Learner>
  void before_update(Learner&, Rng&) const {}
};

value::Dqn agent(nn::Mlp({4, 8, 2}), {}, Watch{});

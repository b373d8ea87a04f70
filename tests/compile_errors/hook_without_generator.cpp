// SPDX-License-Identifier: Apache-2.0
// expect: after_step or after_target_change would never be called
#include <mellow/nn/mlp.hpp>
#include <mellow/value/dqn.hpp>

using namespace mellow;

struct Watch {
  using role = roles::Hook;
  template <class Learner>
  void before_step(Learner&, Rng&) const {}
  template <class Learner>
  void after_step(Learner&) const {}  // no rng
};

value::Dqn agent(nn::Mlp({4, 8, 2}), {}, Watch{});

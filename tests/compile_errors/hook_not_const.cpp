// SPDX-License-Identifier: Apache-2.0
// expect: after_step or after_target_change would never be called
#include <mellow/nn/mlp.hpp>
#include <mellow/value/dqn.hpp>

using namespace mellow;

struct Watch {
  using role = roles::Hook;
  int steps = 0;
  template <class Learner>
  void after_step(Learner&, Rng&) {
    ++steps;
  }
};

value::Dqn agent(nn::Mlp({4, 8, 2}), {}, Watch{});

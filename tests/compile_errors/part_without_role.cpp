// SPDX-License-Identifier: Apache-2.0
// expect: a part names no role
#include <mellow/nn/mlp.hpp>
#include <mellow/value/dqn.hpp>

using namespace mellow;

struct Halve {
  template <class Learner>
  void after_step(Learner& learner, Rng&) const {
    learner.online *= 0.5f;
  }
};

value::Dqn agent(nn::Mlp({4, 8, 2}), {}, Halve{});

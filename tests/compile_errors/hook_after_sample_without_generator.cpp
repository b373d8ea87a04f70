// SPDX-License-Identifier: Apache-2.0
// expect: a part's after_sample, before_step, after_step or after_target_change would never be called
#include <mellow/nn/mlp.hpp>
#include <mellow/value/dqn.hpp>

using namespace mellow;

struct Clip {
  using role = roles::Hook;
  template <class Learner>
  void after_sample(Learner& learner) const {
    learner.batch.rewards = learner.batch.rewards.cwiseMin(1).cwiseMax(-1);
  }
};

value::Dqn agent(nn::Mlp({4, 8, 2}), {}, Clip{});

// SPDX-License-Identifier: Apache-2.0
// expect: the part for roles::Tracking does not fit
#include <mellow/nn/mlp.hpp>
#include <mellow/value/dqn.hpp>

using namespace mellow;

struct Never {
  using role = roles::Tracking;
  template <class Learner>
  void update(Learner&, Rng&) const {}  // does not say whether the target changed
};

value::Dqn agent(nn::Mlp({4, 8, 2}), {}, Never{});

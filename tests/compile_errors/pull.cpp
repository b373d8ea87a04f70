// SPDX-License-Identifier: Apache-2.0
// expect: the part for roles::Pull does not fit
#include <mellow/nn/mlp.hpp>
#include <mellow/value/dqn.hpp>

using namespace mellow;

struct ToZero {
  using role = roles::Pull;
  template <class Scalar>
  struct State {};
  template <class Learner>
  void pull(Learner& learner, State<double>& state, Rng&) const;  // the state comes first
};

value::Dqn agent(nn::Mlp({4, 8, 2}), {}, ToZero{});

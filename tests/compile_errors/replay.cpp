// SPDX-License-Identifier: Apache-2.0
// expect: the part for roles::Replay does not fit
#include <mellow/nn/mlp.hpp>
#include <mellow/value/dqn.hpp>

using namespace mellow;

struct Newest {
  using role = roles::Replay;
  template <class Scalar, class Action>
  struct State {};
  template <class Scalar, class Action>
  State<Scalar, Action> make_state(Index features) const;
};

value::Dqn agent(nn::Mlp({4, 8, 2}), {}, Newest{});

// SPDX-License-Identifier: Apache-2.0
// expect: the part for roles::Optimizer does not fit
#include <mellow/nn/mlp.hpp>
#include <mellow/value/dqn.hpp>

using namespace mellow;

struct Momentum {
  using role = roles::Optimizer;
  double learning_rate = 0.1;
  template <class Scalar>
  struct State {
    void reset(const nn::ParameterLayout& layout);
  };
  template <class Scalar>
  void step(State<Scalar>& state, VectorRef<Scalar> theta, ConstVectorRef<Scalar> gradient) const;
};

value::Dqn agent(nn::Mlp({4, 8, 2}), {}, Momentum{});

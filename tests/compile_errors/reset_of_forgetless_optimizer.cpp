// SPDX-License-Identifier: Apache-2.0
// expect: ResetOptimizer needs an optimiser whose State has forget(nn::Moments)
#include <mellow/nn/mlp.hpp>
#include <mellow/value/dqn.hpp>
#include <mellow/value/reset_optimizer.hpp>

using namespace mellow;

struct Descent {
  using role = roles::Optimizer;
  template <class Scalar>
  struct State {
    void reset(const nn::ParameterLayout&) {}
    template <class Self, class Visit>
    static void visit_state(Self&, Visit&&) {}
  };
  double learning_rate(Index) const { return 1e-2; }
  template <class Scalar>
  void step(State<Scalar>&, VectorRef<Scalar> theta, ConstVectorRef<Scalar> gradient) const {
    theta -= Scalar(1e-2) * gradient;
  }
};

void learn() {
  value::Dqn agent(nn::Mlp({4, 8, 2}), {}, Descent{}, value::ResetOptimizer{});
  Rng rng;
  agent.learn(rng);
}

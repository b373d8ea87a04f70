// SPDX-License-Identifier: Apache-2.0
// expect: TargetChangeDiagnosis needs an optimiser whose State has first_moment()
#include <mellow/nn/adagrad.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/value/dqn.hpp>
#include <mellow/value/target_change_diagnosis.hpp>

using namespace mellow;

void learn() {
  value::Dqn agent(nn::Mlp({4, 8, 2}), {}, nn::Adagrad{}, value::TargetChangeDiagnosis{});
  Rng rng;
  agent.learn(rng);
}

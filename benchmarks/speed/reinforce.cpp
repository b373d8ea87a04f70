// SPDX-License-Identifier: Apache-2.0
// A step of REINFORCE with either head: act, remember, and the step's share of an update of 10 episodes of 200 steps.
#include <mellow/nn/mlp.hpp>
#include <mellow/policy/reinforce.hpp>

#include "shapes.hpp"

namespace {

using namespace mellow;

template <class Head>
void add(const std::string& name, const Head& head) {
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
    policy::Reinforce agent(nn::Mlp{{4, 16, 4}}, {}, head);
    const Matrix<float> observations = Matrix<float>::Random(4, 512);
    Rng rng;
    Index step = 0;
    for (auto _ : state) {
      const auto observation = observations.col(step % 512);
      const Index action = agent.act(observation, rng);
      agent.observe({observation, action, 0.25 * static_cast<double>(action), observation, ++step % 200 == 0, false},
                    rng);
    }
    speed::report_rate(state, "steps/s", 1);
  });
}

}  // namespace

int main(int argc, char** argv) {
  add("reinforce_softmax", policy::SoftmaxHead{});
  add("reinforce_mellowmax", policy::MellowmaxHead{});
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}

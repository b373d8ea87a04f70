// SPDX-License-Identifier: Apache-2.0
// Steps of CartPole-v1 under random actions: step, observe, reset at an episode's end.
#include <benchmark/benchmark.h>

#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/time_limit.hpp>

namespace {

void cart_pole(benchmark::State& state) {
  using namespace mellow;
  environments::TimeLimit environment(environments::CartPole(), 500);
  const Discrete actions = environment.action_space();
  Vector<> observation(4);
  Rng rng;
  environment.reset(rng);
  for (auto _ : state) {
    const Step step = environment.step(actions.sample(rng), rng);
    if (step.terminated || step.truncated) environment.reset(rng);
    environment.observe(observation);
    benchmark::DoNotOptimize(step);
    benchmark::ClobberMemory();
  }
  state.counters["steps/s"] = benchmark::Counter(1, benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(cart_pole);

}  // namespace

BENCHMARK_MAIN();

// SPDX-License-Identifier: Apache-2.0
// DQN learning CartPole-v1 with one update a step: the composition of peers/dqn_cart_pole.py; whole, and the choice of
// an action alone.
#include <benchmark/benchmark.h>

#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/dqn.hpp>

namespace {

using namespace mellow;

constexpr Index warm_up = 1'000;

auto make_agent() {
  return value::Dqn(
      nn::Mlp<>({4, 64, 64, 2}),
      {.discount = 0.99, .batch_size = 64, .learning_starts = warm_up, .max_gradient_norm = 10},
      operators::EpsilonGreedy{.epsilon = 0.05},  // constant, since a random action costs less than a greedy one
      data::UniformReplay{.capacity = 50'000}, nn::Adam{.learning_rate = 1e-3}, value::PeriodicCopy{.every = 250});
}

void report_steps(benchmark::State& state, Index steps) {
  state.counters["steps/s"] =
      benchmark::Counter(static_cast<double>(steps), benchmark::Counter::kIsIterationInvariantRate);
}

void dqn_cart_pole(benchmark::State& state) {
  constexpr Index block = 250;
  const environments::TimeLimit environment(environments::CartPole(), 500);
  auto agent = make_agent();
  training::train(agent, environment, {.steps = warm_up, .evaluate_every = 0});
  for (auto _ : state) training::train(agent, environment, {.steps = block, .evaluate_every = 0});
  report_steps(state, block);
}
BENCHMARK(dqn_cart_pole);

void act(benchmark::State& state) {
  auto agent = make_agent();
  const Vector<> observation = Vector<>::Random(4);
  Rng rng;
  for (auto _ : state) benchmark::DoNotOptimize(agent.act(observation, rng));
  report_steps(state, 1);
}
BENCHMARK(act)->Name("dqn_cart_pole/act");

}  // namespace

BENCHMARK_MAIN();

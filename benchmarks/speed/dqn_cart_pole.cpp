// SPDX-License-Identifier: Apache-2.0
// DQN learning CartPole-v1 with one update a step: the composition of peers/dqn_cart_pole.py; whole, and the choice of
// an action alone.
#include <benchmark/benchmark.h>

#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/nn/mlp.hpp>
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

void report_steps(benchmark::State& state) {
  state.counters["steps/s"] = benchmark::Counter(1, benchmark::Counter::kIsIterationInvariantRate);
}

void dqn_cart_pole(benchmark::State& state) {
  auto agent = make_agent();
  environments::TimeLimit environment(environments::CartPole(), 500);
  Vector<> observation(4), next(4);
  Rng rng;
  environment.reset(rng);
  environment.observe(observation);
  const auto step = [&] {
    const Index action = agent.act(observation, rng);
    const auto [reward, terminated, truncated] = environment.step(action, rng);
    environment.observe(next);
    agent.observe({observation, action, reward, next, terminated, truncated}, rng);
    if (terminated || truncated) {
      environment.reset(rng);
      environment.observe(next);
    }
    observation.swap(next);
  };
  for (Index i = 0; i < warm_up; ++i) step();
  for (auto _ : state) step();
  report_steps(state);
}
BENCHMARK(dqn_cart_pole);

void act(benchmark::State& state) {
  auto agent = make_agent();
  const Vector<> observation = Vector<>::Random(4);
  Rng rng;
  for (auto _ : state) benchmark::DoNotOptimize(agent.act(observation, rng));
  report_steps(state);
}
BENCHMARK(act)->Name("dqn_cart_pole/act");

}  // namespace

BENCHMARK_MAIN();

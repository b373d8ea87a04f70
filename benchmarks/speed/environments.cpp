// SPDX-License-Identifier: Apache-2.0
// Steps of the native environments under random actions: of one (step, observe, reset at an episode's end), and of n
// stepped together ("vectorized_cart_pole/1024"), whose rate counts each one's step.
#include <array>

#include <mellow/environments/acrobot.hpp>
#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/minatar/asterix.hpp>
#include <mellow/environments/minatar/breakout.hpp>
#include <mellow/environments/minatar/freeway.hpp>
#include <mellow/environments/minatar/seaquest.hpp>
#include <mellow/environments/minatar/space_invaders.hpp>
#include <mellow/environments/mountain_car.hpp>
#include <mellow/environments/mountain_car_continuous.hpp>
#include <mellow/environments/pendulum.hpp>
#include <mellow/environments/puddle_world.hpp>
#include <mellow/environments/vectorized.hpp>

#include "shapes.hpp"

namespace {

using namespace mellow;
using namespace mellow::environments;

template <class E>
void one(benchmark::State& state, E environment) {
  const auto actions = environment.action_space();
  Vector<> observation(environment.observation_space().size());
  Rng rng;
  Action<E> action = actions.sample(rng);
  environment.reset(rng);
  for (auto _ : state) {
    if constexpr (std::same_as<Action<E>, Index>) action = actions.sample(rng);
    else action[0] = static_cast<float>(rng.uniform(actions.low[0], actions.high[0]));  // sample() returns a new vector
    const Step step = environment.step(action, rng);
    if (step.terminated || step.truncated) environment.reset(rng);
    environment.observe(observation);
    benchmark::DoNotOptimize(step);
    benchmark::ClobberMemory();
  }
  speed::report_rate(state, "steps/s", 1);
}

template <class E>
void many(benchmark::State& state, const E& environment) {
  const Index n = state.range(0);
  const auto space = environment.action_space();
  Vectorized<E> environments(environment, n);
  Rng rng;
  environments.reset(rng);
  std::conditional_t<std::same_as<Action<E>, Index>, Matrix<Index>, Matrix<float>> actions(n, 16);  // drawn beforehand
  for (auto& action : actions.reshaped()) {
    if constexpr (std::same_as<Action<E>, Index>) action = space.sample(rng);
    else action = space.sample(rng)[0];
  }
  Index t = 0;
  for (auto _ : state) {
    if constexpr (std::same_as<Action<E>, Index>) environments.step(actions.col(t));
    else environments.step(actions.col(t).reshaped(1, n));
    t = (t + 1) % 16;
    benchmark::ClobberMemory();
  }
  speed::report_rate(state, "steps/s", static_cast<double>(n));
}

template <class E>
void add(const std::string& name, const E& environment) {
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) { one(state, environment); });
  benchmark::RegisterBenchmark(("vectorized_" + name).c_str(),
                               [=](benchmark::State& state) { many(state, environment); })
      ->Arg(1)
      ->Arg(16)
      ->Arg(256)
      ->Arg(1024);
}

}  // namespace

int main(int argc, char** argv) {
  add("cart_pole", TimeLimit(CartPole{}, 500));
  add("mountain_car", TimeLimit(MountainCar{}, 200));
  add("mountain_car_continuous", TimeLimit(MountainCarContinuous{}, 999));
  add("acrobot", TimeLimit(Acrobot{}, 500));
  add("pendulum", TimeLimit(Pendulum{}, 200));
  add("puddle_world", TimeLimit(PuddleWorld{}, 1000));
  add("minatar_asterix", minatar::Asterix{});
  add("minatar_breakout", minatar::Breakout{});
  add("minatar_freeway", minatar::Freeway{});
  add("minatar_seaquest", minatar::Seaquest{});
  add("minatar_space_invaders", minatar::SpaceInvaders{});
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}

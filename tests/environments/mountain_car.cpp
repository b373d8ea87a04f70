// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include <mellow/environments/check.hpp>
#include <mellow/environments/mountain_car.hpp>
#include <mellow/environments/mountain_car_continuous.hpp>

#include "environments/support.hpp"

using namespace mellow;
using environments::MountainCar;
using environments::MountainCarContinuous;
using environments::TimeLimit;

namespace {
Vector<float> force(double a) { return Vector<float>::Constant(1, static_cast<float>(a)); }
}  // namespace

// Numbers of classic_environments.md 3.3.
TEST_CASE("MountainCar's references") {
  NumpyGenerator rng(42);
  MountainCar environment;
  environment.reset(rng);
  CHECK(environment.state() == MountainCar::State{-0.44520879028880733, 0.0});
  Vector<float> observation(2);
  environment.observe(observation);
  CHECK(observation == Eigen::Vector2f(-0.4452088f, 0.0f));  // official
  NumpyGenerator one_draw(42);
  one_draw.uniform();
  CHECK(rng.bits() == one_draw.bits());
  const auto step_from = [&](const MountainCar::State& state, Index action) {
    environment.set_state(state);
    environment.step(action, rng);
    return environment.state();
  };
  expect_state(step_from({-0.5, 0.01}, 0), {-0.49117684300416925, 0.008823156995830743}, 1e-12);
  expect_state(step_from({-0.5, 0.01}, 2), {-0.48917684300416925, 0.010823156995830743}, 1e-12);
  CHECK(step_from({-1.19, -0.05}, 0) == MountainCar::State{-1.2, 0.0});
}

TEST_CASE("MountainCar ends at the flag, moving right") {
  Rng rng;
  MountainCar environment;
  environment.set_state({0.45, 0.06});
  CHECK(environment.step(2, rng).terminated);
  environment.set_state({0.59, -0.03});
  CHECK_FALSE(environment.step(1, rng).terminated);
  CHECK(environment.state()[0] > MountainCar::goal);
}

TEST_CASE("Pushing with the motion brings the car up") {
  TimeLimit environment(MountainCar{}, 200);
  std::vector<double> returns;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Episode episode = play(environment, seed, [](const auto& state) { return Index{state[1] >= 0 ? 2 : 0}; });
    CHECK((episode.terminated && !episode.truncated));
    if (seed == 42) {
      CHECK(episode.steps == 121);
      expect_state(environment.unwrapped().state(), {0.515810360735619, 0.03958084070841278}, 1e-12);
    }
    returns.push_back(episode.total);
  }
  const Summary summary(returns);
  CHECK(summary.mean == Approx(-120.0).margin(0.05));
  CHECK(summary.deviation == Approx(3.3).margin(0.1));
  CHECK(summary.largest == -113);
}

// Numbers of classic_environments.md 3.4.
TEST_CASE("MountainCarContinuous's references") {
  NumpyGenerator rng(123);
  MountainCarContinuous environment;
  environment.reset(rng);
  CHECK(environment.state()[0] == -0.4635296273503713);
  const MountainCarContinuous start = environment;
  environment.step(force(0), rng);
  expect_state(environment.state(), {-0.46397772, -0.00044808415}, 6e-9);
  environment = start;
  environment.step(force(0.1), rng);
  expect_state(environment.state(), {-0.4638277, -0.00029808417}, 3e-8);
  environment.set_state({-0.5, 0.01});
  const Step step = environment.step(force(0.5), rng);
  expect_state(environment.state(), {-0.4894268430041693, 0.010573156995830744}, 1e-7);
  CHECK(step.reward == Approx(-0.025).epsilon(1e-12));
}

TEST_CASE("MountainCarContinuous pays for the force that was asked for") {
  Rng rng;
  MountainCarContinuous asked, clipped;
  asked.set_state({-0.5, 0.01});
  clipped = asked;
  CHECK(asked.step(force(3), rng).reward == Approx(-0.9));
  CHECK(clipped.step(force(1), rng).reward == Approx(-0.1));
  expect_state(asked.state(), clipped.state(), 1e-9);
}

TEST_CASE("Pushing with the motion brings the continuous car up") {
  TimeLimit environment(MountainCarContinuous{}, 999);
  std::vector<double> returns;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Episode episode = play(environment, seed, [](const auto& state) { return force(state[1] >= 0 ? 1 : -1); });
    CHECK(episode.terminated);
    if (seed == 42) CHECK((episode.steps == 105 && episode.total == Approx(89.5).epsilon(1e-9)));
    returns.push_back(episode.total);
  }
  CHECK(Summary(returns).mean == Approx(89.37).margin(0.005));
}

TEST_CASE("Mountain cars stay in their bounds") {
  Rng rng(0);
  const auto expect_within = [&](auto environment, auto draw) {
    bool within = true;
    for (std::uint64_t seed = 0; seed < 20; ++seed)
      play(environment, seed, [&](const auto& state) {
        within &= state[0] >= -1.2 - 1e-7 && state[0] <= 0.6 + 1e-7 && std::abs(state[1]) <= 0.07 + 1e-7;
        return draw();
      });
    CHECK(within);
    environments::check(environment);
  };
  expect_within(TimeLimit(MountainCar{}, 200), [&] { return rng.below(3); });
  expect_within(TimeLimit(MountainCarContinuous{}, 999), [&] { return force(rng.uniform(-2.0, 2.0)); });
}

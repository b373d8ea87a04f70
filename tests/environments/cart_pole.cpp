// SPDX-License-Identifier: Apache-2.0
#include <mellow/core/numpy_generator.hpp>
#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/check.hpp>
#include <mellow/environments/time_limit.hpp>

#include "environments/support.hpp"

using namespace mellow;
using environments::CartPole;
using environments::TimeLimit;

namespace {
using State = std::array<double, 4>;

CartPole gymnasium_reset(std::uint64_t seed, NumpyGenerator& rng) {
  rng = NumpyGenerator(seed);
  CartPole environment;
  environment.reset(rng);
  return environment;
}
}  // namespace

// Numbers of classic_environments.md 3.1; "official" ones are printed in Gymnasium's documentation to 8 digits.
TEST_CASE("CartPole starts and moves as Gymnasium's does") {
  NumpyGenerator rng(0);
  CartPole environment = gymnasium_reset(123, rng);
  expect_state(environment.state(), {0.01823519, -0.0446179, -0.02796401, -0.03156282}, 1e-8);
  const State after[] = {{0.01734283, 0.15089367, -0.02859527, -0.33293587},
                         {0.0203607, 0.34641072, -0.03525399, -0.6344974},
                         {0.02728892, 0.5420062, -0.04794393, -0.9380709},
                         {0.03812904, 0.34756234, -0.06670535, -0.6608303}};
  const Index actions[] = {1, 1, 1, 0};
  for (int i = 0; i < 4; ++i) {
    const Step step = environment.step(actions[i], rng);
    CHECK((step.reward == 1 && !step.terminated && !step.truncated));
    expect_state(environment.state(), after[i], 5e-8);
  }
}

TEST_CASE("CartPole terminates as Gymnasium's does") {
  NumpyGenerator rng(0);
  CartPole environment = gymnasium_reset(123, rng);
  for (int i = 1; i <= 9; ++i) {
    const Step step = environment.step(1, rng);
    CHECK(step.reward == 1);
    CHECK(step.terminated == (i == 9));
  }
  expect_state(environment.state(), {0.1511158, 1.7183299, -0.25533703, -2.8914354}, 5e-8);
}

TEST_CASE("CartPole's references in double precision") {
  NumpyGenerator rng(0);
  CartPole environment = gymnasium_reset(42, rng);
  expect_state(environment.state(), {0.0273956, -0.00611216, 0.03585979, 0.0197368}, 1e-8);
  for (Index k = 0; k < 20; ++k) CHECK_FALSE(environment.step(k % 2, rng).terminated);
  expect_state(environment.state(),
               {-0.01739380785272638, -0.029956482546596497, 0.17628429388986588, 0.5537800853567671}, 1e-12);
  environment.set_state({0.01, -0.02, 0.03, 0.04});
  environment.step(0, rng);
  expect_state(environment.state(), {0.0096, -0.21553901710278936, 0.0308, 0.3419952237760392}, 1e-12);
  environment.set_state({0.01, -0.02, 0.03, 0.04});
  environment.step(1, rng);
  expect_state(environment.state(), {0.0096, 0.17467919574755525, 0.0308, -0.24306871796000815}, 1e-12);
}

TEST_CASE("CartPole's constants") {  // classic_environments.md 3.1
  const environments::CartPoleOptions options;
  CHECK(options.gravity == 9.8);
  CHECK(options.cart_mass == 1.0);
  CHECK(options.pole_mass == 0.1);
  CHECK(options.half_length == 0.5);
  CHECK(options.force == 10.0);
  CHECK(options.time_step == 0.02);
  CHECK(options.position_limit == 2.4);
  CHECK(options.angle_limit == 0.20943951023931953);
  CHECK(options.integrator == environments::CartPoleOptions::Integrator::Euler);
  CHECK_FALSE(options.sutton_barto_reward);
}

TEST_CASE("CartPole's limits are strict") {
  Rng rng;
  CartPole environment;
  const auto terminates_at = [&](double position, double angle) {
    environment.set_state({position, 0, angle, 0});
    return environment.step(0, rng).terminated;
  };
  CHECK_FALSE(terminates_at(2.4, 0));
  CHECK(terminates_at(2.4000001, 0));
  CHECK_FALSE(terminates_at(0, -environments::CartPoleOptions{}.angle_limit));
  CHECK(terminates_at(0, -0.2094396));
  CHECK(terminates_at(0, 0.3));
  const Step again = environment.step(0, rng);  // Gymnasium would pay 0 from here on
  CHECK((again.terminated && again.reward == 1.0));
}

TEST_CASE("A hand-made controller balances every episode, a random one about 22 steps") {
  std::vector<double> random;
  constexpr int episodes = 1000;
  for (std::uint64_t seed = 0; seed < episodes; ++seed) {
    NumpyGenerator reset_rng(seed);
    Rng rng(seed);
    TimeLimit environment(CartPole{}, 500);
    Step step;
    if (seed < 100) {
      int steps = 0;
      for (environment.reset(reset_rng); !step.terminated && !step.truncated; ++steps) {
        const auto& [x, v, angle, spin] = environment.unwrapped().state();
        step = environment.step(Index{angle + 0.25 * spin + 0.05 * x + 0.1 * v > 0}, rng);
      }
      CHECK(steps == 500);
      CHECK((step.truncated && !step.terminated));
    }
    environment.reset(reset_rng);
    double total = 0;
    for (step = {}; !step.terminated && !step.truncated; ++total) step = environment.step(rng.below(2), rng);
    random.push_back(total);
  }
  const Summary summary(random);  // within three standard errors, and the sheet's rounding
  CHECK(summary.mean == Approx(22.0).margin(3 * 11.6 / std::sqrt(episodes) + 0.05));
  double fourth = 0.0;  // the central moment that a deviation's own error depends on
  for (const double x : random) fourth += std::pow(x - summary.mean, 4) / episodes;
  const double kurtosis = fourth / std::pow(summary.deviation, 4);
  CHECK(summary.deviation == Approx(11.6).margin(3 * 11.6 * std::sqrt((kurtosis - 1) / (4 * episodes)) + 0.05));
}

// classic_environments.md 2.
TEST_CASE("Seeding once, later resets go on in the stream") {
  NumpyGenerator rng(5), same(5);
  CartPole a, b;
  a.reset(rng);
  b.reset(same);
  CHECK(a.state() == b.state());
  a.reset(rng);
  CHECK(a.state() != b.state());
}

TEST_CASE("A copy of a CartPole is a snapshot") {
  Rng rng(1);
  TimeLimit environment(CartPole{}, 500);
  environment.reset(rng);
  environment.step(1, rng);
  auto snapshot = environment;
  CHECK(first_difference(environment, snapshot).empty());
  environment.step(0, rng);
  CHECK(first_difference(environment, snapshot) == "environment.state");
  environment = snapshot;
  CHECK(first_difference(environment, snapshot).empty());
  CHECK(SnapshotEnvironment<TimeLimit<CartPole>>);
}

TEST_CASE("CartPole's options") {
  Rng rng;
  environments::CartPole punished({.sutton_barto_reward = true});
  punished.set_state({0, 0, 0, 0});
  CHECK(punished.step(0, rng).reward == 0.0);
  punished.set_state({0, 0, 0.3, 0});
  CHECK(punished.step(0, rng).reward == -1.0);

  environments::CartPole wide({.gravity = 0.0, .position_limit = 5.0, .angle_limit = 1.0});
  wide.set_state({4.9, 0, 0.9, 0});
  CHECK_FALSE(wide.step(1, rng).terminated);
  CHECK(wide.observation_space().high[0] == 10.0f);
  CHECK_THROWS_WITH(CartPole({.time_step = 0.0}), "CartPole: time_step must be positive (got 0)");
  CHECK_THROWS_AS(CartPole({.pole_mass = -1.0}), Error);
}

// SPDX-License-Identifier: Apache-2.0
// Numbers of classic_environments.md 6.
#include <mellow/environments/check.hpp>
#include <mellow/environments/rounded_cart_pole.hpp>

#include "environments/support.hpp"

using namespace mellow;
using environments::CartPole;
using environments::RoundedCartPole;

TEST_CASE("The variant's step before rounding") {
  Rng rng;
  CartPole environment({.integrator = environments::CartPoleOptions::Integrator::SemiImplicit});
  environment.set_state({0.01, -0.02, 0.03, 0.04});
  environment.step(1, rng);
  expect_state(environment.state(),
               {0.013493583914951104, 0.17467919574755525, 0.025138625640799835, -0.24306871796000815}, 1e-12);
}

TEST_CASE("The variant rounds its states and fails at 20 degrees") {
  Rng rng;
  RoundedCartPole environment;
  environment.set_state({0.01, -0.02, 0.03, 0.04});
  const Step step = environment.step(1, rng);
  CHECK((step.reward == 1.0 && !step.terminated));
  CHECK(environment.state() == RoundedCartPole::State{0.0, 0.2, 0.025, -0.2});

  const auto step_from = [&](const RoundedCartPole::State& state) {
    environment.set_state(state);
    return environment.step(1, rng);
  };
  CHECK(step_from({0, 0, 0.34, 0}).reward == 1.0);
  for (const double side : {-1.0, 1.0}) {  // 20 degrees are 0.34907
    environment.set_state({0, 0, side * 0.349, side * 1e-3});
    const Step stands = environment.step(side > 0 ? 1 : 0, rng);  // towards the fall: turns the pole back
    CHECK((stands.reward == 1.0 && !stands.terminated));
  }
  const Step fallen = step_from({0, 0, 0.36, 3.0});
  CHECK((fallen.reward == -10.0 && fallen.terminated));
  const Step left = step_from({2.4, 1.0, 0, 0});
  CHECK((left.reward == -10.0 && left.terminated));
  const Step rounded_out = step_from({2.3, 3.5, 0, 0});  // within the limits, until it is rounded to 2.4
  CHECK((rounded_out.reward == 1.0 && rounded_out.terminated));
  CHECK(environment.state()[0] == 2.4);
  environment.reset(rng);
  CHECK(environment.state() == RoundedCartPole::State{});
  environments::check(environments::TimeLimit(environment, 200));
}

TEST_CASE("Gravity changes the variant's fall") {
  Rng rng;
  for (const double gravity : {5.0, 6.0, 8.0, 12.0}) {
    CAPTURE(gravity);
    RoundedCartPole environment(gravity);
    const double spin = -1.0, angle = 0.3;
    environment.set_state({0, 0, angle, spin});
    environment.step(0, rng);
    const double t = (-10 + 0.05 * spin * spin * std::sin(angle)) / 1.1;  // classic_environments.md 3.1
    const double rate = (gravity * std::sin(angle) - std::cos(angle) * t) /
                        (0.5 * (4.0 / 3.0 - 0.1 * std::cos(angle) * std::cos(angle) / 1.1));
    const double velocity = 0.02 * (t - 0.05 * rate * std::cos(angle) / 1.1), next_spin = spin + 0.02 * rate;
    expect_state(environment.state(),
                 {std::round(0.02 * velocity * 10) / 10, std::round(velocity * 10) / 10,
                  std::round((angle + 0.02 * next_spin) * 1000) / 1000, std::round(next_spin * 10) / 10},
                 1e-12);
  }
}

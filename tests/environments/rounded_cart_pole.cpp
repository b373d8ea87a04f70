// SPDX-License-Identifier: Apache-2.0
// Numbers of classic_environments, section 6.
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
  const Step fallen = step_from({0, 0, 0.36, 3.0});
  CHECK((fallen.reward == -10.0 && fallen.terminated));
  const Step left = step_from({2.4, 1.0, 0, 0});
  CHECK((left.reward == -10.0 && left.terminated));
  environment.reset(rng);
  CHECK(environment.state() == RoundedCartPole::State{});
  environments::check(environments::TimeLimit(environment, 200));
}

TEST_CASE("Gravity changes the variant's fall") {
  Rng rng;
  RoundedCartPole moon(5.0), planet(12.0);
  for (RoundedCartPole* environment : {&moon, &planet}) {
    environment->set_state({0, 0, 0.3, 0});
    environment->step(0, rng);
  }
  CHECK(planet.state()[3] > moon.state()[3]);
}

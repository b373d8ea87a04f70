// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include <mellow/environments/check.hpp>
#include <mellow/environments/pendulum.hpp>

#include "environments/support.hpp"

using namespace mellow;
using environments::Pendulum;
using environments::TimeLimit;

namespace {
Vector<float> torque(double u) { return Vector<float>::Constant(1, static_cast<float>(u)); }
constexpr double pi = std::numbers::pi;
}  // namespace

// Numbers of classic_environments.md 3.5. They were computed with the torque in double, ours is in float as
// NumPy 2's: hence 1e-7 a step, and more along a trace.
TEST_CASE("Pendulum's references") {
  NumpyGenerator rng(42);
  Pendulum environment;
  environment.reset(rng);
  CHECK(environment.state() == Pendulum::State{1.721316619099806, -0.12224312049589536});
  CHECK(environment.step(torque(-0.6), rng).reward == Approx(-2.9647852412400435).epsilon(1e-7));
  Vector<float> observation(3);
  environment.observe(observation);
  CHECK((observation - Eigen::Vector3f(-0.17606162f, 0.9843792f, 0.5292768f)).cwiseAbs().maxCoeff() <= 6e-8f);

  rng = NumpyGenerator(42);
  environment.reset(rng);
  double total = 0.0;
  for (int k = 0; k < 200; ++k) total += environment.step(torque(2 * std::sin(0.1 * k)), rng).reward;
  CHECK(total == Approx(-1215.3041278644785).margin(2e-3));
  expect_state(environment.state(), {1.9173144653228008, 2.137263587014211}, 2e-3);

  environment.set_state({pi, 0});
  CHECK(environment.step(torque(0), rng).reward == Approx(-9.869604401089358).epsilon(1e-12));
  environment.set_state({3 * pi + 0.1, -7.9});
  CHECK(environment.step(torque(-3), rng).reward == Approx(-15.4962858703714).epsilon(1e-7));  // clipped to -2
  expect_state(environment.state(), {9.124777960769379, -8}, 1e-7);
}

TEST_CASE("Pendulum's rewards and velocities stay in their bounds, and it never terminates") {
  Rng rng(0);
  TimeLimit environment(Pendulum{}, 200);
  std::vector<double> still, random;
  bool within = true;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const Episode rest = play(environment, seed, [](const auto&) { return torque(0); });
    const Episode drawn = play(environment, seed, [&](const auto& state) {
      within &= std::abs(state[1]) <= Pendulum::speed_limit;
      return torque(rng.uniform(-2.0, 2.0));
    });
    CHECK((rest.truncated && !rest.terminated && rest.steps == 200 && drawn.steps == 200));
    still.push_back(rest.total);
    random.push_back(drawn.total);
  }
  CHECK(within);
  const auto expect = [](const Summary& summary, double mean, double deviation) {  // within three standard errors
    CHECK(summary.mean == Approx(mean).margin(3 * deviation / std::sqrt(400)));
    CHECK(summary.deviation == Approx(deviation).margin(3 * deviation / std::sqrt(2 * 400)));
  };
  expect(Summary(still), -1229, 368);
  expect(Summary(random), -1235, 288);

  double lowest = 0.0, highest = -1.0;
  for (int i = 0; i < 10'000; ++i) {
    environment.unwrapped().set_state({rng.uniform(-50.0, 50.0), rng.uniform(-8.0, 8.0)});
    const double reward = environment.step(torque(rng.uniform(-5.0, 5.0)), rng).reward;
    lowest = std::min(lowest, reward);
    highest = std::max(highest, reward);
  }
  CHECK(lowest >= -16.2736044 - 1e-7);
  CHECK(highest <= 0.0);
  for (const double side : {-1.0, 1.0}) {  // both bounds are reached
    environment.unwrapped().set_state({side * pi, side * 8});
    CHECK(environment.step(torque(side * 2), rng).reward == Approx(-16.2736044).margin(5e-8));
    environment.unwrapped().set_state({side * 2 * pi, 0});
    CHECK(environment.step(torque(0), rng).reward == 0.0);
  }
  environments::check(environment);
}

TEST_CASE("A controller swings the pendulum up") {
  // Pumps energy until the pendulum is near upright, then holds it by proportional and derivative feedback.
  TimeLimit environment(Pendulum{}, 200);
  std::vector<double> returns;
  for (std::uint64_t seed = 0; seed < 100; ++seed)
    returns.push_back(play(environment, seed, [](const auto& state) {
                        const auto& [angle, speed] = state;
                        const double energy = 0.5 * speed * speed + 15.0 * (std::cos(angle) - 1.0);
                        if (std::cos(angle) > 0.9) return torque(-15.0 * environments::wrap_angle(angle) - 4.0 * speed);
                        return torque(energy < 0 ? std::copysign(2.0, speed) : -std::copysign(2.0, speed));
                      }).total);
  const Summary summary(returns);  // the sheet's controller of this kind: -153, deviation 89; three standard errors
  CHECK(summary.mean == Approx(-153).margin(3 * 89 / std::sqrt(100)));
  CHECK(summary.deviation == Approx(89).margin(3 * 89 / std::sqrt(2 * 100)));
}

// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include <mellow/environments/acrobot.hpp>
#include <mellow/environments/check.hpp>

#include "environments/support.hpp"

using namespace mellow;
using environments::Acrobot;
using environments::TimeLimit;

// Numbers of classic_environments.md 3.2. Its first observation, official, is of wider bounds than our reset has.
TEST_CASE("Acrobot's references") {
  NumpyGenerator rng(0);
  Acrobot environment;
  environment.reset(rng);
  CHECK(environment.state() ==
        Acrobot::State{0.02739233709871769, -0.046042658388614655, -0.09180529415607452, -0.0966944694519043});
  const Acrobot::State after[] = {
      {-0.007764280106326814, -0.023741061975474823, -0.25169676511091765, 0.3100071869368762},
      {-0.0418551206185673, 0.0019326911513616388, -0.08175188501823655, -0.06249763869603486},
      {-0.05249272146562356, -0.014695954116402649, -0.023047527575049465, -0.10246668630289306}};
  const Index actions[] = {2, 0, 1};
  for (int i = 0; i < 3; ++i) {
    const Step step = environment.step(actions[i], rng);
    CHECK((step.reward == -1 && !step.terminated && !step.truncated));
    expect_state(environment.state(), after[i], 1e-12);
  }

  rng = NumpyGenerator(42);
  environment.reset(rng);
  for (Index k = 0; k < 50; ++k) environment.step(k % 3, rng);
  expect_state(environment.state(), {-0.0031278636842198, 0.0858897327889486, -0.0908874701537625, 0.2264131345370661},
               1e-9);

  environment.set_state({0.1, -0.2, 0.3, -0.4});
  environment.step(0, rng);
  expect_state(environment.state(),
               {0.1544280535176176, -0.2796784625217692, 0.23102745634235644, -0.37533176739803126}, 1e-12);
}

TEST_CASE("An official first observation of Acrobot") {  // reset(seed=123, options={"low": -0.2, "high": 0.2})
  NumpyGenerator rng(123);
  Acrobot::State state;
  for (double& x : state) x = static_cast<float>(rng.uniform(-0.2, 0.2));
  const std::array<float, 6> official{0.997341f, 0.07287608f, 0.9841162f, -0.17752565f, -0.11185605f, -0.12625128f};
  const auto ours = Acrobot::observation(state);
  for (std::size_t i = 0; i < 6; ++i) CHECK(std::abs(ours[i] - official[i]) <= 6e-8f);
}

TEST_CASE("Pumping energy swings Acrobot up") {
  TimeLimit environment(Acrobot{}, 500);
  std::vector<double> returns;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Episode episode = play(environment, seed, [](const auto& state) { return Index{state[2] > 0 ? 0 : 2}; });
    CHECK(episode.terminated);
    CHECK(episode.total == -static_cast<double>(episode.steps - 1));  // the last step costs nothing
    returns.push_back(episode.total);
  }
  const Summary summary(returns);
  CHECK(summary.mean == Approx(-85.1).margin(0.05));
  CHECK(summary.deviation == Approx(14.9).margin(0.1));
  CHECK(summary.smallest == -154);
  CHECK(summary.largest == -69);
  CHECK(returns[42] == -93);
}

TEST_CASE("Acrobot stays in its bounds, and random actions hardly ever end an episode") {
  Rng rng(0);
  TimeLimit environment(Acrobot{}, 500);
  std::vector<double> returns;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    bool within = true;
    returns.push_back(play(environment, seed, [&](const auto& state) {
                        within &= std::abs(state[0]) <= std::numbers::pi + 1e-15 &&
                                  std::abs(state[1]) <= std::numbers::pi + 1e-15 &&
                                  std::abs(state[2]) <= Acrobot::speed_limit_1 &&
                                  std::abs(state[3]) <= Acrobot::speed_limit_2;
                        return rng.below(3);
                      }).total);
    CHECK(within);
  }
  CHECK(Summary(returns).mean == Approx(-499.5).margin(1.5));
  environments::check(environment);
}

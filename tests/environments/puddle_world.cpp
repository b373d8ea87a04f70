// SPDX-License-Identifier: Apache-2.0
// Numbers of classic_environments, section 6.
#include <mellow/environments/check.hpp>
#include <mellow/environments/puddle_world.hpp>
#include <mellow/environments/rectangle_puddle_world.hpp>
#include <mellow/environments/time_limit.hpp>

#include "environments/support.hpp"

using namespace mellow;
using environments::PuddleWorld;
using environments::RectanglePuddleWorld;

TEST_CASE("Puddles are as deep as their distance says") {
  CHECK(PuddleWorld::depth({0.3, 0.75}) == Approx(0.1));
  CHECK(PuddleWorld::depth({0.45, 0.85}) == Approx(0.05));
  CHECK(PuddleWorld::depth({0.5, 0.6}) == Approx(0.05));
  CHECK(PuddleWorld::depth({0.2, 0.2}) == 0.0);
  CHECK(PuddleWorld::depth({0.05, 0.75}) == Approx(0.05));  // beyond the end of a segment: round
  CHECK(PuddleWorld::depth({0.45, 0.35}) == Approx(0.05));
}

TEST_CASE("Puddle world's rewards, moves and goal") {
  Rng rng(0);
  PuddleWorld environment;
  const double directions[4][2] = {{0.05, 0}, {0, 0.05}, {-0.05, 0}, {0, -0.05}};
  for (Index action = 0; action < 4; ++action) {
    double mean[2] = {0, 0}, squares = 0;
    constexpr int draws = 4000;
    for (int i = 0; i < draws; ++i) {
      environment.set_state({0.3, 0.5});
      const Step step = environment.step(action, rng);
      CHECK(step.reward == -1.0 - 400.0 * PuddleWorld::depth(environment.state()));
      for (std::size_t d = 0; d < 2; ++d) {
        const double moved = environment.state()[d] - (d == 0 ? 0.3 : 0.5);
        mean[d] += moved / draws;
        squares += (moved - directions[action][d]) * (moved - directions[action][d]) / (2 * draws);
      }
    }
    for (std::size_t d = 0; d < 2; ++d) CHECK(std::abs(mean[d] - directions[action][d]) < 4 * 0.01 / std::sqrt(draws));
    CHECK(std::sqrt(squares) == Approx(0.01).epsilon(0.05));
  }
  environment.set_state({0.97, 0.97});
  const Step step = environment.step(0, rng);
  CHECK((step.terminated && step.reward == 0.0));
  for (int i = 0; i < 1000; ++i) {
    environment.reset(rng);
    CHECK_FALSE(PuddleWorld::in_goal(environment.state()));
  }
  environments::check(environments::TimeLimit(PuddleWorld{}, 1000));
}

TEST_CASE("Rectangular puddles: rewards are of acting at a place") {
  Rng rng(0);
  RectanglePuddleWorld environment;
  environment.reset(rng);
  CHECK(environment.state() == RectanglePuddleWorld::State{0.25, 0.6});
  CHECK(environment.step(0, rng).reward == -1.0);  // the start lies on a border, which is inside
  const auto reward_at = [&](const RectanglePuddleWorld::State& state, Index action) {
    environment.set_state(state);
    return environment.step(action, rng).reward;
  };
  CHECK(reward_at({0.55, 0.4}, 1) == -1.0);
  CHECK(reward_at({0.2, 0.5}, 0) == -0.001);
  CHECK(reward_at({0.7, 0.7}, 3) == -0.001);

  // The goal is entered where the move without noise enters it, wherever the noise leads.
  for (int i = 0; i < 100; ++i) {
    environment.set_state({0.87, 1.0});
    const Step enters = environment.step(3, rng);
    CHECK((enters.terminated && enters.reward == 1.0 - 0.001));
    environment.set_state({0.84, 1.0});
    CHECK_FALSE(environment.step(3, rng).terminated);
    environment.set_state({0.95, 1.0});  // within already
    CHECK_FALSE(environment.step(3, rng).terminated);
  }
}

TEST_CASE("Rectangular puddles: one axis moves, to five decimals, within the square") {
  Rng rng(0);
  for (const auto& goal : {RectanglePuddleWorld::State{1, 1}, {0, 1}, {0, 0}, {1, 0}}) {
    RectanglePuddleWorld environment(goal);
    const double directions[4][2] = {{0, 0.05}, {0, -0.05}, {-0.05, 0}, {0.05, 0}};
    for (Index action = 0; action < 4; ++action)
      for (int i = 0; i < 50; ++i) {
        environment.set_state({0.5, 0.5});
        environment.step(action, rng);
        for (std::size_t d = 0; d < 2; ++d) {
          const double x = environment.state()[d];
          CHECK(std::abs(x - std::round(x * 1e5) / 1e5) == 0.0);
          if (directions[action][d] == 0.0) CHECK(x == 0.5);
          else CHECK(std::abs(x - 0.5 - directions[action][d]) < 0.05);
        }
      }
    environments::check(environments::TimeLimit(environment, 200));
  }
  CHECK_THROWS_AS(RectanglePuddleWorld({1.5, 0.0}), Error);
}

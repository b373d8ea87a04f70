// SPDX-License-Identifier: Apache-2.0
// Numbers of classic_environments.md 6.
#include <mellow/environments/check.hpp>
#include <mellow/environments/puddle_world.hpp>
#include <mellow/environments/rectangle_puddle_world.hpp>
#include <mellow/environments/time_limit.hpp>

#include "environments/support.hpp"

using namespace mellow;
using environments::PuddleWorld;
using environments::RectanglePuddleWorld;

namespace {
/// Noise that is always 0, and how often it was drawn.
struct Still {
  int draws = 0;
  double normal(double mean, double) {
    ++draws;
    return mean;
  }
};
}  // namespace

TEST_CASE("Puddles are as deep as their distance says") {
  CHECK(PuddleWorld::depth({0.3, 0.75}) == Approx(0.1));
  CHECK(PuddleWorld::depth({0.45, 0.85}) == Approx(0.05));
  CHECK(PuddleWorld::depth({0.5, 0.6}) == Approx(0.05));
  CHECK(PuddleWorld::depth({0.2, 0.2}) == 0.0);
  CHECK(PuddleWorld::depth({0.05, 0.75}) == Approx(0.05));  // beyond the end of a segment: round
  CHECK(PuddleWorld::depth({0.45, 0.35}) == Approx(0.05));
}

TEST_CASE("Puddle world's rewards where a step ends") {  // classic_environments.md 6: worked
  Still still;
  PuddleWorld environment;
  const auto reward_at = [&](double x, double y) {
    environment.set_state({x - 0.05, y});
    const Step step = environment.step(0, still);
    CHECK((!step.terminated && !step.truncated));
    expect_state(environment.state(), {x, y}, 1e-15);
    return step.reward;
  };
  CHECK(reward_at(0.3, 0.75) == Approx(-41).epsilon(1e-12));
  CHECK(reward_at(0.45, 0.85) == Approx(-21).epsilon(1e-12));
  CHECK(reward_at(0.5, 0.6) == Approx(-21).epsilon(1e-12));
  CHECK(reward_at(0.2, 0.2) == -1);
  // In both puddles the deeper one counts alone.
  CHECK(reward_at(0.45, 0.75) == Approx(-41).epsilon(1e-12));
  CHECK(reward_at(0.4, 0.78) == Approx(-1 - 400 * 0.07).epsilon(1e-12));   // 0.03 and 0.05 from the segments
  CHECK(reward_at(0.48, 0.69) == Approx(-1 - 400 * 0.07).epsilon(1e-12));  // sqrt(0.03^2 + 0.06^2) and 0.03
  CHECK(still.draws == 2 * 7);
}

TEST_CASE("Puddle world's moves, borders and goal without noise") {
  Still still;
  PuddleWorld environment;
  const auto moved = [&](const PuddleWorld::State& from, Index action) {
    environment.set_state(from);
    environment.step(action, still);
    return environment.state();
  };
  const PuddleWorld::State middle{0.5, 0.25}, corner{0.02, 0.02}, other{0.99, 0.97};
  expect_state(moved(middle, 0), {0.55, 0.25}, 1e-15);
  expect_state(moved(middle, 1), {0.5, 0.3}, 1e-15);
  expect_state(moved(middle, 2), {0.45, 0.25}, 1e-15);
  expect_state(moved(middle, 3), {0.5, 0.2}, 1e-15);
  CHECK(moved(corner, 2) == PuddleWorld::State{0, 0.02});
  CHECK(moved(corner, 3) == PuddleWorld::State{0.02, 0});
  CHECK(moved(other, 0) == PuddleWorld::State{1, 0.97});
  CHECK(moved(other, 1) == PuddleWorld::State{0.99, 1});
  CHECK_FALSE(PuddleWorld::in_goal({1.0, 0.9}));  // x + y > 1.9
  CHECK(PuddleWorld::in_goal({1.0, 0.9000001}));
  CHECK(PuddleWorld::in_goal({0.95, 0.9500001}));

  Rng rng(1);  // starts are uniform outside of the goal, whose corner takes 0.005 of the square
  constexpr int starts = 100'000, cells = 10;
  Eigen::Array<double, cells, cells> counts = decltype(counts)::Zero();
  for (int i = 0; i < starts; ++i) {
    environment.reset(rng);
    const auto [x, y] = environment.state();
    ++counts(static_cast<Index>(x * cells), static_cast<Index>(y * cells));
  }
  for (Index x = 0; x < cells; ++x)
    for (Index y = 0; y < cells; ++y) {
      const double expected = starts * (x + y == 2 * (cells - 1) ? 0.005 : 0.01) / 0.995;
      CHECK(std::abs(counts(x, y) - expected) <= 5 * std::sqrt(expected));
    }
}

TEST_CASE("Puddle world's noise and goal") {
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

TEST_CASE("Rectangular puddles: corners, and a goal in each corner of the square") {
  for (const auto& [left, right, low, high] :
       {std::array{0.1, 0.55, 0.6, 0.8}, {0.3, 0.55, 0.4, 0.6}})  // closed rectangles
    for (const double x : {left, right})
      for (const double y : {low, high}) {
        CHECK(RectanglePuddleWorld::in_puddle({x, y}));
        const double outwards = x == left ? -1e-5 : 1e-5;
        CHECK(RectanglePuddleWorld::in_puddle({x + outwards, y}) == (left == 0.3 && x == left && y == high));
      }
  CHECK_FALSE(RectanglePuddleWorld::in_puddle({0.2, 0.80001}));
  CHECK_FALSE(RectanglePuddleWorld::in_puddle({0.4, 0.39999}));
  CHECK_FALSE(RectanglePuddleWorld::in_puddle({0.2, 0.59999}));

  for (const auto& goal : {RectanglePuddleWorld::State{1, 1}, {0, 1}, {0, 0}, {1, 0}}) {
    RectanglePuddleWorld environment(goal);
    Still still;
    const auto from = [&](double distance) {  // towards the goal along the first axis
      environment.set_state({std::abs(goal[0] - distance), goal[1]});
      return environment.step(goal[0] == 1 ? 3 : 2, still);
    };
    const Step enters = from(0.149), misses = from(0.151), within = from(0.1);
    CHECK((enters.terminated && enters.reward == 1 - 0.001));
    CHECK((!misses.terminated && misses.reward == -0.001));
    CHECK((!within.terminated && within.reward == -0.001));
    CHECK(still.draws == 3);  // one a step
  }
}

TEST_CASE("Rectangular puddles: the noise along the move has a deviation of 0.01") {
  Rng rng(2);
  RectanglePuddleWorld environment;
  constexpr int draws = 4000;
  for (Index action = 0; action < 4; ++action) {
    double mean = 0, squares = 0;
    for (int i = 0; i < draws; ++i) {
      environment.set_state({0.5, 0.5});
      environment.step(action, rng);
      const double along = environment.state()[action < 2 ? 1 : 0] - 0.5;
      const double beyond = (action == 0 || action == 3 ? along : -along) - 0.05;
      mean += beyond / draws;
      squares += beyond * beyond / draws;
    }
    CHECK(std::abs(mean) < 4 * 0.01 / std::sqrt(draws));
    CHECK(std::sqrt(squares) == Approx(0.01).epsilon(0.05));
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

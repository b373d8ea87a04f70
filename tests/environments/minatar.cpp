// SPDX-License-Identifier: Apache-2.0
// The five games of MinAtar: rules, and what they have in common.
#include <cmath>
#include <vector>

#include <mellow/core/legacy_numpy_generator.hpp>
#include <mellow/core/numpy_generator.hpp>
#include <mellow/data/storage.hpp>
#include <mellow/environments/any.hpp>
#include <mellow/environments/check.hpp>
#include <mellow/environments/minatar/asterix.hpp>
#include <mellow/environments/minatar/breakout.hpp>
#include <mellow/environments/minatar/freeway.hpp>
#include <mellow/environments/minatar/seaquest.hpp>
#include <mellow/environments/minatar/space_invaders.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/environments/vectorized.hpp>
#include <mellow/tools/saved_state.hpp>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace mellow;
using namespace mellow::environments::minatar;

namespace {

constexpr Index none = 0, left = 1, up = 2, right = 3, down = 4, fire = 5;

/// Calls `use(game)` with each of the five.
template <class Use>
void for_each_game(const Options& options, const Use& use) {
  use(Asterix(options));
  use(Breakout(options));
  use(Freeway(options));
  use(Seaquest(options));
  use(SpaceInvaders(options));
}

template <class E>
Vector<float> seen(const E& game) {
  Vector<float> observation = Vector<float>::Constant(game.observation_space().size(), -1.0f);
  game.observe(observation);
  return observation;
}

/// Whether a cell shows a channel.
template <class E>
bool shows(const E& game, int channel, int x, int y) {
  return seen(game)[channel + E::channels * (x + 10 * y)] == 1.0f;
}

/// How many cells show a channel.
template <class E>
Index count(const E& game, int channel) {
  const Vector<float> observation = seen(game);
  Index total = 0;
  for (Index cell = 0; cell < 100; ++cell) total += observation[channel + E::channels * cell] == 1.0f;
  return total;
}

/// A generator that counts what is drawn from it.
struct Counted {
  double uniform() {
    ++uniforms;
    return 0.999;
  }
  Index below(Index) {
    ++integers;
    return 0;
  }
  int uniforms = 0, integers = 0;
};

/// Mean and standard error of the return of uniformly random actions, and the mean length.
struct RandomPlay {
  double mean = 0.0, error = 0.0, length = 0.0;
};

template <class E>
RandomPlay play_randomly(E game, int episodes) {
  Rng rng(5);
  const Discrete actions = game.action_space();
  double sum = 0.0, squares = 0.0, steps = 0.0;
  for (int i = 0; i < episodes; ++i) {
    game.reset(rng);
    double total = 0.0;
    for (bool over = false; !over; steps += 1.0) {
      const Step step = game.step(actions.sample(rng), rng);
      total += step.reward;
      over = step.terminated;
    }
    sum += total;
    squares += total * total;
  }
  const double mean = sum / episodes;
  return {mean, std::sqrt((squares / episodes - mean * mean) / episodes), steps / episodes};
}

}  // namespace

TEST_CASE("MinAtar's games keep the rules of environments, for all options") {
  for (const Options& options : {Options{}, Options{.sticky_action_probability = 0.0, .minimal_actions = true},
                                 Options{.sticky_action_probability = 1.0, .difficulty_ramping = false}})
    for_each_game(options, [](const auto& game) { environments::check(game, Rng(3), 3'000); });
}

TEST_CASE("MinAtar's spaces are Gymnasium's") {
  const auto expect = [](const auto& game, Index channels, Index minimal) {
    using E = std::remove_cvref_t<decltype(game)>;
    CHECK(game.observation_space().size() == 100 * channels);
    CHECK(game.observation_space().low == Vector<float>::Zero(100 * channels));
    CHECK(game.observation_space().high == Vector<float>::Ones(100 * channels));
    CHECK(E::channel_names.size() == static_cast<std::size_t>(channels));
    CHECK(game.action_space().n == 6);
    CHECK(E({.minimal_actions = true}).action_space().n == minimal);
  };
  expect(Asterix(), 4, 5);
  expect(Breakout(), 4, 3);
  expect(Freeway(), 7, 3);
  expect(Seaquest(), 10, 6);
  expect(SpaceInvaders(), 6, 4);
  CHECK(Breakout({.minimal_actions = true}).button(2) == Button::Right);
  CHECK(Freeway({.minimal_actions = true}).button(2) == Button::Down);
  CHECK(SpaceInvaders({.minimal_actions = true}).button(3) == Button::Fire);
  CHECK(Breakout().button(2) == Button::Up);
}

TEST_CASE("MinAtar refuses a probability that is none") {
  for (const double probability : {-0.1, 1.1, std::nan("")})
    CHECK_THROWS_WITH(Breakout({.sticky_action_probability = probability}),
                      Catch::Contains("minatar: sticky_action_probability must lie in [0, 1] (got "));
}

TEST_CASE("Breakout's ball falls along its diagonal, and past the paddle") {  // minatar.md 3: check
  Breakout game({.sticky_action_probability = 0.0});
  Counted rng;  // draws 0: the ball comes from the left
  game.reset(rng);
  CHECK(shows(game, 1, 0, 3));
  CHECK(shows(game, 2, 0, 3));
  CHECK(shows(game, 0, 4, 9));
  CHECK(count(game, 3) == 30);
  for (int i = 1; i <= 5; ++i) {
    const Step step = game.step(none, rng);
    CHECK(step.reward == 0.0);
    CHECK_FALSE(step.terminated);
    CHECK(shows(game, 1, i, 3 + i));
    CHECK(shows(game, 2, i - 1, 2 + i));
    CHECK(count(game, 1) == 1);
  }
  const Step last = game.step(none, rng);
  CHECK(last.terminated);
  CHECK_FALSE(last.truncated);
  CHECK(last.reward == 0.0);
}

TEST_CASE("Breakout's wall is laid again for a player who follows the ball") {  // minatar.md 7
  Breakout game({.sticky_action_probability = 0.0});
  LegacyNumpyGenerator rng(1);
  game.reset(rng);
  double total = 0.0;
  for (int i = 0; i < 5'000; ++i) {
    int ball = 0, paddle = 0;
    for (int x = 0; x < 10; ++x) {
      if (shows(game, 0, x, 9)) paddle = x;
      for (int y = 0; y < 10; ++y)
        if (shows(game, 1, x, y)) ball = x;
    }
    const Step step = game.step(ball < paddle ? left : ball > paddle ? right : none, rng);
    REQUIRE_FALSE(step.terminated);
    total += step.reward;
  }
  CHECK(total == 417.0);
}

TEST_CASE("Freeway's chicken steps every third time, and an episode takes 2501 steps") {  // minatar.md 4: check
  Freeway game({.sticky_action_probability = 0.0});
  LegacyNumpyGenerator rng(1);
  game.reset(rng);
  double total = 0.0;
  int length = 0;
  for (bool over = false; !over;) {
    const Step step = game.step(up, rng);
    ++length;
    total += step.reward;
    over = step.terminated;
    if (length == 3) CHECK(shows(game, 0, 4, 9));
    if (length == 4) CHECK(shows(game, 0, 4, 8));
  }
  CHECK(length == 2501);
  CHECK(total == 37.0);
}

TEST_CASE("Asterix lets something in every 10 steps, at most one a row") {
  Asterix game({.sticky_action_probability = 0.0, .difficulty_ramping = false});
  Rng rng(1);
  game.reset(rng);
  CHECK(shows(game, 0, 5, 5));
  for (int i = 1; i <= 10; ++i) game.step(up, rng);
  CHECK(shows(game, 0, 5, 1));
  CHECK(count(game, 1) + count(game, 3) == 0);
  game.step(up, rng);
  CHECK(count(game, 1) + count(game, 3) == 1);
  CHECK(count(game, 2) == 1);  // it has moved in the step in which it came
  CHECK(shows(game, 0, 5, 1));
}

TEST_CASE("Seaquest's oxygen lasts 200 steps, and surfacing without divers ends it") {
  Seaquest game({.sticky_action_probability = 0.0});
  Rng rng(1);
  game.reset(rng);
  CHECK(count(game, 7) == 10);
  CHECK(count(game, 8) == 0);
  CHECK(shows(game, 0, 5, 0));
  CHECK(shows(game, 1, 6, 0));  // it faces left
  CHECK_FALSE(game.step(up, rng).terminated);
  CHECK(count(game, 7) == 10);  // no oxygen is used at the surface
  CHECK_FALSE(game.step(down, rng).terminated);
  CHECK(count(game, 7) == 9);
  CHECK(game.step(up, rng).terminated);
}

TEST_CASE("Seaquest's bullets fly to the side it faces, at most every five steps") {
  Seaquest game({.sticky_action_probability = 0.0});
  Rng rng(1);
  game.reset(rng);
  game.step(fire, rng);
  CHECK(shows(game, 2, 4, 0));
  for (int i = 0; i < 4; ++i) game.step(fire, rng);
  CHECK(count(game, 2) == 1);
  game.step(right, rng);
  game.step(fire, rng);
  CHECK(shows(game, 2, 7, 0));
}

TEST_CASE("Space Invaders march, and a shot alien pays 1") {
  SpaceInvaders game({.sticky_action_probability = 0.0});
  Counted rng;
  game.reset(rng);
  CHECK(count(game, 1) == 24);
  CHECK(count(game, 2) == 24);
  CHECK(count(game, 3) == 0);
  double total = 0.0;
  for (int i = 0; i < 6; ++i) total += game.step(i == 0 ? fire : none, rng).reward;
  CHECK(total == 1.0);
  CHECK(count(game, 1) == 23);
  for (int i = 6; i < 12; ++i) game.step(left, rng);
  CHECK(shows(game, 1, 2, 0));
  game.step(left, rng);
  CHECK(shows(game, 1, 1, 0));
  CHECK(rng.integers == 0);
}

TEST_CASE("A MinAtar game that is over pays nothing and changes nothing until its reset") {
  for_each_game({}, [](auto game) {
    using E = decltype(game);
    Rng rng(2);
    game.reset(rng);
    int length = 0;
    while (!game.step(game.action_space().sample(rng), rng).terminated) REQUIRE(++length < 100'000);
    const Vector<float> end = seen(game);
    for (int i = 0; i < 20; ++i) {
      const Step step = game.step(game.action_space().sample(rng), rng);
      CHECK(step.reward == 0.0);
      CHECK(step.terminated);
      CHECK(seen(game) == end);
    }
    game.reset(rng);
    CHECK(seen(game) != end);
    CHECK_FALSE(game.step(none, rng).terminated);
    CHECK(E::features == end.size());
  });
}

TEST_CASE("Every step of MinAtar draws whether an action sticks, at probability 0 too") {
  for (const double probability : {0.0, 0.1}) {
    SpaceInvaders game({.sticky_action_probability = probability});
    Counted rng;
    game.reset(rng);
    for (int i = 1; i <= 40; ++i) {
      game.step(none, rng);
      CHECK(rng.uniforms == i);
    }
  }
}

TEST_CASE("MinAtar's last action sticks across a reset") {
  struct Choice {  // sticks or does not
    double uniform() const { return value; }
    Index below(Index) const { return 0; }
    double value;
  };
  Choice fresh{0.5}, sticking{0.05};
  SpaceInvaders game;
  game.reset(fresh);
  game.step(left, fresh);
  CHECK(shows(game, 0, 4, 9));
  game.step(right, sticking);
  CHECK(shows(game, 0, 3, 9));
  game.reset(fresh);
  CHECK(shows(game, 0, 5, 9));
  game.step(right, sticking);
  CHECK(shows(game, 0, 4, 9));
  SpaceInvaders other;
  other.reset(fresh);
  other.step(right, sticking);  // before any action nothing is pressed
  CHECK(shows(other, 0, 5, 9));
}

TEST_CASE("A saved MinAtar game goes on exactly, and a copy is independent") {
  const TemporaryDirectory directory;
  for_each_game({}, [&](auto game) {
    using E = decltype(game);
    Rng rng(4), actions(5);
    game.reset(rng);
    const auto play = [](E& e, Rng& chance, Rng& choice) {
      const Step step = e.step(choice.below(6), chance);
      if (step.terminated) e.reset(chance);
      return step.reward;
    };
    for (int i = 0; i < 500; ++i) play(game, rng, actions);
    tools::save_state(directory / "game.safetensors", game);
    E loaded, copy = game;
    tools::load_state(directory / "game.safetensors", loaded);
    CHECK(first_difference(loaded, game).empty());
    const E before = copy;
    Rng loaded_rng = rng, loaded_actions = actions, copy_rng = rng, copy_actions = actions;
    double earned = 0.0, loaded_earned = 0.0, copy_earned = 0.0;
    for (int i = 0; i < 2'000; ++i) {
      earned += play(game, rng, actions);
      loaded_earned += play(loaded, loaded_rng, loaded_actions);
      REQUIRE(first_difference(loaded, game).empty());
    }
    CHECK(first_difference(copy, before).empty());
    for (int i = 0; i < 2'000; ++i) copy_earned += play(copy, copy_rng, copy_actions);
    CHECK(first_difference(copy, game).empty());
    CHECK(seen(copy) == seen(game));
    CHECK(loaded_earned == earned);
    CHECK(copy_earned == earned);
  });
}

TEST_CASE("MinAtar games play behind other types as they do alone") {
  using environments::Any, environments::TimeLimit, environments::Vectorized;
  for_each_game({}, [](auto game) {
    Any<> any(TimeLimit(game, 50));
    TimeLimit limited(game, 50);
    Vectorized many(TimeLimit(game, 50), 3);
    Rng rng(6), any_rng(6), seeds(6), actions(7);
    Rng first = Rng(6).split();
    TimeLimit alone = limited;
    limited.reset(rng);
    any.reset(any_rng);
    many.reset(seeds);
    alone.reset(first);
    for (int i = 0; i < 300; ++i) {
      const Index action = actions.below(6);
      const Step a = limited.step(action, rng), b = any.step(action, any_rng), c = alone.step(action, first);
      const auto& steps = many.step(Vector<Index>::Constant(3, action));
      CHECK(a.reward == b.reward);
      CHECK(steps.rewards[0] == c.reward);
      if (a.terminated || a.truncated) limited.reset(rng);
      if (b.terminated || b.truncated) any.reset(any_rng);
      if (c.terminated || c.truncated) alone.reset(first);
      CHECK(seen(limited) == seen(any));
      CHECK(many.observations().col(0) == seen(alone));
    }
  });
}

TEST_CASE("MinAtar's observations survive a replay in bits") {
  for_each_game({}, [](auto game) {
    Rng rng(8);
    game.reset(rng);
    for (int i = 0; i < 100; ++i) {
      const Vector<float> observation = seen(game);
      std::vector<std::byte> stored(static_cast<std::size_t>(data::Bits::bytes(observation.size())));
      Vector<float> back(observation.size());
      data::Bits::encode(observation.data(), observation.size(), stored.data());
      data::Bits::decode(stored.data(), observation.size(), back.data());
      CHECK(back == observation);
      if (game.step(rng.below(6), rng).terminated) game.reset(rng);
    }
  });
}

TEST_CASE("MinAtar's random player earns what the package's does") {  // minatar.md 7: means of 300 episodes, Freeway 40
  const auto expect = [](const auto& game, int episodes, double mean, double error) {
    const RandomPlay ours = play_randomly(game, episodes);
    CAPTURE(ours.mean, ours.error, mean, error);
    CHECK(std::abs(ours.mean - mean) < 4 * std::hypot(ours.error, error));
    return ours.length;
  };
  CHECK(expect(Asterix(), 3'000, 0.53, 0.05) == Approx(68.5).epsilon(0.1));
  CHECK(expect(Breakout(), 3'000, 0.54, 0.04) == Approx(11.5).epsilon(0.1));
  CHECK(expect(Freeway(), 100, 0.10, 0.05) == 2501.0);
  CHECK(expect(Seaquest(), 3'000, 0.11, 0.02) == Approx(30.9).epsilon(0.1));
  CHECK(expect(SpaceInvaders(), 3'000, 2.92, 0.15) == Approx(53.4).epsilon(0.1));
}

TEST_CASE("MinAtar takes any of the library's generators") {
  for_each_game({}, [](auto game) {
    const auto play = [&](auto rng) {
      game.reset(rng);
      for (int i = 0; i < 100; ++i)
        if (game.step(i % 6, rng).terminated) game.reset(rng);
      return seen(game).sum();
    };
    CHECK(play(NumpyGenerator(1)) > 0.0f);
    CHECK(play(LegacyNumpyGenerator(1)) > 0.0f);
    CHECK(play(Rng(1)) > 0.0f);
  });
}

// SPDX-License-Identifier: Apache-2.0
#include "mellow/core/nearest.hpp"

#include <catch2/catch.hpp>

using mellow::edit_distance, mellow::nearest;

TEST_CASE("The edit distance counts what must change, and is a metric") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("flaw", "lawn") == 2);
  const std::vector<std::string> words{"", "a", "ab", "acrobot", "acrobat", "robot", "pendulum", "cartpole"};
  for (const auto& a : words)
    for (const auto& b : words) {
      CHECK((edit_distance(a, b) == 0) == (a == b));
      CHECK(edit_distance(a, b) == edit_distance(b, a));
      for (const auto& c : words) CHECK(edit_distance(a, c) <= edit_distance(a, b) + edit_distance(b, c));
    }
}

TEST_CASE("The nearest name is the likely one, and none where too much would have to change") {
  const std::vector<std::string> known{"acrobot", "cartpole", "pendulum"};
  CHECK(nearest("acrobat", known) == "acrobot");
  CHECK(nearest("cart-pole", known) == "cartpole");
  CHECK(nearest("pendulum", known) == "pendulum");
  CHECK(nearest("taxi", known).empty());
  CHECK(nearest("", known).empty());
  CHECK(nearest("a", {"ab", "b"}) == "ab");
  CHECK(nearest("a", {}).empty());
  CHECK(nearest("CartPole", {"chain", "CartPole-v1", "CartPole-v0"}) == "CartPole-v1");
  CHECK(nearest("cartpole", {"chain", "CartPole-v1"}) == "CartPole-v1");
  CHECK(nearest("MELLOWMAX", {"max", "mellowmax"}) == "mellowmax");
  CHECK(nearest("Ca", {"CartPole-v1"}).empty());
  CHECK(nearest("cart-pole", {"rounded-cart-pole", "CartPole-v1"}) == "CartPole-v1");
  CHECK(nearest("breakout", {"MinAtar/Asterix-v0", "MinAtar/Breakout-v0"}) == "MinAtar/Breakout-v0");
  CHECK(nearest("learning_rate", {"learning_starts", "optimizer.learning_rate"}) == "optimizer.learning_rate");
  CHECK(nearest("rate", {"optimizer.learning_rate", "rate_of_decay"}) == "rate_of_decay");
  CHECK(nearest("--", known).empty());
}

// SPDX-License-Identifier: Apache-2.0
#include <mellow/core/spaces.hpp>

#include "support/catch.hpp"

using namespace mellow;

TEST_CASE("Samples lie in their space") {
  Rng rng(1);
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const Discrete three(3);
  const Box box(Eigen::Vector4f(-1, -infinity, 2, -infinity), Eigen::Vector4f(1, infinity, infinity, -3));
  bool seen[3] = {};
  for (int i = 0; i < 200; ++i) {
    const Index k = three.sample(rng);
    REQUIRE(three.contains(k));
    seen[k] = true;
    REQUIRE(box.contains(box.sample(rng)));
  }
  CHECK((seen[0] && seen[1] && seen[2]));
  CHECK_FALSE(three.contains(3));
  CHECK_FALSE(three.contains(-1));
  CHECK_FALSE(box.contains(Vector<float>::Zero(3)));
  CHECK_FALSE(box.contains(Eigen::Vector4f(1.5f, 0, 2, -3)));
}

TEST_CASE("Spaces that make no sense are refused, with the dimension") {
  CHECK_THROWS_AS(Discrete(0), Error);
  CHECK_THROWS_AS(Box(0, 0.0f, 1.0f), Error);
  CHECK_THROWS_WITH(Box(Eigen::Vector2f(0, 2), Eigen::Vector2f(1, 1)),
                    Catch::Contains("dimension 1") && Catch::Contains("2 and 1"));
  CHECK_THROWS_AS(Box(Vector<float>::Zero(2), Vector<float>::Ones(3)), Error);
}

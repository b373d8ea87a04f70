// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <mellow/core/rng.hpp>
#include <mellow/environments/square.hpp>

#include "support/catch.hpp"

using namespace mellow;

TEST_CASE("A square as a power has the bits of std::pow, which are not always those of a product") {
  Rng rng(1);
  volatile double two = 2.0;  // compilers take pow(x, 2.0) for x * x
  int other = 0;
  for (int i = 0; i < 1'000'000; ++i) {
    const double x = rng.uniform(-30.0, 30.0) * (i % 2 == 0 ? 1.0 : 1e-3);
    const double power = std::pow(x, two);
    REQUIRE(environments::square_as_power(x) == power);
    other += power != x * x;
  }
  CHECK(other < 10'000);
  for (const double x : {0.0, -0.0, 1e-170, -1e-300, 1e160, 1.0, -3.0})
    CHECK(environments::square_as_power(x) == std::pow(x, two));
}

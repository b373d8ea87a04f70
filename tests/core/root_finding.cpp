// SPDX-License-Identifier: Apache-2.0
#include <mellow/core/root_finding.hpp>

#include "support/catch.hpp"

using namespace mellow;

TEST_CASE("find_root finds roots to the last place in few evaluations") {
  int evaluations = 0;
  const auto count = [&](auto&& f) { return [&evaluations, f](double x) { return ++evaluations, f(x); }; };
  CHECK(find_root(count([](double x) { return std::pair(x * x - 2, 2 * x); }), 0, 2) ==
        Approx(std::sqrt(2.0)).epsilon(1e-15));
  CHECK(evaluations <= 10);
  CHECK(find_root([](double x) { return std::pair(std::exp(x) - 1e-3, std::exp(x)); }, -100, 100) ==
        Approx(std::log(1e-3)).epsilon(1e-14));
  CHECK(find_root([](double x) { return std::pair(std::cbrt(x - 1), 1.0 / 3.0 / std::pow(std::cbrt(x - 1), 2)); }, -5,
                  50) == Approx(1).epsilon(1e-8));  // on which Newton's method alone diverges
  CHECK(find_root([](double x) { return std::pair(std::atan(x - 3), 1 / (1 + (x - 3) * (x - 3))); }, -1e6, 1e6) ==
        Approx(3).epsilon(1e-14));
}

TEST_CASE("find_root takes roots at the ends and refuses what does not rise through 0") {
  const auto line = [](double x) { return std::pair(x, 1.0); };
  CHECK(find_root(line, 0, 1) == 0);
  CHECK(find_root(line, -1, 0) == 0);
  CHECK_THROWS_WITH(find_root(line, 1, 2), Catch::Contains("rise through 0 between 1 and 2"));
  CHECK_THROWS_AS(find_root([](double x) { return std::pair(-x, -1.0); }, -1, 1), Error);
  CHECK_THROWS_AS(find_root([](double) { return std::pair(std::nan(""), 1.0); }, -1, 1), Error);
}

// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <mellow/core/rng.hpp>
#include <mellow/environments/angles.hpp>

#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::environments;

TEST_CASE("Sine and cosine are right but for rounding") {
  Rng rng(0);
  double units = 0.0, error = 0.0;  // largest so far
  const auto compare = [&](double x) {
    const auto add = [&](double value, long double exact) {
      const auto rounded = static_cast<double>(std::abs(exact));
      const auto difference = static_cast<double>(std::abs(static_cast<long double>(value) - exact));
      units = std::max(units, difference / (std::nextafter(rounded, 2.0) - rounded));
      error = std::max(error, difference);
    };
    add(sin_cos(x).sin, std::sin(static_cast<long double>(x)));
    add(sin_cos(x).cos, std::cos(static_cast<long double>(x)));
  };
  for (const double width : {1e-3, 1.0, 10.0, 1e3})
    for (int i = 0; i < 20'000; ++i) compare(rng.uniform(-width, width));
  CHECK(units <= 1.6);
  for (int i = 0; i < 20'000; ++i) compare(rng.uniform(-1e6, 1e6));
  for (int k = -1000; k <= 1000; ++k)  // beside and at the multiples of pi/4, where a reduction loses most
    for (const double beside : {0.0, 1e-9, -1e-9}) compare(k * (std::numbers::pi / 4) + beside);
  CHECK(error <= 1.5e-16);
}

TEST_CASE("Sine and cosine at zero and of NaN") {
  CHECK((sin_cos(0.0).sin == 0.0 && sin_cos(0.0).cos == 1.0));
  CHECK(std::isnan(sin_cos(std::nan("")).sin));
}

TEST_CASE("Angles are wrapped into [-pi, pi]") {
  Rng rng(1);
  CHECK(wrap_angle(1.0) == 1.0);
  CHECK(wrap_angle(-3.0) == -3.0);
  CHECK(wrap_angle(4.0) == 4.0 - 2.0 * std::numbers::pi);
  CHECK(wrap_angle(-4.0) == -4.0 + 2.0 * std::numbers::pi);
  for (int i = 0; i < 10'000; ++i) {
    const double angle = rng.uniform(-100.0, 100.0), wrapped = wrap_angle(angle);
    REQUIRE(std::abs(wrapped) <= std::numbers::pi + 1e-13);
    REQUIRE(std::abs(std::remainder(angle - wrapped, 2.0 * std::numbers::pi)) <= 1e-13);
  }
}

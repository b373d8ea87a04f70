// SPDX-License-Identifier: Apache-2.0
#include <mellow/core/schedule.hpp>

#include "support/catch.hpp"

using namespace mellow;

TEST_CASE("A number is a constant schedule") {
  const Schedule constant = 0.25;
  for (const Index step : {Index{0}, Index{1}, Index{1} << 40}) CHECK(constant(step) == 0.25);
}

TEST_CASE("Schedules start and end where they say and stay there") {
  for (const auto& schedule : {linear(1, 0.1, 100), cosine(1, 0.1, 100), exponential(1, 0.1, 100)}) {
    CHECK(schedule(0) == Approx(1));
    CHECK(schedule(100) == Approx(0.1));
    CHECK(schedule(1'000'000) == Approx(0.1));
    CHECK(schedule.minimum() == 0.1);
    CHECK(schedule.maximum() == 1);
    for (Index i = 0; i < 100; ++i) CHECK(schedule(i + 1) < schedule(i));
  }
  CHECK(linear(1, 0, 10)(4) == Approx(0.6));
  CHECK(cosine(1, 0, 10)(5) == Approx(0.5));
  CHECK(exponential(1, 0.01, 10)(5) == Approx(0.1));
}

TEST_CASE("A warm-up rises from 0 to where the schedule begins, and the schedule follows") {
  for (const auto& then : {Schedule(0.5), linear(1, 0.1, 100), cosine(1, 0.1, 100), exponential(1, 0.1, 100)}) {
    const Schedule schedule = warm_up(10, then);
    CHECK(schedule(0) == 0);
    CHECK(schedule(5) == Approx(0.5 * then(0)));
    for (const Index step : {0, 1, 50, 100, 1000}) CHECK(schedule(10 + step) == then(step));
    CHECK(schedule.minimum() == 0);
    CHECK(schedule.maximum() == then(0));
  }
  CHECK_THROWS_AS(warm_up(0, 1.0), Error);
  CHECK_THROWS_WITH(warm_up(5, warm_up(7, 1.0)), Catch::Contains("got 7"));
}

TEST_CASE("A hold stays where the schedule begins, and the schedule follows") {
  for (const auto& then : {Schedule(0.5), linear(1, 0.1, 100), cosine(1, 0.1, 100), exponential(1, 0.1, 100)}) {
    const Schedule schedule = hold(10, then);
    for (const Index step : {0, 5, 9}) CHECK(schedule(step) == then(0));
    for (const Index step : {0, 1, 50, 100, 1000}) CHECK(schedule(10 + step) == then(step));
    CHECK(schedule.minimum() == then.minimum());
    CHECK(schedule.maximum() == then(0));
  }
  const Schedule dopamine = hold(20'000, linear(1, 0.01, 250'000));  // its epsilon
  CHECK(dopamine(0) == 1);
  CHECK(dopamine(20'000) == 1);
  CHECK(dopamine(145'000) == Approx(0.505));
  CHECK(dopamine(270'000) == 0.01);
  CHECK_THROWS_AS(hold(0, 1.0), Error);
  CHECK_THROWS_WITH(hold(5, hold(7, 1.0)), Catch::Contains("held already") && Catch::Contains("got 7"));
  CHECK_THROWS_WITH(hold(5, warm_up(7, 1.0)), Catch::Contains("warm-up already"));
  CHECK_THROWS_WITH(warm_up(5, hold(7, 1.0)), Catch::Contains("held already"));
}

TEST_CASE("Schedules that make no sense are refused") {
  CHECK_THROWS_AS(linear(1, 0, 0), Error);
  CHECK_THROWS_AS(linear(std::nan(""), 0, 10), Error);
  CHECK_THROWS_AS(exponential(1, 0, 10), Error);
}

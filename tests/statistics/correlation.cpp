// SPDX-License-Identifier: Apache-2.0
#include <mellow/statistics/correlation.hpp>
#include <mellow/statistics/share.hpp>

#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::statistics;
using Catch::Matchers::Message;

namespace {
Vector<double> numbers(std::initializer_list<double> values) {
  Vector<double> result(static_cast<Index>(values.size()));
  std::copy(values.begin(), values.end(), result.begin());
  return result;
}
}  // namespace

TEST_CASE("The correlation of a few numbers, by hand") {
  const auto x = numbers({1, 2, 3, 4}), y = numbers({2, 1, 4, 3});
  CHECK(correlation(x, y).value() == Approx(0.6).epsilon(1e-14));  // covariance 3 / 4, variances 5 / 4
  CHECK(correlation(x, x).value() == Approx(1).epsilon(1e-14));
  CHECK(correlation(x, Vector<double>(-3 * x.array() + 7)).value() == Approx(-1).epsilon(1e-14));
  CHECK(correlation(numbers({-1, 0, 1}), numbers({1, 0, 1})).value() == Approx(0).margin(1e-14));
}

TEST_CASE("A correlation knows neither units nor signs of zero, and stands large and small numbers") {
  Rng rng(1);
  Vector<double> x(50), y(50);
  for (Index i = 0; i < 50; ++i) {
    x[i] = rng.normal();
    y[i] = 0.5 * x[i] + rng.normal();
  }
  const double r = correlation(x, y).value();
  CHECK(correlation(y, x).value() == Approx(r).epsilon(1e-13));
  for (const double scale : {1e-200, 1e-3, 1e200}) {
    const Vector<double> scaled = scale * x;
    CHECK(correlation(scaled, y).value() == Approx(r).epsilon(1e-12));
    CHECK(correlation(y, -scaled).value() == Approx(-r).epsilon(1e-12));
  }
}

TEST_CASE("What does not vary has no correlation") {
  const auto x = numbers({1, 2, 3}), flat = numbers({0.1, 0.1, 0.1}), zero = numbers({0, 0, 0});
  CHECK_FALSE(correlation(x, flat));
  CHECK_FALSE(correlation(zero, x));
  Rng rng(1);
  CHECK_FALSE(bootstrap_correlation(flat, x, rng));
  CHECK_THROWS_MATCHES(
      correlation(x, numbers({1, 2})), Error,
      Message("statistics::correlation: both columns need the same numbers, one at least (got 3 and 2)"));
  CHECK_THROWS_AS(correlation(x, numbers({1, std::nan(""), 2})), Error);
  CHECK_THROWS_MATCHES(bootstrap_correlation(numbers({1, 2}), numbers({1, 2}), rng), Error,
                       Message("statistics::bootstrap_correlation: an interval needs three pairs (got 2)"));
}

TEST_CASE("The interval of a correlation holds the true one about as often as it says") {
  // Of normal pairs with a correlation of 0.6; 40 of each. The bootstrap's percentiles are somewhat narrow: 0.93 or so;
  // of 200 trials, 0.86 is five standard deviations below 0.95.
  Rng rng(2);
  int covered = 0;
  for (int trial = 0; trial < 200; ++trial) {
    Vector<double> x(40), y(40);
    for (Index i = 0; i < 40; ++i) {
      x[i] = rng.normal();
      y[i] = 0.6 * x[i] + 0.8 * rng.normal();
    }
    const auto estimate = bootstrap_correlation(x, y, rng, {.resamples = 500}).value();
    REQUIRE((estimate.low <= estimate.value && estimate.value <= estimate.high));
    covered += estimate.covers(0.6);
  }
  CHECK(covered >= 172);
}

TEST_CASE("Resamples that do not vary are drawn anew") {
  Rng rng(3);
  const auto estimate = bootstrap_correlation(numbers({0, 0, 1}), numbers({1, 0, 1}), rng, {.resamples = 200}).value();
  CHECK(estimate.value == Approx(0.5));
  CHECK(estimate.low >= -1);
  CHECK(estimate.high <= 1);
}

TEST_CASE("A share has Wilson's interval") {
  const auto half = share(5, 10);  // (0.5 + z^2 / 20 -+ z sqrt(1 / 40 + z^2 / 400)) / (1 + z^2 / 10)
  CHECK(half.value == 0.5);
  CHECK(half.low == Approx(0.236593).epsilon(1e-5));
  CHECK(half.high == Approx(0.763407).epsilon(1e-5));
  CHECK(share(0, 10).low == 0);
  CHECK(share(0, 10).high == Approx(0.277533).epsilon(1e-5));  // z^2 / (10 + z^2)
  CHECK(share(10, 10).low == Approx(1 - 0.277533).epsilon(1e-5));
  CHECK(share(10, 10).high == 1);
  CHECK_THROWS_AS(share(0, 0), Error);
  CHECK_THROWS_AS(share(3, 2), Error);
}

// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include <mellow/preference/elementary.hpp>

#include "support/catch.hpp"

using namespace mellow;

namespace {

/// Units in the last place between x and y, relative to y.
double ulps(double x, double y) { return std::abs(x - y) / (std::numeric_limits<double>::epsilon() * std::abs(y)); }

}  // namespace

TEST_CASE("The exponential is the standard library's to two units") {
  double worst = 0;
  for (int i = -700'000; i <= 700'000; i += 7)
    worst = std::max(worst, ulps(preference::exponential(1e-3 * i), std::exp(1e-3 * i)));
  for (int i = 0; i < 100'000; ++i)
    worst = std::max(worst, ulps(preference::exponential(-1e-5 * i), std::exp(-1e-5 * i)));
  CHECK(worst < 2.0);
  CHECK(preference::exponential(0.0) == 1.0);
  CHECK(preference::exponential(-1e9) > 0.0);
  CHECK(std::isfinite(preference::exponential(1e9)));
  CHECK(preference::exponential(-std::numeric_limits<double>::infinity()) < 1e-300);
  CHECK(std::isnan(preference::exponential(std::numeric_limits<double>::quiet_NaN())));
}

TEST_CASE("Softplus and sigmoid are exact for every size") {
  double worst = 0;
  for (int i = -60'000; i <= 60'000; ++i) {
    const double x = 0.01 * i;
    const long double e = std::exp(-std::abs(static_cast<long double>(x)));
    const auto softplus = static_cast<double>(std::max(static_cast<long double>(x), 0.0L) + std::log1p(e));
    const auto sigmoid = static_cast<double>((x < 0 ? e : 1.0L) / (1.0L + e));
    worst = std::max({worst, ulps(preference::softplus(x), softplus), ulps(preference::sigmoid(x), sigmoid)});
  }
  CHECK(worst < 4.0);
  CHECK(preference::softplus(0.0) == Approx(std::log(2.0)).epsilon(1e-15));
  CHECK(preference::sigmoid(0.0) == 0.5);
  CHECK(preference::softplus(1e300) == 1e300);
  CHECK(preference::log_sigmoid(-1e300) == -1e300);
  CHECK(std::isnan(preference::softplus(std::numeric_limits<double>::quiet_NaN())));
  CHECK(std::isnan(preference::sigmoid(std::numeric_limits<double>::quiet_NaN())));
}

TEST_CASE("The logarithm of a sum of exponentials") {
  CHECK(preference::log_add_exp(-1000.0, -1000.0) == Approx(-1000.0 + std::log(2.0)).epsilon(1e-15));
  CHECK(preference::log_add_exp(1.0, -1.0) == Approx(std::log(std::exp(1.0) + std::exp(-1.0))).epsilon(1e-15));
  CHECK(preference::log_add_exp(3.0, -1e9) == 3.0);
}

TEST_CASE("A number beyond a float's range is the largest float of its sign") {
  constexpr double most = std::numeric_limits<float>::max(), infinity = std::numeric_limits<double>::infinity();
  using preference::narrowed;
  for (const double x : {0.0, -0.1, 3e38, most}) CHECK(narrowed<float>(x) == static_cast<float>(x));
  for (const double x : {1.1 * most, 1e300, infinity}) {
    CHECK(narrowed<float>(x) == std::numeric_limits<float>::max());
    CHECK(narrowed<float>(-x) == -std::numeric_limits<float>::max());
    CHECK(narrowed<double>(x) == x);
  }
  CHECK(std::isnan(narrowed<float>(std::numeric_limits<double>::quiet_NaN())));
}

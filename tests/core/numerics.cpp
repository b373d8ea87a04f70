// SPDX-License-Identifier: Apache-2.0
#include <mellow/core/numerics.hpp>
#include <mellow/core/rng.hpp>

#include "support/gradient.hpp"

using namespace mellow;

TEST_CASE("log_sum_exp agrees with the naive formula where that works") {
  Rng rng(1);
  for (Index n = 1; n < 40; ++n) {
    Vector<double> x(n);
    for (double& v : x) v = rng.normal(0, 3);
    CHECK(log_sum_exp(x) == Approx(std::log(x.array().exp().sum())).epsilon(1e-13));
    CHECK(log_sum_exp(x.cast<float>()) == Approx(log_sum_exp(x)).epsilon(1e-5));
    const Vector<double> softmax = (x.array() - log_sum_exp(x)).exp();
    expect_gradient([](const Vector<double>& at) { return log_sum_exp(at); }, x, softmax);
  }
}

TEST_CASE("log_sum_exp neither overflows nor hides what is not finite") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  CHECK(log_sum_exp(Vector<double>::Constant(3, 1e4)) == Approx(1e4 + std::log(3.0)));
  CHECK(log_sum_exp(Vector<double>::Constant(3, -1e4)) == Approx(-1e4 + std::log(3.0)));
  CHECK(log_sum_exp(Vector<double>(0)) == -infinity);
  CHECK(log_sum_exp(Vector<double>::Constant(2, -infinity)) == -infinity);
  CHECK(log_sum_exp(Eigen::Vector2d(1, infinity)) == infinity);
  CHECK(log_sum_exp(Eigen::Vector2d(0, -infinity)) == 0);
  CHECK(std::isnan(log_sum_exp(Eigen::Vector3d(1, std::nan(""), 2))));
}

TEST_CASE("softmax is a distribution proportional to exp, without overflow") {
  Vector<double> p(3);
  softmax(Eigen::Vector3d(1, 2, 3), p);
  const double total = std::exp(1.0) + std::exp(2.0) + std::exp(3.0);
  for (int i = 0; i < 3; ++i) CHECK(p[i] == Approx(std::exp(i + 1.0) / total).epsilon(1e-14));
  softmax(Eigen::Vector3d(1e6, 1e6 - 1, -1e6), p);
  CHECK(p[0] == Approx(1 / (1 + std::exp(-1.0))));
  CHECK(p[2] == 0);
  p << 0, std::log(2.0), 0;
  softmax(p, p);  // in place
  CHECK((p - Eigen::Vector3d(0.25, 0.5, 0.25)).norm() < 1e-15);
}

TEST_CASE("Rounding to float gives what a conversion gives") {
  Rng rng(7);
  const auto expect_same = [](double x) {
    volatile const float converted = static_cast<float>(x);
    CHECK(std::bit_cast<std::uint64_t>(rounded_to_float(x)) ==
          std::bit_cast<std::uint64_t>(static_cast<double>(converted)));
  };
  for (const double x : {0.0, -0.0, 1.0, 1.0 + 0x1p-24, 1.0 + 0x3p-24, -1.0 - 0x1p-24, 2.0 - 0x1p-25, 0x1.fffffdp127,
                         std::numeric_limits<double>::infinity(), 0x1p-126})
    expect_same(x);  // ties go to the even neighbour, carries into the exponent
  for (int i = 0; i < 1'000; ++i) expect_same(std::ldexp(rng.normal(), static_cast<int>(rng.below(200)) - 100));
  for (const std::uint64_t nan : {0x7ff8000000000000u, 0x7fffffffffffffffu, 0x7ff0000000000001u})
    CHECK(std::isnan(rounded_to_float(std::bit_cast<double>(nan))));
}

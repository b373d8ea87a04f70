// SPDX-License-Identifier: Apache-2.0
#include <numbers>

#include <mellow/statistics/welch.hpp>

#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::statistics;
using Catch::Matchers::Message;

TEST_CASE("The incomplete beta function where it has a closed form, and its symmetry") {
  for (const double x : {0.0, 1e-8, 0.1, 0.5, 0.9, 0.999, 1.0}) {
    CHECK(incomplete_beta(1, 1, x) == Approx(x).epsilon(1e-13));
    CHECK(incomplete_beta(3, 1, x) == Approx(x * x * x).epsilon(1e-13));
    CHECK(incomplete_beta(1, 40, x) == Approx(1 - std::pow(1 - x, 40)).epsilon(1e-7));  // the power cancels
    CHECK(incomplete_beta(0.5, 0.5, x) == Approx(2 / std::numbers::pi * std::asin(std::sqrt(x))).epsilon(1e-13));
    for (const double a : {0.3, 2.0, 15.0, 800.0})
      for (const double b : {0.7, 9.0, 300.0})
        CHECK(incomplete_beta(a, b, x) + incomplete_beta(b, a, 1 - x) == Approx(1).epsilon(1e-10));  // 1 - x is rounded
  }
  CHECK_THROWS_AS(incomplete_beta(0, 1, 0.5), Error);
  CHECK_THROWS_AS(incomplete_beta(1, std::nan(""), 0.5), Error);
  CHECK_THROWS_AS(incomplete_beta(1, 1, 1.1), Error);
}

TEST_CASE("Student's t where its distribution is simple") {
  for (const double t : {0.0, 1e-9, 0.3, 1.0, 7.0, 1e5}) {
    // Cauchy's for one degree of freedom; 1 - |t| / sqrt(2 + t^2) for two.
    const double cauchy = t < 1 ? 1 - 2 / std::numbers::pi * std::atan(t) : 2 / std::numbers::pi * std::atan(1 / t);
    CHECK(student_t_two_sided(t, 1) == Approx(cauchy).epsilon(1e-12));
    CHECK(student_t_two_sided(-t, 1) == student_t_two_sided(t, 1));
    const double root = std::sqrt(2 + t * t);
    CHECK(student_t_two_sided(t, 2) == Approx(2 / (root * (root + t))).epsilon(1e-12));
    if (t < 10) CHECK(student_t_two_sided(t, 1e9) == Approx(std::erfc(t / std::numbers::sqrt2)).epsilon(1e-6));
  }
  CHECK(student_t_two_sided(1e200, 3) == 0);
}

TEST_CASE("Welch's test by hand") {
  const std::vector<double> a{1, 2, 3}, b{2, 4, 6, 8};  // means 2, 5; variances 1, 20 / 3
  const WelchTest test = welch_t_test(a, b), mirrored = welch_t_test(b, a);
  const double v_a = 1.0 / 3, v_b = 20.0 / 12;
  CHECK(test.difference == -3);
  CHECK(test.t == Approx(-3 / std::sqrt(v_a + v_b)));
  CHECK(test.degrees == Approx((v_a + v_b) * (v_a + v_b) / (v_a * v_a / 2 + v_b * v_b / 3)));
  CHECK(test.p_value == student_t_two_sided(test.t, test.degrees));
  CHECK(mirrored.t == -test.t);
  CHECK(mirrored.p_value == Approx(test.p_value).epsilon(1e-14));
}

TEST_CASE("Welch's test refuses what it cannot answer") {
  const std::vector<double> list{1, 2, 3}, flat{1, 1};
  const std::string where = "statistics::welch_t_test: ";
  CHECK_THROWS_MATCHES(welch_t_test(list, std::vector<double>{1}), Error,
                       Message(where + "a sample needs two numbers (got 1)"));
  CHECK_THROWS_MATCHES(welch_t_test(Matrix<double>::Ones(3, 2).eval(), list), Error,
                       Message(where + "it compares runs of one task (got 2)"));
  CHECK_THROWS_MATCHES(welch_t_test(flat, flat), Error, Message(where + "one of the samples must vary (got 0)"));
  CHECK(welch_t_test(list, flat).degrees == Approx(2));
  CHECK_THROWS_AS(welch_t_test(std::vector<double>{1e200, -1e200}, list), Error);
}

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <mellow/statistics/aggregates.hpp>
#include <mellow/statistics/incomplete_beta.hpp>
#include <mellow/statistics/scores.hpp>

namespace mellow::statistics {

/// What Welch's test found.
struct WelchTest {
  double difference = 0.0;  ///< mean of a - mean of b
  double t = 0.0;           ///< the difference in standard errors
  double degrees = 0.0;     ///< of freedom
  double p_value = 1.0;     ///< two-sided
};

/// Probability that |T| >= |t| for Student's t of `degrees` > 0 degrees of freedom:
/// I_x(degrees / 2, 1/2) at x = degrees / (degrees + t^2).
inline double student_t_two_sided(double t, double degrees) {
  const double squared = t * t, x = degrees / (degrees + squared), y = squared / (degrees + squared);
  return detail::incomplete_beta(0.5 * degrees, 0.5, std::isinf(squared) ? 0.0 : x, std::isinf(squared) ? 1.0 : y);
}

/// Welch's t-test (1947) of equal means of two samples of one task, whose variances may differ; two-sided.
///
///     t = (mean a - mean b) / sqrt(v_a + v_b),  v = variance / size,
///     degrees = (v_a + v_b)^2 / (v_a^2 / (size_a - 1) + v_b^2 / (size_b - 1))
///
/// It supposes means that are nearly normal; with few runs and odd distributions use permutation_test(). Throws Error
/// for tables of several tasks, fewer than two numbers, or samples that do not vary at all.
inline WelchTest welch_t_test(const Scores& a, const Scores& b) {
  constexpr auto where = "statistics::welch_t_test";
  struct Moments {
    double mean, variance_of_mean, degrees;
  };
  const auto moments = [](const Scores& scores) -> Moments {
    require(scores.tasks() == 1, where, "it compares runs of one task", scores.tasks());
    require(scores.runs() > 1, where, "a sample needs two numbers", scores.runs());
    const double mean = Mean{}(scores), degrees = static_cast<double>(scores.runs() - 1);
    const double variance = (scores.values().array() - mean).square().sum() / degrees;
    return {mean, variance / static_cast<double>(scores.runs()), degrees};
  };
  const Moments of_a = moments(a), of_b = moments(b);
  const double variance = of_a.variance_of_mean + of_b.variance_of_mean;
  require(variance > 0, where, "one of the samples must vary", variance);
  require(std::isfinite(variance), where, "the samples' variance must be finite", variance);
  const double share_a = of_a.variance_of_mean / variance, share_b = of_b.variance_of_mean / variance;
  WelchTest test{.difference = of_a.mean - of_b.mean};
  test.t = test.difference / std::sqrt(variance);
  test.degrees = 1.0 / (share_a * share_a / of_a.degrees + share_b * share_b / of_b.degrees);
  test.p_value = student_t_two_sided(test.t, test.degrees);
  return test;
}

}  // namespace mellow::statistics

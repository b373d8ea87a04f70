// SPDX-License-Identifier: Apache-2.0
// Against rliable's and SciPy's numbers, made by tests/golden/make_rliable.py.
#include <mellow/statistics/aggregates.hpp>
#include <mellow/statistics/bootstrap.hpp>
#include <mellow/statistics/improvement.hpp>
#include <mellow/statistics/permutation.hpp>
#include <mellow/statistics/profile.hpp>
#include <mellow/statistics/welch.hpp>
#include <mellow/tools/safetensors.hpp>

#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::statistics;

namespace {

const tools::Safetensors& golden() {
  static const auto file = tools::load_safetensors(MELLOW_SOURCE_DIR "/tests/golden/rliable.safetensors");
  return file;
}

/// A tensor with its rows as rows; a vector is a column.
Matrix<double> table(const std::string& name) {
  const auto& tensor = golden().at(name);
  const auto& values = std::get<std::vector<double>>(tensor.values);
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  return Eigen::Map<const RowMajor>(values.data(), tensor.shape[0], tensor.shape.size() > 1 ? tensor.shape[1] : 1);
}

std::vector<Eigen::RowVectorXd> rows(const std::string& name) {
  const auto all = table(name);
  return {all.rowwise().begin(), all.rowwise().end()};
}

Scores scores(const std::string& name) { return table("scores." + name); }
Scores sample(double k) { return table(fmt::format("sample.{}", k)); }

constexpr BootstrapOptions many{.resamples = 50'000};

/// Both sides draw 50 000 resamples: ends differ by some 0.4 % of the width, or by a step where few values are possible.
void check_interval(const Estimate& ours, double value, double low, double high, double step = 0.0) {
  CHECK(ours.value == Approx(value).epsilon(1e-12).margin(1e-15));
  const double tolerance = 0.03 * (high - low) + step;
  CHECK(std::abs(ours.low - low) <= tolerance);
  CHECK(std::abs(ours.high - high) <= tolerance);
}

}  // namespace

TEST_CASE("Aggregates and their intervals are rliable's") {
  Rng rng(1);
  for (const std::string name : {"x", "y", "z", "tied", "coarse"}) {
    const Scores of = scores(name);
    // The scores of these two are multiples of 1/4, so that a statistic jumps: a task's mean by 1/4 / 20, and so on.
    const double jump = name == "tied" || name == "coarse" ? 0.25 + 1e-9 : 0.0;
    const auto check = [&](const std::string& statistic, const Estimate& ours, double values) {
      INFO(statistic << " of " << name);
      const auto theirs = table(statistic + "." + name);
      check_interval(ours, theirs(0), theirs(1), theirs(2), jump / values);
    };
    check("mean", bootstrap(of, Mean{}, rng, many), 120);
    check("median_of_task_means", bootstrap(of, MedianOfTaskMeans{}, rng, many), 2 * 20);
    check("iqm", bootstrap(of, Iqm{}, rng, many), 60);
    check("optimality_gap", bootstrap(of, OptimalityGap{.gamma = 0.8}, rng, many), 120);
  }
}

TEST_CASE("The probability of improvement and its interval are rliable's") {
  Rng rng(2);
  for (const auto& [a, b] : {std::pair{"x", "y"}, {"y", "z"}, {"tied", "coarse"}}) {
    const auto theirs = table(fmt::format("improvement.{}.{}", a, b));
    check_interval(probability_of_improvement(scores(a), scores(b), rng, many), theirs(0), theirs(1), theirs(2));
  }
}

// A share moves in steps, and so do the ends of its interval: they are the same but where chance decides which step is
// the last, which is seldom.
TEST_CASE("Profiles and their bands are rliable's") {
  Rng rng(3);
  const auto list = table("tau");
  const std::vector<double> tau(list.data(), list.data() + list.size());
  const auto check = [&](const Profile& ours, const std::string& name, double step) {
    CAPTURE(name);
    const auto theirs = table(name);
    int other_steps = 0;
    for (Index j = 0; j < list.size(); ++j) {
      CAPTURE(list(j));
      const auto k = static_cast<std::size_t>(j);
      CHECK(ours.share[k] == Approx(theirs(0, j)).margin(1e-14));
      for (const double apart : {std::abs(ours.low[k] - theirs(1, j)), std::abs(ours.high[k] - theirs(2, j))}) {
        CHECK(apart <= step);
        other_steps += apart > 1e-12;
      }
    }
    CHECK(other_steps <= 2);  // of 42
  };
  check(performance_profile(scores("x"), tau, rng, many), "profile.x", 1.0 / 120 + 1e-12);
  check(mean_score_profile(scores("x"), tau, rng, many), "mean_profile.x", 1.0 / 6 + 1e-12);
}

TEST_CASE("Welch's test is SciPy's") {
  for (const auto& row : rows("welch")) {
    const WelchTest test = welch_t_test(sample(row[0]), sample(row[1]));
    CHECK(test.t == Approx(row[2]).epsilon(1e-12));
    CHECK(test.degrees == Approx(row[3]).epsilon(1e-12));
    CHECK(test.p_value == Approx(row[4]).epsilon(1e-10));
  }
}

TEST_CASE("The incomplete beta function is SciPy's") {
  for (const auto& row : rows("incomplete_beta")) {
    INFO(row);
    CHECK(incomplete_beta(row[0], row[1], row[2]) == Approx(row[3]).epsilon(1e-10));
  }
}

TEST_CASE("Permutation tests of all permutations are SciPy's") {
  Rng rng(4);
  constexpr PermutationOptions all{.permutations = 200'000};
  for (const auto& row : rows("permutation")) {
    const PermutationTest test = permutation_test(sample(row[0]), sample(row[1]), rng, all);
    CHECK(test.exact);
    CHECK(test.p_value == Approx(row[2]).epsilon(1e-12));
  }
  for (const auto& row : rows("paired")) {
    const PermutationTest test = paired_permutation_test(sample(row[0]), sample(row[1]), rng, all);
    CHECK(test.exact);
    CHECK(test.p_value == Approx(row[2]).epsilon(1e-12));
  }
}

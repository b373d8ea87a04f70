// SPDX-License-Identifier: Apache-2.0
#include <mellow/statistics/permutation.hpp>
#include <mellow/statistics/welch.hpp>

#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::statistics;
using Catch::Matchers::Message;

namespace {
using List = std::vector<double>;

List normal(std::size_t n, double mean, Rng& rng) {
  List values(n);
  for (double& x : values) x = rng.normal(mean, 1);
  return values;
}
}  // namespace

TEST_CASE("A small permutation test by hand") {
  Rng rng(1);
  const Rng before = rng;
  // Of the 6 splits of 1, 2, 3, 7 in pairs, those with sums 3 | 10 and 10 | 3 are as far apart as the observed one.
  const PermutationTest test = permutation_test(List{3, 7}, List{1, 2}, rng);
  CHECK(test.difference == 3.5);
  CHECK(test.exact);
  CHECK(test.permutations == 6);
  CHECK(test.p_value == Approx(2.0 / 6));
  CHECK(rng == before);  // nothing is drawn
  // 1 | 2, 3, 7: every single number is at least as far from the rest's mean but 2 and 3.
  CHECK(permutation_test(List{1}, List{2, 3, 7}, rng).p_value == Approx(2.0 / 4));
  CHECK(permutation_test(List{2, 3, 7}, List{1}, rng).p_value == Approx(2.0 / 4));
  CHECK(permutation_test(List{2, 3, 7}, List{1}, rng).difference == 3);
  // All alike: every split is as extreme.
  CHECK(permutation_test(List{4, 4}, List{4, 4, 4}, rng).p_value == 1);
}

TEST_CASE("A small sign-flip test by hand") {
  Rng rng(2);
  // Differences 1, 2, -0.5: of 8 sign patterns, |sum| >= 2.5 for +++, ++-, and their opposites.
  const PermutationTest test = paired_permutation_test(List{2, 4, 0}, List{1, 2, 0.5}, rng);
  CHECK(test.difference == Approx(2.5 / 3));
  CHECK(test.exact);
  CHECK(test.permutations == 8);
  CHECK(test.p_value == Approx(4.0 / 8));
  CHECK(paired_permutation_test(List{1, 1}, List{1, 1}, rng).p_value == 1);
  // Rounding must not lose the observed pattern's equals: 0.1 + 0.2 + 0.3 in any order.
  CHECK(paired_permutation_test(List{0.1, 0.2, 0.3}, List{0, 0, 0}, rng).p_value == Approx(2.0 / 8));
}

TEST_CASE("Random permutations come near the exact test, and never say 0") {
  Rng rng(3);
  const List a = normal(9, 0.8, rng), b = normal(10, 0, rng), c = normal(9, 0, rng);
  const auto near = [&](const auto& test, const List& x, const List& y) {
    const PermutationTest exact = test(x, y, rng, PermutationOptions{.permutations = 1'000'000});
    const PermutationTest random = test(x, y, rng, PermutationOptions{.permutations = 400});
    CHECK(exact.exact);
    CHECK_FALSE(random.exact);
    CHECK(random.permutations == 400);
    CHECK(random.difference == exact.difference);
    CHECK(std::abs(random.p_value - exact.p_value) < 5 * std::sqrt(exact.p_value / 400) + 1.0 / 400);
  };
  const auto apart = [](auto&&... with) { return permutation_test(with...); };
  const auto paired = [](auto&&... with) { return paired_permutation_test(with...); };
  near(apart, a, b);
  near(apart, b, a);
  near(paired, a, c);
  const List high = normal(30, 100, rng), low = normal(30, 0, rng);
  CHECK(permutation_test(high, low, rng, {.permutations = 99}).p_value == 0.01);
  CHECK(paired_permutation_test(high, low, rng, {.permutations = 99}).p_value == 0.01);
}

TEST_CASE("Where nothing differs, a test at level 5 % is wrong in 5 % of cases") {
  Rng rng(4);
  int exact = 0, random = 0, paired = 0, welch = 0;
  constexpr int experiments = 2'000;
  for (int i = 0; i < experiments; ++i) {
    exact += permutation_test(normal(5, 0, rng), normal(5, 0, rng), rng).p_value <= 0.05;
    random += permutation_test(normal(70, 0, rng), normal(75, 0, rng), rng, {.permutations = 199}).p_value <= 0.05;
    paired +=
        paired_permutation_test(normal(70, 0, rng), normal(70, 0, rng), rng, {.permutations = 199}).p_value <= 0.05;
    welch += welch_t_test(normal(6, 0, rng), normal(9, 0, rng)).p_value <= 0.05;
  }
  // Standard deviation 10. The 252 splits in halves come in mirrored pairs: 12 of 252 are the most below 5 %.
  CHECK(std::abs(exact - experiments * 12 / 252) < 50);
  CHECK(std::abs(random - 100) < 50);
  CHECK(std::abs(paired - 100) < 50);
  CHECK(std::abs(welch - 100) < 50);
}

TEST_CASE("Permutation tests refuse what they cannot answer") {
  Rng rng(5);
  const Scores table = Matrix<double>::Ones(3, 2).eval();
  const List list{1, 2, 3};
  CHECK_THROWS_MATCHES(permutation_test(table, list, rng), Error,
                       Message("statistics::permutation_test: it compares runs of one task (got 2)"));
  CHECK_THROWS_MATCHES(paired_permutation_test(list, List{1, 2}, rng), Error,
                       Message("statistics::paired_permutation_test: both need the same runs (got 3 and 2)"));
  CHECK_THROWS_MATCHES(permutation_test(list, list, rng, {.permutations = 0}), Error,
                       Message("statistics::PermutationOptions: permutations must be positive (got 0)"));
  CHECK_THROWS_AS(paired_permutation_test(list, list, rng, {.permutations = -1}), Error);
}

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <string_view>
#include <utility>
#include <vector>

#include <mellow/core/rng.hpp>
#include <mellow/statistics/scores.hpp>

namespace mellow::statistics {

/// The numbers of a permutation test.
struct PermutationOptions {
  Index permutations = 10'000;  ///< drawn at random where there are more; all are counted where there are no more; > 0

  /// Throws Error for a number out of range.
  void validate() const {
    require(permutations > 0, "statistics::PermutationOptions", "permutations must be positive", permutations);
  }
};

/// What a permutation test found.
struct PermutationTest {
  double difference = 0.0;  ///< mean of a - mean of b
  double p_value = 1.0;     ///< two-sided, in (0, 1]
  Index permutations = 0;   ///< how many were looked at
  bool exact = false;       ///< whether these were all
};

namespace detail {

/// Counts permutations whose sum is as far from 0 as the observed one. What equals it in exact arithmetic counts, so a
/// rounding error is forgiven.
class AsExtreme {
 public:
  AsExtreme(double observed, const Vector<double>& values)
      : limit_(std::abs(observed) - 1e-12 * values.cwiseAbs().sum()) {}

  void add(double sum) {
    count_ += std::abs(sum) >= limit_;
    ++total_;
  }

  /// Of all permutations, the observed one among them, the share that counts; of random ones (1 + count) / (1 + total),
  /// the observed one counted in (Phipson & Smyth 2010).
  PermutationTest result(double difference, bool exact) const {
    const auto count = static_cast<double>(count_), total = static_cast<double>(total_);
    return {difference, exact ? count / total : (1.0 + count) / (1.0 + total), total_, exact};
  }

 private:
  double limit_;
  Index count_ = 0, total_ = 0;
};

inline Vector<double> one_task(const Scores& scores, std::string_view where) {
  require(scores.tasks() == 1, where, "it compares runs of one task", scores.tasks());
  return scores.values().col(0);
}

/// n choose k, or `limit` + 1 where that is more than limit.
inline Index choose(Index n, Index k, Index limit) {
  double ways = 1.0;
  for (Index i = 1; i <= std::min(k, n - k); ++i) {
    ways = std::round(ways * static_cast<double>(n - i + 1) / static_cast<double>(i));
    if (ways > static_cast<double>(limit)) return limit + 1;
  }
  return static_cast<Index>(ways);
}

}  // namespace detail

/// Permutation test of two samples of one task: were they from one distribution, how often would a random split of all
/// numbers into groups of these sizes give means at least as far apart (Fisher 1935)? Two-sided; no distribution is
/// supposed. All splits are counted where `options.permutations` allow, else random ones.
///
/// Throws Error for tables of several tasks or options out of range.
inline PermutationTest permutation_test(const Scores& a, const Scores& b, Rng& rng,
                                        const PermutationOptions& options = {}) {
  constexpr auto where = "statistics::permutation_test";
  options.validate();
  const Vector<double> of_a = detail::one_task(a, where), of_b = detail::one_task(b, where);
  // About their common mean, the sum of one group says the difference of means, (1 / n_a + 1 / n_b) x sum; that of the
  // smaller group is as good as that of a.
  Vector<double> all(of_a.size() + of_b.size());
  all << of_a, of_b;
  if (of_b.size() < of_a.size()) all.reverseInPlace();
  all.array() -= all.mean();
  const Index n = all.size(), k = std::min(of_a.size(), of_b.size());
  detail::AsExtreme extreme(all.head(k).sum(), all);
  const double difference = of_a.mean() - of_b.mean();

  if (detail::choose(n, k, options.permutations) <= options.permutations) {
    std::vector<Index> chosen(static_cast<std::size_t>(k));  // ascending indices, the next in lexicographic order
    std::iota(chosen.begin(), chosen.end(), Index{0});
    for (bool more = true; more;) {
      double sum = 0.0;
      for (const Index i : chosen) sum += all[i];
      extreme.add(sum);
      Index last = k - 1;
      while (last >= 0 && chosen[static_cast<std::size_t>(last)] == n - k + last) --last;
      more = last >= 0;
      if (more) std::iota(chosen.begin() + last, chosen.end(), chosen[static_cast<std::size_t>(last)] + 1);
    }
    return extreme.result(difference, true);
  }
  for (Index permutation = 0; permutation < options.permutations; ++permutation) {
    double sum = 0.0;
    for (Index i = 0; i < k; ++i) {  // the first k of a shuffle
      std::swap(all[i], all[i + rng.below(n - i)]);
      sum += all[i];
    }
    extreme.add(sum);
  }
  return extreme.result(difference, false);
}

/// Permutation test of pairs, run i of both with the same seed: were the algorithms alike, each difference a_i - b_i
/// would as soon have the other sign. How often is the mean at least as far from 0 under random signs (Fisher 1935)?
/// Two-sided. All 2^n sign patterns are counted where `options.permutations` allow, else random ones.
///
/// Throws Error for tables of several tasks or different runs, or options out of range.
inline PermutationTest paired_permutation_test(const Scores& a, const Scores& b, Rng& rng,
                                               const PermutationOptions& options = {}) {
  constexpr auto where = "statistics::paired_permutation_test";
  options.validate();
  const Vector<double> of_a = detail::one_task(a, where), of_b = detail::one_task(b, where);
  require(of_a.size() == of_b.size(), where, "both need the same runs",
          fmt::format("{} and {}", of_a.size(), of_b.size()));
  const Vector<double> differences = of_a - of_b;
  detail::AsExtreme extreme(differences.sum(), differences);
  const auto add = [&](auto&& negative) {
    double sum = 0.0;
    for (Index i = 0; i < differences.size(); ++i) sum += negative(i) ? -differences[i] : differences[i];
    extreme.add(sum);
  };

  const Index n = differences.size();
  const bool exact = n < 62 && (Index{1} << n) <= options.permutations;
  if (exact) {
    for (Index signs = 0; signs < Index{1} << n; ++signs) add([&](Index i) { return (signs >> i & 1) != 0; });
  } else {
    for (Index permutation = 0; permutation < options.permutations; ++permutation) {
      std::uint64_t bits = 0;
      add([&](Index i) { return ((bits = i % 64 == 0 ? rng.bits() : bits >> 1) & 1) != 0; });
    }
  }
  return extreme.result(differences.mean(), exact);
}

}  // namespace mellow::statistics

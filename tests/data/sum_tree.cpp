// SPDX-License-Identifier: Apache-2.0
#include <mellow/core/rng.hpp>
#include <mellow/data/sum_tree.hpp>

#include "support/catch.hpp"

using namespace mellow;
using data::SumTree;

namespace {
/// What find() promises, by adding up.
Index brute_force(const std::vector<double>& weights, double mass) {
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i)
    if (mass < (sum += weights[i])) return static_cast<Index>(i);
  return -1;
}
}  // namespace

TEST_CASE("A sum tree finds what adding up finds, exactly") {  // whole numbers: their sums are exact
  Rng rng(1);
  for (const Index n : {1, 2, 7, 8, 9, 63, 64, 65, 1000}) {
    SumTree tree(n);
    std::vector<double> weights(static_cast<std::size_t>(n), 0.0);
    CHECK(tree.total() == 0);
    for (int change = 0; change < 200; ++change) {
      const Index i = rng.below(n);
      const auto weight = static_cast<double>(rng.below(5));
      tree.set(i, weight);
      weights[static_cast<std::size_t>(i)] = weight;
      double total = 0;
      for (const double w : weights) total += w;
      REQUIRE(tree.total() == total);
      if (total == 0) continue;
      for (int draw = 0; draw < 5; ++draw) {
        const double mass = rng.uniform() * total;
        REQUIRE(tree.find(mass) == brute_force(weights, mass));
      }
      for (double mass = 0; mass < std::min(total, 20.0); ++mass)
        REQUIRE(tree.find(mass) == brute_force(weights, mass));
    }
    for (Index i = 0; i < n; ++i) REQUIRE(tree[i] == weights[static_cast<std::size_t>(i)]);
  }
}

TEST_CASE("A sum tree never finds a weight of zero, however the sums are rounded") {
  Rng rng(2);
  SumTree tree(500);
  for (Index i = 0; i < 500; i += 3) tree.set(i, std::exp(10 * rng.normal()));
  for (int draw = 0; draw < 10'000; ++draw) REQUIRE(tree[tree.find(rng.uniform() * tree.total())] > 0);
  REQUIRE(tree[tree.find(tree.total())] > 0);  // beyond the end, as rounding may lead to
  REQUIRE(tree[tree.find(std::nextafter(tree.total(), 0.0))] > 0);
}

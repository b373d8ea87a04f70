// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>
#include <vector>

#include <mellow/core/rng.hpp>
#include <mellow/core/types.hpp>

#include "support/catch.hpp"

using mellow::Rng;

TEST_CASE("xoshiro256++ gives its published sequence") {  // reference output for the state 1, 2, 3, 4
  Rng rng = Rng::from_state({1, 2, 3, 4});
  for (const std::uint64_t expected :
       {41943041ull, 58720359ull, 3588806011781223ull, 3591011842654386ull, 9228616714210784205ull,
        9973669472204895162ull, 14011001112246962877ull, 12406186145184390807ull})
    CHECK(rng.bits() == expected);
}

TEST_CASE("SplitMix64 gives its published sequence") {
  std::uint64_t counter = 1477776061723855037ull;
  for (const std::uint64_t expected :
       {1985237415132408290ull, 2979275885539914483ull, 13511426838097143398ull, 8488337342461049707ull})
    CHECK(mellow::splitmix64(counter) == expected);
}

TEST_CASE("A generator goes on from its visible state") {
  Rng rng(7);
  rng.bits();
  Rng copy = Rng::from_state(rng.state());
  CHECK(copy == rng);
  CHECK(copy.bits() == rng.bits());
}

TEST_CASE("Seeds, streams and children are unrelated") {
  std::set<std::uint64_t> firsts;
  for (std::uint64_t seed = 0; seed < 50; ++seed)
    for (std::uint64_t stream = 0; stream < 5; ++stream) {
      Rng rng(seed, stream);
      Rng child = rng.split(), grandchild = child.split();
      for (Rng* r : {&rng, &child, &grandchild}) firsts.insert(r->bits());
    }
  CHECK(firsts.size() == 50 * 5 * 3);
  CHECK(Rng(3, 0) == Rng(3));
}

TEST_CASE("Uniform draws have the right moments and stay in range") {
  Rng rng(1);
  double sum = 0, squares = 0;
  constexpr int n = 100'000;
  for (int i = 0; i < n; ++i) {
    const double u = rng.uniform();
    REQUIRE((u >= 0 && u < 1));
    sum += u;
    squares += u * u;
  }
  CHECK(sum / n == Approx(0.5).margin(5 * 0.2887 / std::sqrt(n)));  // five standard errors
  CHECK(squares / n == Approx(1.0 / 3).margin(5 * 0.2981 / std::sqrt(n)));
  for (int i = 0; i < 1000; ++i) {
    const double u = rng.uniform(-2, 3);
    REQUIRE((u >= -2 && u < 3));
  }
}

TEST_CASE("Normal draws have the right moments") {
  Rng rng(2);
  constexpr int n = 100'000;
  double m1 = 0, m2 = 0, m4 = 0;
  for (int i = 0; i < n; ++i) {
    const double x = rng.normal();
    m1 += x / n;
    m2 += x * x / n;
    m4 += x * x * x * x / n;
  }
  CHECK(m1 == Approx(0).margin(5 / std::sqrt(n)));
  CHECK(m2 == Approx(1).margin(5 * std::sqrt(2.0 / n)));
  CHECK(m4 == Approx(3).margin(5 * std::sqrt(96.0 / n)));
  CHECK(Rng(4).normal(10, 2) == Approx(10 + 2 * Rng(4).normal()));
}

TEST_CASE("Whole numbers are uniform, for small and huge ranges") {
  Rng rng(3);
  std::vector<int> counts(6);
  for (int i = 0; i < 60'000; ++i) ++counts[static_cast<std::size_t>(rng.below(6))];
  double chi2 = 0;
  for (const int c : counts) chi2 += (c - 10'000.0) * (c - 10'000.0) / 10'000.0;
  CHECK(chi2 < 25.7);  // 5 degrees of freedom, p = 1e-4
  CHECK(rng.below(1) == 0);
  const std::int64_t huge = (std::int64_t{1} << 62) + 1;
  for (int i = 0; i < 100; ++i) {
    const auto x = rng.below(huge);
    REQUIRE((x >= 0 && x < huge));
  }
}

TEST_CASE("Categorical draws follow the weights and never take a weight of zero") {
  Rng rng(5);
  const std::vector<double> weights{0, 1, 0, 3, 0};
  int threes = 0;
  for (int i = 0; i < 20'000; ++i) {
    const auto k = rng.categorical(weights);
    REQUIRE((k == 1 || k == 3));
    threes += k == 3;
  }
  CHECK(threes / 20'000.0 == Approx(0.75).margin(5 * 0.433 / std::sqrt(20'000)));
  const mellow::Vector<float> floats = mellow::Vector<float>::Unit(4, 2);
  CHECK(rng.categorical(floats) == 2);
}

TEST_CASE("Shuffling gives every permutation equally often") {
  Rng rng(6);
  std::vector<int> counts(6);
  for (int i = 0; i < 12'000; ++i) {
    std::vector<int> items{0, 1, 2};
    rng.shuffle(std::span(items));
    CHECK(std::ranges::is_permutation(items, std::vector{0, 1, 2}));
    ++counts[static_cast<std::size_t>(items[0] * 2 + (items[1] > items[2]))];
  }
  for (const int c : counts) CHECK(c == Approx(2000).margin(5 * std::sqrt(2000 * 5 / 6.0)));
  std::vector<int> none;
  rng.shuffle(std::span(none));
}

TEST_CASE(
    "Draws are the same on every compiler") {  // computed by an independent program; a change breaks every stored run
  Rng rng(123);
  CHECK(rng.bits() == 11913805753561946234ull);
  CHECK(rng.uniform() == 0.8381542123147958);
  CHECK(rng.below(1000) == 665);
  CHECK(rng.categorical(std::vector{0.2, 0.3, 0.5}) == 2);
}

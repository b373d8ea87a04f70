// SPDX-License-Identifier: Apache-2.0
// Against the check values of minatar.md 1, and the C++ library's own Mersenne twister.
#include <random>

#include <mellow/core/legacy_numpy_generator.hpp>
#include <mellow/core/state.hpp>

#include "support/catch.hpp"

using mellow::LegacyNumpyGenerator;

TEST_CASE("RandomState's words are those of std::mt19937") {
  for (const std::uint32_t seed : {0u, 1u, 5489u, 4294967295u}) {
    LegacyNumpyGenerator ours(seed);
    std::mt19937 theirs(seed);
    for (int i = 0; i < 2'000; ++i) REQUIRE(ours.bits32() == theirs());
  }
}

TEST_CASE("RandomState(1) draws as NumPy does") {  // minatar.md 1
  LegacyNumpyGenerator words(1), uniform(1), integers(1);
  for (const std::uint32_t word : {1791095845u, 4282876139u, 3093770124u}) CHECK(words.bits32() == word);
  for (const double x : {0.417022004702574, 0.7203244934421581, 0.00011437481734488664}) CHECK(uniform.uniform() == x);
  const auto expect = [&](std::int64_t low, std::int64_t high, std::initializer_list<std::int64_t> drawn) {
    for (const std::int64_t x : drawn) CHECK(low + integers.below(high - low) == x);
  };  // one stream for the three rows, as NumPy gives them
  expect(1, 9, {6, 4, 5, 1, 8, 2, 4, 6});
  expect(1, 6, {1, 1, 2, 5, 5, 2, 3, 5});
  expect(0, 2, {0, 1, 0, 0, 1, 0, 0, 0});
}

TEST_CASE("RandomState draws nothing where there is one number, and any below 2^32") {
  LegacyNumpyGenerator rng(3), same(3);
  CHECK(rng.below(1) == 0);
  CHECK(mellow::first_difference(rng, same).empty());
  CHECK(rng.below((std::int64_t{1} << 32) - 1) == same.bits32());
  const double x = rng.uniform(-2.0, 3.0);
  CHECK(x == -2.0 + 5.0 * same.uniform());
}

TEST_CASE("RandomState goes on from a copy of its state, and refuses a seed of more than 32 bits") {
  LegacyNumpyGenerator rng(7);
  for (int i = 0; i < 700; ++i) rng.bits32();
  LegacyNumpyGenerator copy = rng;
  for (int i = 0; i < 700; ++i) CHECK(copy.bits32() == rng.bits32());
  CHECK_THROWS_WITH(LegacyNumpyGenerator(std::uint64_t{1} << 32),
                    "LegacyNumpyGenerator: a seed must be below 2^32 (got 4294967296)");
}

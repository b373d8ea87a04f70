// SPDX-License-Identifier: Apache-2.0
#include <mellow/core/numpy_generator.hpp>
#include <mellow/core/state.hpp>
#include <mellow/tools/safetensors.hpp>

#include "support/catch.hpp"

using mellow::NumpyGenerator;

// Numbers of classic_environments.md 2, printed by NumPy.
TEST_CASE("SeedSequence and PCG64 agree with NumPy") {
  CHECK(NumpyGenerator::seed_sequence(0) ==
        std::array<std::uint64_t, 4>{0xdb2cd7e7b0f478be, 0xabf4641a2c71ba49, 0x20c6ed6d9d7b8d41, 0x2c4099de223c39d4});
  CHECK(NumpyGenerator::seed_sequence(123) ==
        std::array<std::uint64_t, 4>{0xb1383ed0295844f6, 0xa250632e171d58af, 0x86a7247f7443199d, 0x136de7e3c11fce1d});
  NumpyGenerator raw(0);
  CHECK(raw.bits() == 0xa30febcfd9c2825f);
  CHECK(raw.bits() == 0x4510bdf882d9d721);
  NumpyGenerator zero(0);
  for (const double expected : {0.6369616873214543, 0.2697867137638703, 0.04097352393619469, 0.016527635528529094})
    CHECK(zero.uniform() == expected);
  NumpyGenerator other(123);
  for (const double expected : {0.6823518632481435, 0.053821018802222675, 0.22035987277261138, 0.1843718106986697})
    CHECK(other.uniform() == expected);
}

TEST_CASE("Whole numbers keep the upper half of a word, which other draws ignore") {
  NumpyGenerator words(0), whole(0);
  const std::uint64_t first = words.bits(), second = words.bits();
  const auto scaled = [](std::uint64_t word) { return static_cast<std::int64_t>((word & 0xffffffff) * 10 >> 32); };
  CHECK(whole.below(10) == scaled(first));
  CHECK(whole.bits() == second);
  CHECK(whole.below(10) == scaled(first >> 32));
  CHECK(whole.below(1) == 0);
  CHECK(whole.bits() == words.bits());
}

// classic_environments.md 2: seeds of one word and several, whole numbers by rejection; recorded from NumPy by
// tests/golden/make_numpy.py.
TEST_CASE("Seeds of any length and whole numbers by rejection are NumPy's") {
  const auto file = mellow::tools::load_safetensors(MELLOW_SOURCE_DIR "/tests/golden/numpy.safetensors");
  const auto row = [&]<class Scalar>(const char* name, std::size_t i, Scalar) {
    const auto& tensor = file.at(name);
    const auto& values = std::get<std::vector<Scalar>>(tensor.values);
    const auto width = tensor.shape.size() > 1 ? static_cast<std::size_t>(tensor.shape[1]) : 1;
    return std::vector<Scalar>(&values[i * width], &values[i * width] + width);
  };
  const auto& ranges = std::get<std::vector<std::int64_t>>(file.at("ranges").values);
  const auto seeds = static_cast<std::size_t>(file.at("seeds_size").shape[0]);
  REQUIRE(seeds >= 10);
  std::size_t longest = 0, refused = 0;
  for (std::size_t i = 0; i < seeds; ++i) {
    CAPTURE(i);
    const auto all = row("seeds_words", i, std::int64_t{});
    const auto size = static_cast<std::size_t>(row("seeds_size", i, std::int64_t{})[0]);
    const std::vector<std::uint32_t> seed(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(size));
    longest = std::max(longest, size);

    const auto sequence = NumpyGenerator::seed_sequence(seed);
    CHECK(std::vector(sequence.begin(), sequence.end()) == row("sequence", i, std::uint64_t{}));
    NumpyGenerator raw(seed), uniform(seed), mixed(seed);
    for (const std::uint64_t expected : row("raw", i, std::uint64_t{})) CHECK(raw.bits() == expected);
    for (const double expected : row("uniform", i, double{})) CHECK(uniform.uniform(-0.6, -0.4) == expected);
    if (size <= 2) {  // the constructor for them
      const NumpyGenerator same(seed[0] | (size > 1 ? std::uint64_t{seed[1]} << 32 : 0));
      CHECK(mellow::first_difference(same, mixed).empty());
    }

    const auto expected = row("mixed", i, std::int64_t{});
    const auto between = row("between", i, double{});
    NumpyGenerator words(seed);  // draws as if nothing were refused
    for (std::size_t k = 0; k < expected.size(); ++k) {
      if (k % 3 == 2) CHECK(mixed.uniform() == between[k / 3]);
      CHECK(mixed.below(ranges[k % ranges.size()]) == expected[k]);
    }
    for (std::size_t k = 0; k < expected.size(); ++k) {
      if (k % 3 == 2) words.uniform();
      if (ranges[k % ranges.size()] > 1) words.below(1 << 16);  // a power of two refuses nothing
    }
    refused += !mellow::first_difference(words, mixed).empty();
  }
  CHECK(longest > 4);       // words beyond the pool of SeedSequence are mixed in
  CHECK(refused == seeds);  // in every sequence
}

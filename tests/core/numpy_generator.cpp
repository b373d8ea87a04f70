// SPDX-License-Identifier: Apache-2.0
#include <mellow/core/numpy_generator.hpp>

#include "support/catch.hpp"

using mellow::NumpyGenerator;

// Numbers of classic_environments, section 2, printed by NumPy.
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

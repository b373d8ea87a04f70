// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>

#include <mellow/core/error.hpp>

namespace mellow {

/// The draws of `numpy.random.RandomState(seed)`, bit for bit: what environments use that are older than NumPy's
/// `Generator`, such as MinAtar. For Gymnasium's own, see NumpyGenerator.
///
/// The words are those of `std::mt19937(seed)`, here with a state that can be visited. Source: Matsumoto & Nishimura
/// 1998, with the seeding of 2002.
class LegacyNumpyGenerator {
 public:
  /// As `numpy.random.RandomState(seed)`. Throws Error, as NumPy does, unless seed < 2^32.
  explicit LegacyNumpyGenerator(std::uint64_t seed) {
    require(seed >> 32 == 0, "LegacyNumpyGenerator", "a seed must be below 2^32", seed);
    words_[0] = static_cast<std::uint32_t>(seed);
    for (std::size_t i = 1; i < size; ++i)
      words_[i] = 1812433253u * (words_[i - 1] ^ words_[i - 1] >> 30) + static_cast<std::uint32_t>(i);
  }

  /// 32 uniform bits.
  std::uint32_t bits32() {
    if (next_ == size) refill();
    std::uint32_t word = words_[next_++];
    word ^= word >> 11;
    word ^= word << 7 & 0x9d2c5680u;
    word ^= word << 15 & 0xefc60000u;
    return word ^ word >> 18;
  }

  /// Uniform in [0, 1), of two words: `RandomState.rand()`.
  double uniform() {
    const std::uint32_t high = bits32() >> 5, low = bits32() >> 6;
    return (high * 67108864.0 + low) / 9007199254740992.0;
  }

  /// Uniform in [low, high): `RandomState.uniform(low, high)`.
  double uniform(double low, double high) { return low + (high - low) * uniform(); }

  /// Uniform whole number in [0, n), 1 <= n < 2^32: `RandomState.randint(n)`. Words are drawn until one, cut to as many
  /// bits as n - 1 has, is less than n; none for n = 1.
  std::int64_t below(std::int64_t n) {
    assert(n >= 1 && n >> 32 == 0);
    if (n == 1) return 0;
    const std::uint32_t largest = static_cast<std::uint32_t>(n - 1), mask = ~0u >> std::countl_zero(largest);
    std::uint32_t word;
    do word = bits32() & mask;
    while (word > largest);
    return word;
  }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("words", self.words_);
    visit("next", self.next_);
  }

 private:
  static constexpr std::uint32_t size = 624, ahead = 397;

  void refill() {
    for (std::uint32_t i = 0; i < size; ++i) {
      const std::uint32_t joined = (words_[i] & 0x80000000u) | (words_[(i + 1) % size] & 0x7fffffffu);
      words_[i] = words_[(i + ahead) % size] ^ joined >> 1 ^ ((joined & 1u) != 0 ? 0x9908b0dfu : 0u);
    }
    next_ = 0;
  }

  std::array<std::uint32_t, size> words_{};
  std::uint32_t next_ = size;
};

}  // namespace mellow

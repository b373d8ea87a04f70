// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace mellow {

/// The draws of `numpy.random.Generator(PCG64(seed))`, bit for bit: what a Gymnasium environment uses after
/// `reset(seed=k)`.
///
/// Environments take any generator with `uniform(low, high)`, so a native environment reset with this one starts where
/// Gymnasium's does: seed once, then keep passing the same generator to every further reset. Sources: NumPy's
/// SeedSequence and PCG XSL-RR 128/64 (O'Neill 2014).
class NumpyGenerator {
 public:
  /// As `numpy.random.default_rng(seed)`.
  explicit constexpr NumpyGenerator(std::uint64_t seed) : NumpyGenerator(words_of(seed)) {}

  /// The same for a seed of any length: its 32-bit words from the lowest, as NumPy splits a whole number and also
  /// takes them as a list. Zeros at the end change nothing within the first four words, but they do beyond.
  explicit constexpr NumpyGenerator(std::span<const std::uint32_t> seed) {
    const auto words = seed_sequence(seed);
    const U128 start = U128{words[0]} << 64 | words[1];
    increment_ = (U128{words[2]} << 64 | words[3]) << 1 | 1;
    advance();
    state_ += start;
    advance();
  }

  /// 64 uniform bits.
  constexpr std::uint64_t bits() {
    advance();
    const auto high = static_cast<std::uint64_t>(state_ >> 64);
    return std::rotr(high ^ static_cast<std::uint64_t>(state_), static_cast<int>(high >> 58));
  }

  /// Uniform in [0, 1): `Generator.random()`.
  constexpr double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }

  /// Uniform in [low, high): `Generator.uniform(low, high)`.
  constexpr double uniform(double low, double high) { return low + (high - low) * uniform(); }

  /// Uniform whole number in [0, n), 1 <= n < 2^32: `Generator.integers(n)`. Draws nothing for n = 1.
  constexpr std::int64_t below(std::int64_t n) {
    const auto range = static_cast<std::uint32_t>(n);
    if (range == 1) return 0;
    std::uint64_t product = std::uint64_t{bits32()} * range;
    if (static_cast<std::uint32_t>(product) < range) {
      const std::uint32_t threshold = -range % range;
      while (static_cast<std::uint32_t>(product) < threshold) product = std::uint64_t{bits32()} * range;
    }
    return static_cast<std::int64_t>(product >> 32);
  }

  /// The four words that SeedSequence(seed) gives a bit generator.
  static constexpr std::array<std::uint64_t, 4> seed_sequence(std::uint64_t seed) {
    return seed_sequence(words_of(seed));
  }

  /// The same for a seed of any length: its 32-bit words from the lowest.
  static constexpr std::array<std::uint64_t, 4> seed_sequence(std::span<const std::uint32_t> seed) {
    std::uint32_t multiplier = 0x43b0d7e5u;
    const auto hash = [&multiplier](std::uint32_t v) {
      v ^= multiplier;
      multiplier *= 0x931e8875u;
      v *= multiplier;
      return v ^ v >> 16;
    };
    std::array<std::uint32_t, 4> pool{};
    const auto mix = [&](std::size_t to, std::uint32_t hashed) {
      const std::uint32_t mixed = 0xca01f9ddu * pool[to] - 0x4973f715u * hashed;
      pool[to] = mixed ^ mixed >> 16;
    };
    for (std::size_t i = 0; i < 4; ++i) pool[i] = hash(i < seed.size() ? seed[i] : 0u);
    for (std::size_t source = 0; source < 4; ++source)
      for (std::size_t to = 0; to < 4; ++to)
        if (to != source) mix(to, hash(pool[source]));
    for (std::size_t source = 4; source < seed.size(); ++source)
      for (std::size_t to = 0; to < 4; ++to) mix(to, hash(seed[source]));
    std::uint32_t out = 0x8b51f9ddu;
    std::array<std::uint64_t, 4> words{};
    for (std::size_t i = 0; i < 8; ++i) {
      std::uint32_t d = pool[i % 4] ^ out;
      out *= 0x58f38dedu;
      d *= out;
      d ^= d >> 16;
      words[i / 2] |= std::uint64_t{d} << (i % 2 ? 32 : 0);
    }
    return words;
  }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("state", self.state_);
    visit("increment", self.increment_);
    visit("half", self.half_);
    visit("has_half", self.has_half_);
  }

 private:
  __extension__ using U128 = unsigned __int128;

  static constexpr std::array<std::uint32_t, 2> words_of(std::uint64_t seed) {
    return {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
  }

  constexpr void advance() {
    constexpr U128 multiplier = U128{0x2360ed051fc65da4u} << 64 | 0x4385df649fccf645u;
    state_ = state_ * multiplier + increment_;
  }

  constexpr std::uint32_t bits32() {  // NumPy keeps the upper half of a word for the next 32-bit draw
    has_half_ = !has_half_;
    if (!has_half_) return half_;
    const std::uint64_t word = bits();
    half_ = static_cast<std::uint32_t>(word >> 32);
    return static_cast<std::uint32_t>(word);
  }

  U128 state_ = 0, increment_ = 0;
  std::uint32_t half_ = 0;
  bool has_half_ = false;
};

}  // namespace mellow

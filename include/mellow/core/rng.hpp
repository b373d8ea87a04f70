// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace mellow {

/// SplitMix64 (Steele, Lea & Flood 2014): one step of the counter and its mixed output. Turns a seed into well-mixed
/// words.
constexpr std::uint64_t splitmix64(std::uint64_t& counter) {
  std::uint64_t z = (counter += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/// The library's random numbers: xoshiro256++ 1.0 (Blackman & Vigna 2019), 256 bits of visible state, period 2^256 - 1.
///
/// Every function that needs chance takes an `Rng&`; nothing reads a clock or a global. The same seed gives the same
/// uniform, integer, categorical and permutation draws on every compiler and processor; `normal` uses the platform's
/// log and sqrt.
class Rng {
 public:
  /// Seeds by SplitMix64, so that near seeds are unrelated. Streams of one seed are unrelated too.
  explicit constexpr Rng(std::uint64_t seed = 0, std::uint64_t stream = 0) {
    std::uint64_t chosen = stream;
    std::uint64_t counter = seed ^ (stream == 0 ? 0 : splitmix64(chosen));
    for (auto& word : state_) word = splitmix64(counter);
  }

  /// Continues from a state taken from `state()`; not all zero.
  static constexpr Rng from_state(const std::array<std::uint64_t, 4>& state) {
    assert((state[0] | state[1] | state[2] | state[3]) != 0);
    Rng rng;
    rng.state_ = state;
    return rng;
  }
  constexpr const std::array<std::uint64_t, 4>& state() const { return state_; }  ///< its 256 bits

  /// A generator of its own for another purpose, seeded with 256 mixed bits of this one, which moves on by four draws.
  constexpr Rng split() {
    Rng child;
    for (auto& word : child.state_) {
      std::uint64_t counter = bits();
      word = splitmix64(counter);
    }
    return child;
  }

  /// 64 uniform bits.
  constexpr std::uint64_t bits() {
    const std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  /// Uniform in [0, 1): 53 bits.
  constexpr double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }

  /// Uniform in [low, high).
  constexpr double uniform(double low, double high) { return low + (high - low) * uniform(); }

  /// Uniform whole number in [0, n), n > 0, without bias (Lemire 2019).
  constexpr std::int64_t below(std::int64_t n) {
    assert(n > 0);
    __extension__ using Wide = unsigned __int128;
    const auto range = static_cast<std::uint64_t>(n);
    Wide product = static_cast<Wide>(bits()) * range;
    if (static_cast<std::uint64_t>(product) < range) {
      const std::uint64_t threshold = -range % range;
      while (static_cast<std::uint64_t>(product) < threshold) product = static_cast<Wide>(bits()) * range;
    }
    return static_cast<std::int64_t>(product >> 64);
  }

  /// Standard normal (Marsaglia's polar method; the second value is not kept, so that the state is all there is).
  double normal() {
    double u, v, s;
    do {
      u = uniform(-1.0, 1.0);
      v = uniform(-1.0, 1.0);
      s = u * u + v * v;
    } while (s >= 1.0 || s == 0.0);
    return u * std::sqrt(-2.0 * std::log(s) / s);
  }

  /// Normal with the given mean and standard deviation.
  double normal(double mean, double deviation) { return mean + deviation * normal(); }

  /// Index i with probability weights[i] / sum; weights >= 0, not all zero. Any indexable range: std::span, Eigen
  /// vector.
  template <class Weights>
  constexpr std::int64_t categorical(const Weights& weights) {
    const auto n = static_cast<std::int64_t>(std::size(weights));
    double total = 0.0;
    for (std::int64_t i = 0; i < n; ++i) total += static_cast<double>(weights[i]);
    assert(total > 0.0);
    double left = uniform() * total;
    std::int64_t last = 0;  // guards against rounding at the upper end: never an index of weight 0
    for (std::int64_t i = 0; i < n; ++i) {
      const auto weight = static_cast<double>(weights[i]);
      if (weight <= 0.0) continue;
      last = i;
      if ((left -= weight) < 0.0) break;
    }
    return last;
  }

  /// Brings `items` into uniformly random order (Fisher-Yates): with items 0..n-1, a uniform permutation.
  template <class T>
  constexpr void shuffle(std::span<T> items) {
    for (std::size_t i = items.size(); i > 1; --i)
      std::swap(items[i - 1], items[static_cast<std::size_t>(below(static_cast<std::int64_t>(i)))]);
  }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("state", self.state_);
  }

  /// Whether both will draw the same numbers.
  friend constexpr bool operator==(const Rng&, const Rng&) = default;

 private:
  std::array<std::uint64_t, 4> state_{};
};

}  // namespace mellow

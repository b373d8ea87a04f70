// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <iterator>
#include <limits>
#include <string>

#include <mellow/core/error.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/core/types.hpp>

namespace mellow {

/// The whole numbers 0 .. n-1.
struct Discrete {
  /// One of the numbers.
  using Element = Index;
  /// Where one is written.
  using ElementRef = Index&;

  /// Throws Error unless size > 0.
  explicit Discrete(Index size) : n(size) { require(size > 0, "Discrete", "a space needs at least one element", size); }

  /// Whether 0 <= element < n.
  bool contains(Index element) const { return element >= 0 && element < n; }
  /// Any of them, with equal probability.
  Index sample(Rng& rng) const { return rng.below(n); }
  /// For messages: "Discrete(4)".
  std::string describe() const { return fmt::format("Discrete({})", n); }

  /// How many, > 0.
  Index n;
};

/// Vectors between two bounds, inclusive; a bound may be infinite.
struct Box {
  /// A vector of `size()` numbers.
  using Element = Vector<float>;
  /// Where one is written.
  using ElementRef = VectorRef<float>;

  /// Throws Error where there is no dimension, lengths differ, or a lower bound exceeds its upper one.
  Box(Vector<float> lower, Vector<float> upper) : low(std::move(lower)), high(std::move(upper)) {
    require(low.size() > 0, "Box", "a space needs at least one dimension", low.size());
    if (low.size() != high.size())
      throw Error("Box", fmt::format("bounds of {} and {} dimensions do not fit", low.size(), high.size()));
    for (Index i = 0; i < low.size(); ++i)
      if (!(low[i] <= high[i]))
        throw Error("Box", fmt::format("the lower bound exceeds the upper one in dimension {}", i),
                    fmt::format("{} and {}", low[i], high[i]));
  }
  /// Bounds written out: `Box({-1, 0}, {1, 5})`.
  Box(std::initializer_list<float> lower, std::initializer_list<float> upper)
      : Box(Vector<float>(Eigen::Map<const Vector<float>>(lower.begin(), std::ssize(lower))),
            Vector<float>(Eigen::Map<const Vector<float>>(upper.begin(), std::ssize(upper)))) {}
  /// The same bounds in every dimension.
  Box(Index dimensions, float lower, float upper)
      : Box(Vector<float>::Constant(dimensions, lower), Vector<float>::Constant(dimensions, upper)) {}

  /// How many dimensions.
  Index size() const { return low.size(); }
  /// Whether every number lies within its bounds; false for another length.
  bool contains(const ConstVectorRef<float>& element) const {
    if (element.size() != size()) return false;
    for (Index i = 0; i < size(); ++i)
      if (!(element[i] >= low[i] && element[i] <= high[i])) return false;
    return true;
  }
  /// Uniform in a bounded dimension; standard normal shifted to the bound or to 0 where one or both bounds are
  /// infinite.
  Vector<float> sample(Rng& rng) const {
    Vector<float> element(size());
    constexpr float infinity = std::numeric_limits<float>::infinity();
    for (Index i = 0; i < size(); ++i) {
      const bool below = low[i] > -infinity, above = high[i] < infinity;
      if (below && above) element[i] = std::min(high[i], static_cast<float>(rng.uniform(low[i], high[i])));
      else if (below) element[i] = low[i] + static_cast<float>(std::abs(rng.normal()));
      else if (above) element[i] = high[i] - static_cast<float>(std::abs(rng.normal()));
      else element[i] = static_cast<float>(rng.normal());
    }
    return element;
  }
  /// For messages: "Box(4)".
  std::string describe() const { return fmt::format("Box({})", size()); }

  /// @{
  /// The bounds, one a dimension.
  Vector<float> low, high;
  /// @}
};

}  // namespace mellow

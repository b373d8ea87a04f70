// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include <mellow/core/error.hpp>
#include <mellow/core/schedule.hpp>
#include <mellow/core/types.hpp>

/// What all optimisers share.
namespace mellow::nn::detail {

inline void require_learning_rate(std::string_view optimizer, const Schedule& rate) {
  require(std::isfinite(rate.minimum()) && rate.minimum() >= 0.0, optimizer,
          "learning_rate must be finite and not negative", rate.minimum());
  require(std::isfinite(rate.maximum()), optimizer, "learning_rate must be finite and not negative", rate.maximum());
}

inline void require_decay(std::string_view optimizer, std::string_view name, double decay) {
  require(decay >= 0 && decay < 1, optimizer, fmt::format("{} must lie in [0, 1)", name), decay);
}

inline void require_positive(std::string_view optimizer, std::string_view name, double value) {
  require(std::isfinite(value) && value > 0, optimizer, fmt::format("{} must be positive and finite", name), value);
}

inline void require_not_negative(std::string_view optimizer, std::string_view name, double value) {
  require(std::isfinite(value) && value >= 0, optimizer, fmt::format("{} must be finite and not negative", name),
          value);
}

/// A positive number that keeps a divisor from 0, and therefore does not become 0 where `Scalar` knows none as small.
template <class Scalar>
Scalar as_divisor(double epsilon) {
  return std::max(static_cast<Scalar>(epsilon), std::numeric_limits<Scalar>::min());
}

inline constexpr Index block_size = 1024;

/// Calls body(begin, n) for one block of parameters after the other. A block stays in the cache, so that several
/// vectorised expressions over it read and write memory once.
template <class Body>
void for_blocks(Index size, const Body& body) {
  for (Index begin = 0; begin < size; begin += block_size) body(begin, std::min(block_size, size - begin));
}

/// Numbers that belong to a block, on the stack.
template <class Scalar>
using Block = Eigen::Array<Scalar, Eigen::Dynamic, 1, Eigen::ColMajor, block_size, 1>;

/// Adding and subtracting it rounds a moment to a multiple of the smallest normal number, so that one that decays (a
/// dead unit's) does not become denormal: such numbers are 10 times slower.
template <class Scalar>
inline constexpr Scalar guard = std::numeric_limits<Scalar>::min() / std::numeric_limits<Scalar>::epsilon();

/// moment = keep moment + add x, for n numbers.
template <class Scalar>
void accumulate(Scalar* moment, const Scalar* x, Index n, double keep, double add) {
  const auto kept = static_cast<Scalar>(keep), added = static_cast<Scalar>(add);
  for (Index i = 0; i < n; ++i) moment[i] = (kept * moment[i] + added * x[i] + guard<Scalar>)-guard<Scalar>;
}

/// moment = keep moment + add x^2, for n numbers.
template <class Scalar>
void accumulate_squares(Scalar* moment, const Scalar* x, Index n, double keep, double add) {
  const auto kept = static_cast<Scalar>(keep), added = static_cast<Scalar>(add);
  for (Index i = 0; i < n; ++i) moment[i] = (kept * moment[i] + added * (x[i] * x[i]) + guard<Scalar>)-guard<Scalar>;
}

/// The square roots of numbers, exact to the last bit. Eigen's vectorised root is not, and makes NaN of infinity, where
/// the square of a great gradient ends; a compiler vectorises this loop where it need not set errno.
template <class Scalar>
Block<Scalar> roots(const Block<Scalar>& x) {
  Block<Scalar> result(x.size());
  for (Index i = 0; i < x.size(); ++i) result[i] = std::sqrt(x[i]);
  return result;
}

/// Makes a moment that only some settings use as long as the parameters, at its first use.
template <class Scalar>
void fit(Vector<Scalar>& moment, Index parameters) {
  if (moment.size() != parameters) moment.setZero(parameters);
}

}  // namespace mellow::nn::detail

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

namespace mellow::statistics {

/// A number and the interval in which it would lie, were the experiment repeated.
///
/// fmt writes "value [low, high]", each number as the format says: "{:.2f}" gives "0.87 [0.81, 0.92]".
struct Estimate {
  double value = 0.0;  ///< from the data themselves
  double low = 0.0;    ///< where the interval begins
  double high = 0.0;   ///< where it ends; not below `low`

  /// Whether the interval holds x, its ends included.
  bool covers(double x) const { return low <= x && x <= high; }

  friend bool operator==(const Estimate&, const Estimate&) = default;  ///< the same numbers
};

}  // namespace mellow::statistics

/// \cond
/// Writes an Estimate as "value [low, high]".
template <>
struct fmt::formatter<mellow::statistics::Estimate> : fmt::formatter<double> {
  /// Takes the format of a double for each of the three numbers.
  template <class Context>
  auto format(const mellow::statistics::Estimate& estimate, Context& context) const {
    const auto put = [&](char c) {
      auto out = context.out();
      *out++ = c;
      context.advance_to(out);
    };
    const auto number = [&](double x) { context.advance_to(fmt::formatter<double>::format(x, context)); };
    number(estimate.value);
    put(' ');
    put('[');
    number(estimate.low);
    put(',');
    put(' ');
    number(estimate.high);
    put(']');
    return context.out();
  }
};
/// \endcond

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include <mellow/core/types.hpp>

namespace mellow::speed {

/// A network and a batch at which updates are measured.
struct Shape {
  std::string name;
  std::vector<Index> widths;  ///< inputs, hidden widths, outputs
  Index batch;
};

inline const std::vector<Shape> shapes{{"64", {4, 64, 64, 2}, 64}, {"256", {8, 256, 256, 4}, 256}};

/// Floating-point operations of the GEMMs of one DQN update: 2 x batch x weights for the target's and the online
/// network's forward pass and for the gradients of weights and of inputs, the latter without the first layer's.
inline double flop(const Shape& shape) {
  Index weights = 0;
  for (std::size_t l = 1; l < shape.widths.size(); ++l) weights += shape.widths[l - 1] * shape.widths[l];
  return 2.0 * static_cast<double>(shape.batch * (4 * weights - shape.widths[0] * shape.widths[1]));
}

/// Reports the rate at which every iteration does `amount` of what `name` says.
inline void report_rate(benchmark::State& state, const char* name, double amount) {
  state.counters[name] = benchmark::Counter(amount, benchmark::Counter::kIsIterationInvariantRate);
}

}  // namespace mellow::speed

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>
#include <vector>

#include <mellow/core/network.hpp>

namespace mellow::nn {

/// What an optimiser's state is made for: `state.reset(network)`, or `state.reset(count)` for parameters that are no
/// network's.
struct ParameterLayout {
  Index size = 0;                 ///< how many parameters
  std::vector<Segment> segments;  ///< the network's; empty where only the count is known

  /// A number of parameters of which nothing else is known.
  ParameterLayout(Index count) : size(count) {}  // NOLINT(google-explicit-constructor): `state.reset(100)`
  /// The parameters of a network or language model. It is first asked for its tape: to ask every type here in full, Clang would have to know this one.
  template <class Net>
    requires requires { typename Net::Tape; } && Parametric<Net>
  ParameterLayout(const Net& network)  // NOLINT(google-explicit-constructor): `state.reset(network)`
      : size(network.parameters()), segments(network.segments()) {}
};

}  // namespace mellow::nn

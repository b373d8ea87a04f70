// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <span>

#include <mellow/core/parts.hpp>
#include <mellow/core/types.hpp>

namespace mellow::language {

/// How processes that train one model on the same batches share the work. Each draws the whole batch, takes its part of
/// it, and gives its part of the gradient, which is summed before it is clipped: all take the same step.
///
///     processes(), process()    how many there are, which one this is
///     sum(gradient, figures)    replaces both by their sums over the processes; figures are doubles: losses, metrics. The
///                               gradient may be empty
template <class P, class Scalar>
concept ReductionPart = requires(const P part, VectorRef<Scalar> gradient, std::span<double> figures) {
  { part.processes() } -> std::convertible_to<Index>;
  { part.process() } -> std::convertible_to<Index>;
  part.sum(gradient, figures);
};

/// One process does all the work.
struct OneProcess {
  using role = roles::Reduction;

  Index processes() const { return 1; }  ///< there are
  Index process() const { return 0; }    ///< this one's number
  /// Does nothing.
  template <class Gradient>
  void sum(const Gradient&, std::span<double>) const {}
};

}  // namespace mellow::language

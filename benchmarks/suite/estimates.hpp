// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/statistics/estimate.hpp>
#include <mellow/statistics/share.hpp>

#include "paper.hpp"

/// What the papers' claims are written with.
namespace mellow::suite {

/// A number in which nothing is random.
inline statistics::Estimate certain(double x) { return {x, x, x}; }

using statistics::share;

/// Of a criterion that could be tested.
inline Verdict verdict(bool holds) { return holds ? Verdict::Holds : Verdict::DoesNotHold; }

}  // namespace mellow::suite

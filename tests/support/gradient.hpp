// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/nn/gradient_check.hpp>

#include "support/catch.hpp"

/// Expects `gradient` to be that of `function` at `x`, by central differences.
template <class Function>
void expect_gradient(Function&& function, const mellow::Vector<double>& x, const mellow::Vector<double>& gradient) {
  REQUIRE(x.size() == gradient.size());
  CHECK(mellow::nn::gradient_check(function, x, gradient) < 1e-7);
}

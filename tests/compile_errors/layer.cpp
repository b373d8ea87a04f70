// SPDX-License-Identifier: Apache-2.0
// expect: a layer given to nn::Sequential is neither an activation
#include <mellow/nn/sequential.hpp>

using namespace mellow;

struct Square {
  static constexpr bool keeps_input = true;
  float value(float x) const { return x * x; }
};

nn::Sequential network(nn::Dense(4, 8), Square{}, nn::Dense(8, 2));

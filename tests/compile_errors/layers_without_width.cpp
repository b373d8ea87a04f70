// SPDX-License-Identifier: Apache-2.0
// expect: nn::Sequential needs a layer that knows its width
#include <mellow/nn/sequential.hpp>

using namespace mellow;

nn::Sequential network(nn::ReLU{}, nn::Tanh{});

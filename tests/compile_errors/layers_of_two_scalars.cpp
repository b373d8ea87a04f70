// SPDX-License-Identifier: Apache-2.0
// expect: the layers given to nn::Sequential differ in their Scalar
#include <mellow/nn/sequential.hpp>

using namespace mellow;

nn::Sequential network(nn::Dense(4, 8), nn::ReLU{}, nn::Dense<double>(8, 2));

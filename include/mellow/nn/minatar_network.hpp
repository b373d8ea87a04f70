// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/core/types.hpp>
#include <mellow/nn/activation.hpp>
#include <mellow/nn/convolution.hpp>
#include <mellow/nn/dense.hpp>
#include <mellow/nn/flatten.hpp>
#include <mellow/nn/sequential.hpp>

namespace mellow::nn {

/// The network of DQN on MinAtar's 10 x 10 grids (Young & Tian 2019): 16 filters of 3 x 3 without padding, ReLU, 128 dense
/// units, ReLU, linear outputs. Begins as `PyTorchDefault` has it.
///
///     value::Dqn agent(nn::minatar_network(4, 6));                                          // Breakout, all actions
///     value::Dqn c51(nn::minatar_network(4, 3 * 51), value::CategoricalHead{});             // a distribution an action
///
/// In PyTorch: Sequential(Conv2d(channels, 16, 3), ReLU(), Flatten(), Linear(1024, 128), ReLU(), Linear(128, outputs)).
/// Throws Error for a number that is not positive.
template <class Scalar = float>
auto minatar_network(Index channels, Index outputs) {
  const Convolution<Scalar> convolution({10, 10, channels}, {.filters = 16, .kernel = 3});
  const Flatten<Scalar> flatten(convolution.output_image());
  return Sequential(convolution, ReLU{}, flatten, Dense<Scalar>(flatten.outputs(), 128), ReLU{},
                    Dense<Scalar>(128, outputs));
}

/// The smaller one of Dopamine's agents on MinAtar (Castro et al. 2018): filters of 3 x 3 that keep the size, ReLU, linear
/// outputs. Begins as `Glorot` has it: Dopamine's Xavier.
///
///     value::Dqn agent(nn::minatar_linear_network(4, 3 * 51), value::CategoricalHead{.v_min = -100, .v_max = 100},
///                      nn::Glorot{});
///
/// In PyTorch: Sequential(Conv2d(channels, filters, 3, padding='same'), ReLU(), Flatten(), Linear(100 * filters, outputs)).
/// Throws Error for a number that is not positive.
template <class Scalar = float>
auto minatar_linear_network(Index channels, Index outputs, Index filters = 16) {
  const Convolution<Scalar> convolution({10, 10, channels},
                                        {.filters = filters, .kernel = 3, .padding = Padding::Same});
  const Flatten<Scalar> flatten(convolution.output_image());
  return Sequential(convolution, ReLU{}, flatten, Dense<Scalar>(flatten.outputs(), outputs));
}

}  // namespace mellow::nn

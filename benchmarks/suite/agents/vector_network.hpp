// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include <mellow/nn/mlp.hpp>
#include <mellow/tools/saved_state.hpp>
#include <mellow/tools/weights.hpp>

#include "../agent.hpp"

namespace mellow::suite {

/// The network of an agent for an environment of vectors and discrete actions, with hidden layers of these widths.
inline nn::Mlp<> network_for(const Control& environment, const std::vector<Index>& hidden) {
  std::vector<Index> widths{environment.observation_space().size()};
  widths.insert(widths.end(), hidden.begin(), hidden.end());
  widths.push_back(environment.action_space().n);
  return nn::Mlp<>(widths);
}

/// A network's parameters from a file of weights, or from the piece of this name in a checkpoint. Throws Error where they
/// do not fit.
template <Parametric Net>
Vector<float> load_parameters(const SavedParameters& saved, std::string_view piece, const Net& network) {
  if (!saved.is_checkpoint) return tools::load_weights(saved.file, network);
  const auto file = tools::load_saved_state(saved.file);
  const auto* const numbers = std::get_if<std::vector<float>>(&file.at(piece, {network.parameters()}).values);
  if (numbers == nullptr) throw Error(saved.file.string(), "its parameters are no float numbers");
  return Eigen::Map<const Vector<float>>(numbers->data(), std::ssize(*numbers));
}

}  // namespace mellow::suite

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>

#include <mellow/tools/drawing.hpp>

#include "environments.hpp"

namespace mellow::suite {

/// What an environment looks like.
struct Scene {
  tools::Canvas canvas;                                     ///< what is shown
  std::function<tools::Drawing(const Sight&)> draw;         ///< a state, without a caption
  std::function<std::string(const Sight&, bool)> as_map{};  ///< a state as lines of text, in colour or not; empty: none
};

/// The scene of an environment.
Scene scene_of(const EnvironmentConfig& config);

}  // namespace mellow::suite

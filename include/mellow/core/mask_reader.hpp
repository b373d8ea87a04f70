// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include <mellow/core/environment.hpp>
#include <mellow/core/types.hpp>

namespace mellow {

/// Reads the action mask of an environment that has one.
template <class E>
class MaskReader {
 public:
  /// Of this environment, or of others with as many actions.
  explicit MaskReader([[maybe_unused]] const E& environment) {
    if constexpr (MaskedEnvironment<E>) {
      if constexpr (requires { environment.masks_actions(); })
        if (!environment.masks_actions()) return;
      storage_.setConstant(environment.action_space().n, true);
    }
  }

  /// Which actions are allowed now, until it is asked again; empty where the environment says nothing of it.
  ActionMask of([[maybe_unused]] const E& environment) {
    const auto size = static_cast<std::size_t>(storage_.size());
    if constexpr (MaskedEnvironment<E>)
      if (size > 0) environment.action_mask({storage_.data(), size});
    return {storage_.data(), size};
  }

 private:
  Vector<bool> storage_;
};

}  // namespace mellow

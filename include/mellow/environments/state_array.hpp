// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>

namespace mellow::environments {

/// An environment whose state is `size` numbers, which can be read, set and visited. What each of them is, says the
/// environment that derives from it.
template <std::size_t size>
class StateArray {
 public:
  using State = std::array<double, size>;  ///< of the environment

  const State& state() const { return state_; }           ///< the present one
  void set_state(const State& state) { state_ = state; }  ///< goes on from `state`

  /// Names the state.
  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("state", self.state_);
  }

 protected:
  State state_{};  ///< the present one
};

}  // namespace mellow::environments

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/core/environment.hpp>

namespace mellow::environments {

/// What a wrapper passes through unchanged. A wrapper derives from it and hides what it changes; nothing is virtual.
template <class E>
class Wrapper {
  static_assert(require_environment<E>() || true);  // has said what is wrong; that suffices

 public:
  using Wrapped = E;  ///< what is wrapped

  /// Takes the environment to wrap.
  explicit Wrapper(E environment) : environment_(std::move(environment)) {}

  auto observation_space() const { return environment_.observation_space(); }  ///< of the wrapped environment
  auto action_space() const { return environment_.action_space(); }            ///< of the wrapped environment

  /// Begins an episode.
  template <class Generator>
  void reset(Generator& rng) {
    environment_.reset(rng);
  }
  /// Acts once.
  template <class Action, class Generator>
  Step step(const Action& action, Generator& rng) {
    return environment_.step(action, rng);
  }
  /// Writes the present observation.
  template <class Out>
  void observe(Out&& out) const {
    environment_.observe(out);
  }
  /// Which actions are allowed.
  void action_mask(std::span<bool> out) const
    requires MaskedEnvironment<E>
  {
    environment_.action_mask(out);
  }
  /// The reward of the last step before any wrapper changed it, where one does.
  double original_reward() const
    requires RescalesRewards<E>
  {
    return environment_.original_reward();
  }

  const E& unwrapped() const { return environment_; }  ///< what is wrapped
  E& unwrapped() { return environment_; }              ///< what is wrapped

  template <class Self, class Visit>
    requires Visitable<E>
  static void visit_state(Self& self, Visit&& visit) {
    visit("environment", self.environment_);
  }

 protected:
  E environment_;  ///< what is wrapped
};

}  // namespace mellow::environments

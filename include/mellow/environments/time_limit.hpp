// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/core/environment.hpp>

namespace mellow::environments {

/// Truncates an episode after `limit` steps. Termination is left as it is, so both flags may be set on one step.
template <class E>
class TimeLimit {
  static_assert(require_environment<E>() || true);  // has said what is wrong; that suffices

 public:
  using Wrapped = E;

  TimeLimit(E environment, Index limit) : environment_(std::move(environment)), limit_(limit) {
    require(limit > 0, "TimeLimit", "limit must be positive", limit);
  }

  auto observation_space() const { return environment_.observation_space(); }
  auto action_space() const { return environment_.action_space(); }

  template <class Generator>
  void reset(Generator& rng) {
    elapsed_ = 0;
    environment_.reset(rng);
  }
  template <class Action, class Generator>
  Step step(const Action& action, Generator& rng) {
    Step result = environment_.step(action, rng);
    result.truncated |= ++elapsed_ >= limit_;
    return result;
  }
  template <class Out>
  void observe(Out&& out) const {
    environment_.observe(out);
  }

  void action_mask(std::span<bool> out) const
    requires MaskedEnvironment<E>
  {
    environment_.action_mask(out);
  }

  const E& unwrapped() const { return environment_; }
  E& unwrapped() { return environment_; }
  Index limit() const { return limit_; }

  template <class Self, class Visit>
    requires Visitable<E>
  static void visit_state(Self& self, Visit&& visit) {
    visit("environment", self.environment_);
    visit("elapsed", self.elapsed_);
  }

 private:
  E environment_;
  Index limit_;
  Index elapsed_ = 0;
};

}  // namespace mellow::environments

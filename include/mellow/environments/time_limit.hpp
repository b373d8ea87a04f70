// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/environments/wrapper.hpp>

namespace mellow::environments {

/// Truncates an episode after `limit` steps. Termination is left as it is, so both flags may be set on one step.
template <class E>
class TimeLimit : public Wrapper<E> {
 public:
  /// Throws Error for a limit that is not positive.
  TimeLimit(E environment, Index limit) : Wrapper<E>(std::move(environment)), limit_(limit) {
    require(limit > 0, "TimeLimit", "limit must be positive", limit);
  }

  /// Begins an episode.
  template <class Generator>
  void reset(Generator& rng) {
    elapsed_ = 0;
    this->environment_.reset(rng);
  }
  /// Acts once.
  template <class Action, class Generator>
  Step step(const Action& action, Generator& rng) {
    Step result = this->environment_.step(action, rng);
    result.truncated |= ++elapsed_ >= limit_;
    return result;
  }

  Index limit() const { return limit_; }  ///< steps of an episode at the most

  template <class Self, class Visit>
    requires Visitable<E>
  static void visit_state(Self& self, Visit&& visit) {
    Wrapper<E>::visit_state(self, visit);
    visit("elapsed", self.elapsed_);
  }

 private:
  Index limit_;
  Index elapsed_ = 0;
};

}  // namespace mellow::environments

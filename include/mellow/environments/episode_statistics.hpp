// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/environments/wrapper.hpp>

namespace mellow::environments {

/// Adds up rewards and steps of every episode, for a loop of your own; `training::train` reports them by itself.
template <class E>
class EpisodeStatistics : public Wrapper<E> {
 public:
  static constexpr bool carries_over = true;  ///< an episode goes on from what those before it taught

  /// Takes the environment to wrap.
  explicit EpisodeStatistics(E environment) : Wrapper<E>(std::move(environment)) {}

  /// Begins an episode.
  template <class Generator>
  void reset(Generator& rng) {
    return_ = 0;
    length_ = 0;
    this->environment_.reset(rng);
  }
  /// Acts once.
  template <class Action, class Generator>
  Step step(const Action& action, Generator& rng) {
    const Step result = this->environment_.step(action, rng);
    return_ += result.reward;
    ++length_;
    episodes_ += result.terminated || result.truncated;
    return result;
  }

  double episode_return() const { return return_; }  ///< undiscounted, of the present episode so far
  Index episode_length() const { return length_; }   ///< steps of the present episode so far
  Index episodes() const { return episodes_; }       ///< ended since construction

  template <class Self, class Visit>
    requires Visitable<E>
  static void visit_state(Self& self, Visit&& visit) {
    Wrapper<E>::visit_state(self, visit);
    visit("return", self.return_);
    visit("length", self.length_);
    visit("episodes", self.episodes_);
  }

 private:
  double return_ = 0;
  Index length_ = 0, episodes_ = 0;
};

}  // namespace mellow::environments

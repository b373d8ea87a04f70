// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/environments/wrapper.hpp>

namespace mellow::environments {

/// Shows the last `count` observations at once, the oldest first (Mnih et al. 2015); an episode begins with `count`
/// times its first one. A replay with `stack = count` stores each of them once.
template <class E>
class FrameStack : public Wrapper<E> {
 public:
  /// Throws Error for a count that is not positive.
  FrameStack(E environment, Index count) : Wrapper<E>(std::move(environment)), newest_(count - 1) {
    require(count > 0, "FrameStack", "count must be positive", count);
    frames_.setZero(this->environment_.observation_space().size(), count);
  }

  /// The wrapped environment's bounds, `count` times.
  Box observation_space() const {
    const Box one = this->environment_.observation_space();
    return {one.low.replicate(frames_.cols(), 1), one.high.replicate(frames_.cols(), 1)};
  }

  /// Begins an episode.
  template <class Generator>
  void reset(Generator& rng) {
    this->environment_.reset(rng);
    newest_ = frames_.cols() - 1;
    this->environment_.observe(frames_.col(0));
    for (Index i = 1; i < frames_.cols(); ++i) frames_.col(i) = frames_.col(0);
  }
  /// Acts once.
  template <class Action, class Generator>
  Step step(const Action& action, Generator& rng) {
    const Step result = this->environment_.step(action, rng);
    newest_ = (newest_ + 1) % frames_.cols();
    this->environment_.observe(frames_.col(newest_));
    return result;
  }
  /// Writes the stacked observations.
  void observe(VectorRef<float> out) const {
    for (Index i = 0; i < frames_.cols(); ++i)
      out.segment(i * frames_.rows(), frames_.rows()) = frames_.col((newest_ + 1 + i) % frames_.cols());
  }

  template <class Self, class Visit>
    requires Visitable<E>
  static void visit_state(Self& self, Visit&& visit) {
    Wrapper<E>::visit_state(self, visit);
    visit("frames", self.frames_);
    visit("newest", self.newest_);
  }

 private:
  Matrix<float> frames_;  // features x count, a ring
  Index newest_;
};

}  // namespace mellow::environments

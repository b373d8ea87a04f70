// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>

#include <mellow/core/running_moments.hpp>
#include <mellow/environments/wrapper.hpp>

namespace mellow::environments {

/// Shows (observation - mean) / sqrt(variance + epsilon) with the moments of all observations so far, no further than
/// `clip` from 0. Copies go on from the moments that they were made with; `training::train` evaluates with the present
/// ones and returns the environment with the last ones.
template <class E>
class NormalizedObservation : public Wrapper<E> {
 public:
  static constexpr bool carries_over = true;  ///< an episode goes on from what those before it taught

  /// `clip` > 0; Error otherwise.
  explicit NormalizedObservation(E environment, double clip = 10.0)
      : Wrapper<E>(std::move(environment)), moments_(this->environment_.observation_space().size()), clip_(clip) {
    require(clip > 0, "NormalizedObservation", "clip must be positive", clip);
    observation_.setZero(this->environment_.observation_space().size());
  }

  /// From -clip to clip in every dimension.
  Box observation_space() const { return {observation_.size(), -static_cast<float>(clip_), static_cast<float>(clip_)}; }

  /// Begins an episode.
  template <class Generator>
  void reset(Generator& rng) {
    this->environment_.reset(rng);
    take_in();
  }
  /// Acts once.
  template <class Action, class Generator>
  Step step(const Action& action, Generator& rng) {
    const Step result = this->environment_.step(action, rng);
    take_in();
    return result;
  }
  /// Writes the normalised observation.
  void observe(VectorRef<float> out) const {
    constexpr double epsilon = 1e-8;
    for (Index i = 0; i < observation_.size(); ++i) {
      const double z =
          (static_cast<double>(observation_[i]) - moments_.mean(i)) / std::sqrt(moments_.variance(i) + epsilon);
      out[i] = static_cast<float>(std::clamp(z, -clip_, clip_));
    }
  }

  const RunningMoments& moments() const { return moments_; }  ///< of all observations so far

  template <class Self, class Visit>
    requires Visitable<E>
  static void visit_state(Self& self, Visit&& visit) {
    Wrapper<E>::visit_state(self, visit);
    visit("moments", self.moments_);
    visit("observation", self.observation_);
  }

 private:
  void take_in() {
    this->environment_.observe(observation_);
    moments_.add(observation_);
  }

  RunningMoments moments_;
  double clip_;
  Vector<float> observation_;
};

}  // namespace mellow::environments

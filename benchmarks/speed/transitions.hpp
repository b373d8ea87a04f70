// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>

#include <mellow/core/environment.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/core/spaces.hpp>
#include <mellow/data/transition.hpp>

/// Where the transitions come from that agents and replays are measured on: each is called as `source(rng)`, and what it
/// gives can be looked at until the next call.
namespace mellow::speed {

/// Numbers in [-1, 1] that go on from one another; one episode in 20 steps ends.
class Noise {
 public:
  Noise(Index features, Index actions) : space_(features, -1, 1), actions_(actions) {}

  Transition<> operator()(Rng& rng) {
    if (next_.size() == 0) next_ = space_.sample(rng);
    now_.swap(next_);
    next_ = space_.sample(rng);
    action_ = actions_.sample(rng);
    const double reward = rng.uniform();
    return {.observation = now_,
            .action = action_,
            .reward = reward,
            .next_observation = next_,
            .terminated = rng.uniform() < 0.05};
  }

 private:
  Box space_;
  Discrete actions_;
  Vector<> now_, next_;
  Index action_ = 0;
};

/// An environment under random actions.
template <Environment E>
class RandomPlay {
 public:
  explicit RandomPlay(E environment)
      : environment_(std::move(environment)),
        now_(environment_.observation_space().size()),
        next_(environment_.observation_space().size()) {}

  Transition<> operator()(Rng& rng) {
    if (!running_) {
      environment_.reset(rng);
      environment_.observe(next_);
    }
    now_.swap(next_);
    action_ = environment_.action_space().sample(rng);
    const Step step = environment_.step(action_, rng);
    environment_.observe(next_);
    running_ = !step.terminated && !step.truncated;
    return {.observation = now_,
            .action = action_,
            .reward = step.reward,
            .next_observation = next_,
            .terminated = step.terminated,
            .truncated = step.truncated};
  }

 private:
  E environment_;
  Vector<> now_, next_;
  Index action_ = 0;
  bool running_ = false;
};

}  // namespace mellow::speed

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include <mellow/core/environment.hpp>
#include <mellow/environments/tabular_mdp.hpp>

namespace mellow::environments {

/// A tabular model as an environment: observations and actions are indices. Copies share the model, which does not
/// change, so that a snapshot is one number.
template <TabularModel Model>
class Tabular {
 public:
  /// Takes the model; all copies share it.
  explicit Tabular(Model model) : shared_(std::make_shared<const Shared>(std::move(model))) {}

  Discrete observation_space() const { return Discrete(model().states()); }  ///< the states
  Discrete action_space() const { return Discrete(model().actions()); }      ///< the actions

  /// Begins in a state drawn from the model's start probabilities. Takes one uniform number, as Gymnasium's toy texts
  /// do.
  template <class Generator>
  void reset(Generator& rng) {
    state_ = first_beyond(rng.uniform(), shared_->starts).next;
  }

  /// Draws an outcome of the action with one uniform number.
  template <class Generator>
  Step step(Index action, Generator& rng) {
    const Outcome outcome = first_beyond(rng.uniform(), model().outcomes(state_, action));
    state_ = outcome.next;
    return {.reward = outcome.reward, .terminated = outcome.terminated};
  }

  void observe(Index& out) const { out = state_; }  ///< the present state

  const Model& model() const { return shared_->model; }  ///< what it was made of
  Index state() const { return state_; }                 ///< the present state
  void set_state(Index state) { state_ = state; }        ///< goes on from this state

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("state", self.state_);
  }

 private:
  struct Shared {
    explicit Shared(Model m) : model(std::move(m)) {
      for (Index s = 0; s < model.states(); ++s)
        if (model.start()[s] > 0) starts.push_back({.probability = model.start()[s], .next = s});
    }
    Model model;
    std::vector<Outcome> starts;  // states that an episode may begin in
  };

  /// The first outcome at which the probabilities so far exceed u; rounding at the upper end gives the last possible
  /// one.
  template <class Outcomes>
  static Outcome first_beyond(double u, Outcomes&& outcomes) {
    double sum = 0.0;
    Outcome last;
    for (const Outcome& outcome : outcomes) {
      if (outcome.probability <= 0.0) continue;
      last = outcome;
      if ((sum += outcome.probability) > u) break;
    }
    return last;
  }

  std::shared_ptr<const Shared> shared_;
  Index state_ = 0;
};

}  // namespace mellow::environments

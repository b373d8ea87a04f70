// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>
#include <tuple>
#include <type_traits>
#include <vector>

#include <mellow/core/memory.hpp>
#include <mellow/environments/batch.hpp>

namespace mellow::environments {

/// Many copies of an environment that are stepped together, each with a generator of its own.
///
///     Vectorized environments(TimeLimit(CartPole{}, 500), 64);
///     environments.reset(rng);
///     const Steps& steps = environments.step(actions);   // Vector<Index>; for a Box: dimensions x n
///     environments.observations();                       // features x n; for Discrete: Vector<Index>
///
/// An episode that ends is followed by the next one within the same step: `observations()` then holds the first
/// observation of the new episode, `final_observations()` the last one of the old, from which a truncated episode is
/// bootstrapped. Where the environment masks actions, `action_masks()` and `final_action_masks()` say which are allowed
/// at these observations; where it shows other rewards than it is judged by, `original_rewards()` has those of the last
/// step. A PureEnvironment, also within a TimeLimit, is stepped by vectorised arithmetic with the same results,
/// bit for bit where `-ffp-contract=off` is set; any other environment is stepped one by one. Stepping does not
/// allocate.
///
/// For agents that act on batches; `training::train` takes a single environment.
template <class E>
class Vectorized {
  static_assert(require_environment<E>() || true);  // has said what is wrong; that suffices

 public:
  using Observations = detail::Observations<E>;  ///< features x n; for discrete observations Vector<Index>
  using ActionMasks = Eigen::Array<bool, Eigen::Dynamic, Eigen::Dynamic>;  ///< actions x n

  /// `n` copies of `environment`. Throws Error unless n is positive and they fit into memory.
  Vectorized(const E& environment, Index n)
      : environment_(environment), batch_(allocated(n, [&] { return Batch(environment, n); })) {
    allocated(n, [&] {
      generators_.resize(static_cast<std::size_t>(n));
      steps_ = {Vector<double>::Zero(n), Vector<bool>::Zero(n), Vector<bool>::Zero(n)};
      if constexpr (std::same_as<ObservationSpace<E>, Discrete>) observations_ = Observations::Zero(n);
      else observations_ = Observations::Zero(environment.observation_space().size(), n);
      final_observations_ = observations_;
      if constexpr (MaskedEnvironment<E>) {
        masks_.setConstant(environment.action_space().n, n, true);
        final_masks_ = masks_;
      }
      if constexpr (RescalesRewards<E>) original_rewards_.setZero(n);
    });
  }

  Index size() const { return steps_.rewards.size(); }                         ///< n
  auto observation_space() const { return environment_.observation_space(); }  ///< of one environment
  auto action_space() const { return environment_.action_space(); }            ///< of one environment

  /// Begins an episode in every environment. Environment i gets the i-th generator split from `rng`, for good: what it
  /// does depends on that and its actions, not on the other environments.
  void reset(Rng& rng) {
    for (Index i = 0; i < size(); ++i) {
      generator(i) = rng.split();
      batch_.reset(i, generator(i));
    }
    batch_.observe(observations_);
    see_masks();
  }

  /// Acts once in every environment, and begins the next episode where one ended.
  const Steps& step(const detail::ActionsRef<E>& actions) {
    if constexpr (require_environment<E>()) {
      assert((std::same_as<ActionSpace<E>, Discrete> ? actions.size() : actions.cols()) == size());
      batch_.step(actions, generators_, steps_);
      batch_.observe(observations_);
      see_masks();
      if constexpr (RescalesRewards<E>)
        for (Index i = 0; i < size(); ++i) original_rewards_[i] = batch_.original_reward(i);
      for (Index i = 0; i < size(); ++i) {
        if (!(steps_.terminated[i] || steps_.truncated[i])) continue;
        if constexpr (std::same_as<ObservationSpace<E>, Discrete>) final_observations_[i] = observations_[i];
        else final_observations_.col(i) = observations_.col(i);
        if constexpr (MaskedEnvironment<E>) final_masks_.col(i) = masks_.col(i);
        batch_.reset(i, generator(i));
        batch_.observe(i, observations_);
        see_mask(i);
      }
    }
    return steps_;
  }

  /// Returns the present observations, from which to act next.
  const Observations& observations() const { return observations_; }

  /// Returns the observations that ended episodes: valid for each environment whose episode the last step ended.
  const Observations& final_observations() const { return final_observations_; }

  /// Returns which actions are allowed at the present observations.
  const ActionMasks& action_masks() const
    requires MaskedEnvironment<E>
  {
    return masks_;
  }

  /// Returns which were allowed at the observations that ended episodes, where the last step ended one.
  const ActionMasks& final_action_masks() const
    requires MaskedEnvironment<E>
  {
    return final_masks_;
  }

  /// Returns the rewards of the last step before any wrapper changed them.
  const Vector<double>& original_rewards() const
    requires RescalesRewards<E>
  {
    return original_rewards_;
  }

  /// Names everything that changes, the outcome of the last step included.
  template <class Self, class Visit>
    requires Visitable<typename detail::BatchOf<E>::type>
  static void visit_state(Self& self, Visit&& visit) {
    visit("batch", self.batch_);
    visit("generators", self.generators_);
    visit("observations", self.observations_);
    visit("final_observations", self.final_observations_);
    visit("steps", self.steps_);
    if constexpr (MaskedEnvironment<E>) {
      visit("action_masks", self.masks_);
      visit("final_action_masks", self.final_masks_);
    }
    if constexpr (RescalesRewards<E>) visit("original_rewards", self.original_rewards_);
  }

 private:
  using Batch = typename detail::BatchOf<E>::type;

  /// Returns what `make` returns, which allocates for n environments.
  template <class Make>
  static decltype(auto) allocated(Index n, const Make& make) {
    require(n > 0, "Vectorized", "the number of environments must be positive", n);
    return within_memory("Vectorized", "this many environments do not fit into memory", n, make);
  }
  Rng& generator(Index i) { return generators_[static_cast<std::size_t>(i)]; }

  /// Takes the mask of environment i, or of all, where there are masks.
  void see_mask([[maybe_unused]] Index i) {
    if constexpr (MaskedEnvironment<E>)
      batch_.action_mask(i, {masks_.col(i).data(), static_cast<std::size_t>(masks_.rows())});
  }
  void see_masks() {
    if constexpr (MaskedEnvironment<E>)
      for (Index i = 0; i < size(); ++i) see_mask(i);
  }

  E environment_;
  Batch batch_;
  std::vector<Rng> generators_;
  Observations observations_, final_observations_;
  Steps steps_;
  [[no_unique_address]] std::conditional_t<MaskedEnvironment<E>, ActionMasks, std::tuple<>> masks_;
  [[no_unique_address]] std::conditional_t<MaskedEnvironment<E>, ActionMasks, std::tuple<>> final_masks_;
  [[no_unique_address]] std::conditional_t<RescalesRewards<E>, Vector<double>, std::tuple<>> original_rewards_;
};

}  // namespace mellow::environments

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <mellow/core/environment.hpp>

namespace mellow::environments {

/// Gives copies and state to an environment that has neither (a foreign simulator): it remembers how the episode began
/// and what was done since, and a copy is built anew and led the same way when it is first used.
///
///     Replayed environment([] { return ForeignLander("config.json"); });
///
/// The environment must draw only from the generator that it is given. A copy costs the episode so far.
template <std::invocable Factory>
class Replayed {
 public:
  using Wrapped = std::invoke_result_t<const Factory&>;   ///< the environment that the factory builds
  static_assert(require_environment<Wrapped>() || true);  // has said what is wrong; that suffices

  /// `factory()` builds the environment, the same each time.
  explicit Replayed(Factory factory) : factory_(std::in_place, std::move(factory)) {}
  /// A copy runs the episode so far again when it is first used.
  Replayed(const Replayed& other)
      : factory_(other.factory_), generators_(other.generators_), actions_(other.actions_) {}
  Replayed(Replayed&&) noexcept = default;                                        ///< takes the episode over
  Replayed& operator=(const Replayed& other) { return *this = Replayed(other); }  ///< as a copy
  /// Takes the other's episode over.
  Replayed& operator=(Replayed&& other) noexcept {
    environment_.reset();
    factory_.emplace(*other.factory_);  // a lambda cannot be assigned
    generators_ = std::move(other.generators_);
    actions_ = std::move(other.actions_);
    return *this;
  }
  ~Replayed() = default;

  auto observation_space() const { return environment().observation_space(); }  ///< of the environment
  auto action_space() const { return environment().action_space(); }            ///< of the environment

  /// Begins an episode.
  void reset(Rng& rng) {
    if (!environment_) environment_.emplace((*factory_)());  // the past does not matter any more
    generators_.assign(1, rng.state());
    actions_.clear();
    environment_->reset(rng);
  }
  /// Acts once.
  template <class A>
  Step step(const A& action, Rng& rng) {
    Wrapped& wrapped = environment();
    generators_.push_back(rng.state());
    actions_.push_back(action);
    return wrapped.step(action, rng);
  }
  /// Writes the present observation.
  template <class Out>
  void observe(Out&& out) const {
    environment().observe(out);
  }
  /// Which actions are allowed.
  void action_mask(std::span<bool> out) const
    requires MaskedEnvironment<Wrapped>
  {
    environment().action_mask(out);
  }
  /// The reward of the last step before any wrapper changed it, where one does.
  double original_reward() const
    requires RescalesRewards<Wrapped>
  {
    return environment().original_reward();
  }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("generators", self.generators_);
    visit("actions", self.actions_);
  }

 private:
  /// The environment, led to where this one is.
  Wrapped& environment() const {
    if (!environment_) {
      environment_.emplace((*factory_)());
      for (std::size_t i = 0; i < generators_.size(); ++i) {
        Rng rng = Rng::from_state(generators_[i]);
        if (i == 0) environment_->reset(rng);
        else environment_->step(actions_[i - 1], rng);
      }
    }
    return *environment_;
  }

  std::optional<Factory> factory_;                        // always there
  mutable std::optional<Wrapped> environment_;            // built when it is needed
  std::vector<std::array<std::uint64_t, 4>> generators_;  // before the reset and before each step since
  std::vector<Action<Wrapped>> actions_;                  // since the reset
};

}  // namespace mellow::environments

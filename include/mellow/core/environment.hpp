// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <span>
#include <type_traits>

#include <mellow/core/rng.hpp>
#include <mellow/core/spaces.hpp>
#include <mellow/core/state.hpp>

namespace mellow {

/// What one step of an environment gives besides the observation.
struct Step {
  double reward = 0.0;      ///< of the step, finite
  bool terminated = false;  ///< the task ended: no value lies beyond, learning does not bootstrap
  bool truncated = false;   ///< the episode was cut short from outside: learning bootstraps from the last observation
};

/// Which of the discrete actions are allowed, one entry an action; empty: all.
using ActionMask = std::span<const bool>;

template <class S>
concept Space = std::same_as<S, Discrete> || std::same_as<S, Box>;

/// @{
/// The types of an environment's spaces and of what goes in and out of it.
template <class E>
using ObservationSpace = std::remove_cvref_t<decltype(std::declval<const E&>().observation_space())>;
template <class E>
using ActionSpace = std::remove_cvref_t<decltype(std::declval<const E&>().action_space())>;
template <class E>
using Observation = typename ObservationSpace<E>::Element;
template <class E>
using Action = typename ActionSpace<E>::Element;
/// @}

namespace detail {
template <class E>
concept HasSpaces = requires(const E e) {
  { e.observation_space() } -> std::convertible_to<std::remove_cvref_t<decltype(e.observation_space())>>;
  { e.action_space() } -> std::convertible_to<std::remove_cvref_t<decltype(e.action_space())>>;
  requires Space<ObservationSpace<E>> && Space<ActionSpace<E>>;
};
template <class E>
concept HasReset = requires(E e, Rng& rng) { e.reset(rng); };
template <class E>
concept HasStep = HasSpaces<E> && requires(E e, const Action<E>& action, Rng& rng) {
  { e.step(action, rng) } -> std::same_as<Step>;
};
template <class E>
concept HasObserve =
    HasSpaces<E> && requires(const E e, typename ObservationSpace<E>::ElementRef out) { e.observe(out); };
}  // namespace detail

/// A task to act in:
///
///     observation_space() const, action_space() const   mellow::Discrete or mellow::Box
///     reset(rng)                                         begins an episode
///     step(action, rng)                                  acts once; gives a mellow::Step
///     observe(out) const                                 writes the present observation into an Index& or VectorRef<float>
template <class E>
concept Environment = detail::HasSpaces<E> && detail::HasReset<E> && detail::HasStep<E> && detail::HasObserve<E>;

/// An environment in which not every action is allowed everywhere: `action_mask(out) const` writes, an entry an action,
/// which are in the present state; at least one unless the episode has terminated.
template <class E>
concept MaskedEnvironment = Environment<E> && requires(const E e, std::span<bool> out) {
  e.action_mask(out);
  { e.action_space() } -> std::convertible_to<Discrete>;
};

/// An environment that shows an agent other rewards than those by which it is judged.
template <class E>
concept RescalesRewards = requires(const E e) {
  { e.original_reward() } -> std::convertible_to<double>;
};

/// An environment whose copy is a snapshot: the copy goes on as the original would, and its state can be visited.
template <class E>
concept SnapshotEnvironment = Environment<E> && std::copyable<E> && Visitable<E>;

template <class E>
consteval bool require_environment();

namespace detail {
template <class E>
consteval bool require_wrapped() {
  if constexpr (requires { typename E::Wrapped; }) return require_environment<typename E::Wrapped>();
  else return true;
}
}  // namespace detail

/// Says in words what an environment lacks (the first compiler error names it), and whether it has everything. A
/// wrapper tells what it wraps (`using Wrapped = E;`): what that lacks is said once, however often it is asked.
template <class E>
consteval bool require_environment() {
  if constexpr (!detail::require_wrapped<E>()) return false;
  else {
    constexpr bool spaces = detail::HasSpaces<E>;
    static_assert(spaces,
                  "mellow: this environment lacks observation_space() const or action_space() const returning "
                  "mellow::Discrete or mellow::Box");
    if constexpr (spaces) {
      constexpr bool reset = detail::HasReset<E>, step = detail::HasStep<E>, observe = detail::HasObserve<E>;
      static_assert(reset, "mellow: this environment lacks reset(mellow::Rng&)");
      static_assert(step,
                    "mellow: this environment lacks step(action, mellow::Rng&) returning mellow::Step, where action is "
                    "an element of action_space()");
      static_assert(observe,
                    "mellow: this environment lacks observe(out) const, where out is mellow::VectorRef<float> for a "
                    "Box and mellow::Index& for Discrete");
      if constexpr (requires { &E::action_mask; }) {
        constexpr bool masks = MaskedEnvironment<E>;
        static_assert(masks,
                      "mellow: this environment's action_mask is not action_mask(std::span<bool>) const, or its "
                      "actions are not mellow::Discrete");
        return Environment<E> && masks;
      }
    }
    return Environment<E>;
  }
}

}  // namespace mellow

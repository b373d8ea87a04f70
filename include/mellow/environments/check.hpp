// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <limits>
#include <string_view>

#include <mellow/core/environment.hpp>

namespace mellow::environments {

namespace detail {

[[noreturn]] inline void fault(std::string_view problem) { throw Error("environments::check", problem); }

template <class Space>
bool same_space(const Space& a, const Space& b) {
  if constexpr (std::same_as<Space, Discrete>) return a.n == b.n;
  else return a.low == b.low && a.high == b.high;
}

/// Observes into a value that no environment would write, so that a number left out is found.
template <class E>
Observation<E> checked_observation(const E& environment) {
  const auto space = environment.observation_space();
  if constexpr (std::same_as<ObservationSpace<E>, Discrete>) {
    Index observation = -1;
    environment.observe(observation);
    if (!space.contains(observation))
      fault(fmt::format(
          "observe() wrote {}, which is not in {}: return an index from 0 to n-1 or enlarge observation_space()",
          observation, space.describe()));
    return observation;
  } else {
    Vector<float> observation = Vector<float>::Constant(space.size(), std::numeric_limits<float>::quiet_NaN());
    environment.observe(observation);
    for (Index i = 0; i < space.size(); ++i) {
      const float x = observation[i];
      if (std::isnan(x))
        fault(fmt::format("observe() left number {} of {} unset or NaN: write every number of the observation", i,
                          space.size()));
      if (x < space.low[i] || x > space.high[i])
        fault(fmt::format(
            "observe() wrote {} as number {}, outside of [{}, {}]: widen observation_space() or clip the observation",
            x, i, space.low[i], space.high[i]));
    }
    return observation;
  }
}

/// Whether an episode depends on those before it, as where a wrapper learns from all it sees (`carries_over = true`).
template <class E>
consteval bool carries_over() {
  if constexpr (requires { requires E::carries_over; }) return true;
  else if constexpr (requires { typename E::Wrapped; }) return carries_over<typename E::Wrapped>();
  else return false;
}

/// A random action that the environment allows.
template <class E>
Action<E> allowed_sample(const E& environment, Rng& rng) {
  const auto space = environment.action_space();
  if constexpr (MaskedEnvironment<E>) {
    Eigen::Array<bool, Eigen::Dynamic, 1> mask(space.n);
    environment.action_mask({mask.data(), static_cast<std::size_t>(space.n)});
    if (!mask.any()) fault("action_mask() allows no action although the episode goes on: allow at least one");
    Index action;
    do action = space.sample(rng);
    while (!mask[action]);
    return action;
  } else {
    return space.sample(rng);
  }
}

}  // namespace detail

/// Tries out an environment for `steps` random steps and throws an Error that says what to change if it breaks a rule:
///
/// observations and actions fit their spaces, spaces do not change, rewards are finite, a copy goes on exactly as the
/// original does, a reset forgets the episode before, and what shows in the observation is named by visit_state.
/// Meant for a test of your own environment.
template <class E>
void check(E environment, Rng rng = Rng(0), Index steps = 1'000) {
  if constexpr (require_environment<E>()) {
    static_assert(std::copyable<E>, "mellow: environments::check copies the environment; this one cannot be copied");
    const auto observation_space = environment.observation_space();
    const auto action_space = environment.action_space();

    const E before_any_episode = environment;
    E twin = environment;
    Rng reset_rng = rng, twin_rng = rng;
    environment.reset(reset_rng);
    twin.reset(twin_rng);
    auto observation = detail::checked_observation(environment);
    if (observation != detail::checked_observation(twin))
      detail::fault(
          "two resets with the same generator differ: draw only from the generator that reset() is given, and set "
          "every member");

    Rng action_rng = rng.split();
    for (Index i = 0; i < steps; ++i) {
      const E before = environment;
      const Action<E> action = detail::allowed_sample(environment, action_rng);
      Rng step_rng = rng.split(), copy_rng = step_rng;
      const Step step = environment.step(action, step_rng);
      const auto next = detail::checked_observation(environment);
      if (!std::isfinite(step.reward))
        detail::fault(fmt::format("step() returned the reward {}: return a finite number", step.reward));

      E copy = before;
      const Step again = copy.step(action, copy_rng);
      if (again.reward != step.reward || again.terminated != step.terminated || again.truncated != step.truncated ||
          detail::checked_observation(copy) != next || !(step_rng == copy_rng))
        detail::fault(
            "a copy stepped with the same action and generator went another way: hold all state in members by value "
            "(no statics, no shared "
            "pointers) and draw only from the generator that step() is given");

      if constexpr (Visitable<E>) {
        if (!first_difference(copy, environment).empty())
          detail::fault(
              fmt::format("visit_state names \"{}\", which differs between two environments that went the same way: it "
                          "holds something "
                          "that is not state, or was not set by reset()",
                          first_difference(copy, environment)));
        if (next != observation && first_difference(before, environment).empty())
          detail::fault(
              "a step changed the observation but nothing that visit_state names: name every member that changes");
      }
      if (!detail::same_space(observation_space, environment.observation_space()) ||
          !detail::same_space(action_space, environment.action_space()))
        detail::fault("observation_space() or action_space() changed during an episode: both must stay as they are");

      observation = next;
      if (step.terminated || step.truncated) {
        E fresh = before_any_episode;
        Rng same = rng;
        environment.reset(rng);
        fresh.reset(same);
        bool alike = detail::checked_observation(fresh) == detail::checked_observation(environment);
        if constexpr (Visitable<E>) alike &= first_difference(fresh, environment).empty();
        if (!alike && !detail::carries_over<E>())
          detail::fault(
              "reset() after an episode differs from the reset of a copy that has seen none: set every member in "
              "reset()");
        observation = detail::checked_observation(environment);
      }
    }
  }
}

}  // namespace mellow::environments

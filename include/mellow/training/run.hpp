// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <utility>

#include <mellow/training/callbacks.hpp>
#include <mellow/training/interaction.hpp>
#include <mellow/training/loop.hpp>

namespace mellow::training {

/// What a run leaves behind, besides the agent.
template <class Parameters, class E>
struct RunResult {
  RunEnd end = RunEnd::Budget;  ///< why it ended
  /// @{
  /// Environment steps done, episodes ended.
  Index steps = 0, episodes = 0;
  /// @}
  double mean_return = RunStatus::none;  ///< over the last 100 training episodes
  double best_return = RunStatus::none;  ///< of the best evaluation (the later of equals; any number beats NaN)
  Index best_step = 0;                   ///< when it was
  [[no_unique_address]] Parameters
      best_parameters{};  ///< the agent's parameters then; empty if there was no evaluation
  E environment;          ///< as the run left it, with what its wrappers learned
};

/// Says in words what an environment or an agent lacks for `train`, and whether both have everything.
template <class Agent, class E>
consteval bool require_agent() {
  if constexpr (!require_environment<E>()) return false;
  else {
    constexpr bool masks = requires(Agent agent, const Observation<E>& observation, Rng& rng, ActionMask mask) {
      { agent.act(observation, rng, mask) } -> std::convertible_to<Action<E>>;
      { agent.greedy(observation, mask) } -> std::convertible_to<Action<E>>;
    };
    constexpr bool masked = MaskedEnvironment<E> && masks;
    constexpr bool acts = masked || requires(Agent agent, const Observation<E>& observation, Rng& rng) {
      { agent.act(observation, rng) } -> std::convertible_to<Action<E>>;
    };
    constexpr bool is_greedy = masked || requires(Agent agent, const Observation<E>& observation) {
      { agent.greedy(observation) } -> std::convertible_to<Action<E>>;
    };
    constexpr bool observes = requires(Agent agent, const TransitionOf<E>& transition, Rng& rng) {
      agent.observe(transition, rng)->metrics();
    };
    constexpr bool fits = requires(const Agent agent, const E environment) {
      agent.require_fits(environment.observation_space(), environment.action_space());
    };
    constexpr bool copies = std::copy_constructible<E>;
    static_assert(copies,
                  "mellow: evaluations run on a copy of the environment, and this one cannot be copied (wrap it in "
                  "environments::Replayed)");
    static_assert(acts,
                  "mellow: this agent lacks act(observation, mellow::Rng&) returning an action of this environment");
    static_assert(is_greedy, "mellow: this agent lacks greedy(observation) returning an action of this environment");
    static_assert(observes,
                  "mellow: this agent lacks observe(transition, mellow::Rng&) returning an optional of what an update "
                  "found, which has metrics()");
    static_assert(masks || !MaskedEnvironment<E>,
                  "mellow: this environment masks actions, but this agent lacks act(observation, rng, mask) or "
                  "greedy(observation, mask)");
    static_assert(fits, "mellow: this agent lacks require_fits(observation_space, action_space) const");
    return copies && acts && is_greedy && observes && fits && (masks || !MaskedEnvironment<E>);
  }
}

/// Trains an agent in an environment.
///
/// An agent offers `act(observation, rng)`, `greedy(observation)`, `observe(transition, rng)` -> optional of what an
/// update found (with `metrics()`), `require_fits(observation_space, action_space)` and, so that the best can be kept,
/// `parameters()`; in an environment with action masks also `act(observation, rng, mask)` and `greedy(observation,
/// mask)`. Evaluations run on a copy of the environment, always over the same episodes, and leave the training
/// streams alone.
///
/// A callback has any of `on_step`, `on_episode`, `on_evaluation`, `on_end`, each taking a `const RunStatus&`; one that
/// returns false ends the run. One with `restore(state)` and `on_state(status, state)`, such as tools::Checkpoints, keeps
/// the whole state of the run, and of the callbacks that have `visit_state`. Throws Error where the agent does not fit
/// the environment, or what the agent throws.
template <class Agent, class E, class... Callbacks>
auto train(Agent& agent, E environment, const RunOptions& options, Callbacks&&... callbacks) {
  detail::require_callbacks<Callbacks...>();
  using Result = RunResult<decltype(detail::parameters_of(agent)), E>;
  if constexpr (!require_agent<Agent, E>()) {
    return Result{.environment = std::move(environment)};
  } else {
    options.validate();
    agent.require_fits(environment.observation_space(), environment.action_space());
    detail::Interaction interaction(agent, std::move(environment), options.seed);
    auto run = detail::run_loop(interaction, options, callbacks...);
    return Result{.end = *run.status.end,
                  .steps = run.status.step,
                  .episodes = run.status.episode,
                  .mean_return = run.status.mean_return,
                  .best_return = run.status.best_return,
                  .best_step = run.best_step,
                  .best_parameters = std::move(run.best_parameters),
                  .environment = std::move(interaction.environment())};
  }
}

}  // namespace mellow::training

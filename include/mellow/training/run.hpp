// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <concepts>
#include <type_traits>
#include <utility>

#include <mellow/core/environment.hpp>
#include <mellow/training/evaluate.hpp>
#include <mellow/training/run_state.hpp>
#include <mellow/training/status.hpp>

namespace mellow::training {

namespace detail {

template <class C>
concept Callback = requires(C callback, const RunStatus& status) { callback.on_step(status); } ||
                   requires(C callback, const RunStatus& status) { callback.on_episode(status); } ||
                   requires(C callback, const RunStatus& status) { callback.on_evaluation(status); } ||
                   requires(C callback, const RunStatus& status) { callback.on_end(status); };

/// The functions of a callback, as objects.
inline constexpr auto on_step = [](auto& c, const RunStatus& s) -> decltype(c.on_step(s)) { return c.on_step(s); };
inline constexpr auto on_episode = [](auto& c, const RunStatus& s) -> decltype(c.on_episode(s)) {
  return c.on_episode(s);
};
inline constexpr auto on_evaluation = [](auto& c, const RunStatus& s) -> decltype(c.on_evaluation(s)) {
  return c.on_evaluation(s);
};
inline constexpr auto on_end = [](auto& c, const RunStatus& s) -> decltype(c.on_end(s)) { return c.on_end(s); };

/// None of the functions that a callback has would be passed over because it takes something else.
template <class C, class Plain = std::remove_cvref_t<C>, class Ref = std::remove_reference_t<C>&>
concept TakesStatus = (!requires { &Plain::on_step; } || std::invocable<decltype(on_step), Ref, const RunStatus&>)&&(
    !requires { &Plain::on_episode; } || std::invocable<decltype(on_episode), Ref, const RunStatus&>)&&(!requires {
  &Plain::on_evaluation;
} || std::invocable<decltype(on_evaluation), Ref, const RunStatus&>)&&(!requires {
  &Plain::on_end;
} || std::invocable<decltype(on_end), Ref, const RunStatus&>);

/// Calls one of these functions of all callbacks that have it; false if any of them returned false.
template <class Function, class... Callbacks>
bool tell(const Function& function, const RunStatus& status, Callbacks&... callbacks) {
  bool go_on = true;
  [[maybe_unused]] const auto one = [&](auto& callback) {
    if constexpr (std::invocable<Function, decltype(callback), const RunStatus&>) {
      if constexpr (std::same_as<decltype(function(callback, status)), bool>) go_on &= function(callback, status);
      else function(callback, status);
    }
  };
  (one(callbacks), ...);
  return go_on;
}

}  // namespace detail

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

namespace detail {

/// Throws Error for an observation with a number that is not finite; `when` says which.
template <class Observation>
void require_finite(const Observation& observation, std::string_view when, Index step) {
  if constexpr (!std::integral<Observation>)
    for (Index i = 0; i < observation.size(); ++i)
      if (!std::isfinite(observation[i]))
        throw Error("training::train", fmt::format("number {} of the observation {} {} is not finite", i, when, step),
                    observation[i]);
}

/// Offers the state to the callbacks that keep it.
template <class State, class... Callbacks>
void keep_state(const State& state, Callbacks&... callbacks) {
  [[maybe_unused]] const auto one = [&](auto& callback) {
    if constexpr (requires { callback.on_state(state.status, state); }) callback.on_state(state.status, state);
  };
  (one(callbacks), ...);
}

/// Takes up an earlier run's state from the first callback that has one; says whether there was any.
template <class State, class... Callbacks>
bool take_up(State& state, Callbacks&... callbacks) {
  [[maybe_unused]] const auto one = [&](auto& callback) {
    if constexpr (requires { callback.restore(state); }) return callback.restore(state);
    else return false;
  };
  return (one(callbacks) || ...);
}

}  // namespace detail

/// Trains an agent in an environment: the one loop for all agents.
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
auto train(Agent& agent, E environment_to_run, const RunOptions& options, Callbacks&&... callbacks) {
  using Parameters = decltype(detail::parameters_of(agent));
  static_assert((detail::TakesStatus<Callbacks> && ...),
                "mellow: a callback given to train has an on_step, on_episode, on_evaluation or on_end that cannot be "
                "called with a const RunStatus&");
  static_assert(
      (detail::Callback<Callbacks> && ...),
      "mellow: a callback given to train has none of on_step, on_episode, on_evaluation, on_end(const RunStatus&)");
  if constexpr (!require_agent<Agent, E>()) {
    return RunResult<Parameters, E>{.environment = std::move(environment_to_run)};
  } else {
    options.validate();
    agent.require_fits(environment_to_run.observation_space(), environment_to_run.action_space());
    detail::RunState<Agent, E, std::remove_reference_t<Callbacks>...> state(agent, std::move(environment_to_run),
                                                                            options, callbacks...);
    RunStatus& status = state.status;
    E& environment = state.result.environment;
    Observation<E> next_observation = state.observation;
    MaskReader<E> masks(environment);

    const auto evaluate_now = [&] {
      status.evaluation_return =
          mean(evaluate(agent, environment, options.evaluation_episodes, Rng(options.seed, streams::evaluation)));
      status.improved = std::isnan(status.best_return) || status.evaluation_return >= status.best_return;
      if (status.improved) {
        status.best_return = status.evaluation_return;
        state.result.best_step = status.step;
        state.result.best_parameters = detail::parameters_of(agent);
      }
      state.evaluated_at = status.step;
      return detail::tell(detail::on_evaluation, status, callbacks...);
    };

    if (!detail::take_up(state, callbacks...)) {
      environment.reset(state.environment_rng);
      environment.observe(state.observation);
      detail::require_finite(state.observation, "that begins episode", 1);
    }
    status.metrics = state.metrics;
    ActionMask mask = masks.of(environment);
    const auto spent = [&] {
      return (options.steps > 0 && status.step >= options.steps) ||
             (options.episodes > 0 && status.episode >= options.episodes);
    };
    if (status.evaluation_return >= options.stop_at_return) status.end = RunEnd::ReturnReached;
    else if (spent()) status.end = RunEnd::Budget;
    while (!status.end) {
      const Action<E> action = detail::act<E>(agent, state.observation, state.agent_rng, mask);
      const Step step = environment.step(action, state.environment_rng);
      if (!std::isfinite(step.reward))
        throw Error("training::train", fmt::format("the reward of step {} is not finite", status.step + 1),
                    step.reward);
      environment.observe(next_observation);
      detail::require_finite(next_observation, "after step", status.step + 1);
      mask = masks.of(environment);
      const auto learned = agent.observe(TransitionOf<E>{state.observation, action, step.reward, next_observation,
                                                         step.terminated, step.truncated, mask},
                                         state.agent_rng);
      if (learned) state.metrics = learned->metrics();
      std::swap(state.observation, next_observation);
      state.episode_return += detail::reported_reward(environment, step);
      ++state.episode_length;
      ++status.step;
      bool go_on = detail::tell(detail::on_step, status, callbacks...);

      if (step.terminated || step.truncated) {
        state.recent.add(state.episode_return);
        ++status.episode;
        status.episode_return = std::exchange(state.episode_return, 0.0);
        status.episode_length = std::exchange(state.episode_length, 0);
        status.mean_return = state.recent.mean();
        go_on &= detail::tell(detail::on_episode, status, callbacks...);
        environment.reset(state.environment_rng);
        environment.observe(state.observation);
        detail::require_finite(state.observation, "that begins episode", status.episode + 1);
        mask = masks.of(environment);
      }
      if (options.evaluate_every > 0 && status.step % options.evaluate_every == 0) go_on &= evaluate_now();
      if (!go_on) status.end = RunEnd::Stopped;
      else if (status.evaluation_return >= options.stop_at_return) status.end = RunEnd::ReturnReached;
      else if (spent()) status.end = RunEnd::Budget;
      detail::keep_state(state, callbacks...);
    }
    if (options.evaluate_every > 0 && state.evaluated_at != status.step) evaluate_now();
    detail::tell(detail::on_end, status, callbacks...);
    return state.finish();
  }
}

/// A callback that does something whenever an evaluation is the best so far: `OnImprovement([&] { save(...); })`.
template <std::invocable F>
class OnImprovement {
 public:
  /// `action()` is what it does.
  explicit OnImprovement(F action) : action_(std::move(action)) {}
  /// Acts where the evaluation is the best so far, ties included.
  void on_evaluation(const RunStatus& status) {
    if (status.improved) action_();
  }

 private:
  F action_;
};

}  // namespace mellow::training

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <map>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include <mellow/core/state.hpp>
#include <mellow/core/types.hpp>
#include <mellow/training/callbacks.hpp>
#include <mellow/training/run_options.hpp>
#include <mellow/training/status.hpp>

namespace mellow::training::detail {

struct NoParameters {};

template <class Agent>
auto parameters_of(const Agent& agent) {
  if constexpr (requires { agent.parameters(); })
    return std::remove_cvref_t<decltype(agent.parameters())>(agent.parameters());
  else return NoParameters{};
}

/// Everything that changes during a run, for checkpoints: the process, counts, the best so far, and the callbacks that
/// name their state.
template <class Process, class... Callbacks>
struct RunState {
  using Identity =
      typename Process::Identity;  // what must be the same in a run that takes it up; callbacks may be others
  using Metrics = decltype(typename Process::Learned{}.metrics());

  RunState(Process& run, const RunOptions& chosen, Callbacks&... given)
      : process(run), options(chosen), callbacks(given...) {}

  /// What a run that takes up a checkpoint must share with it. The budget is not among it: a run may be prolonged.
  std::map<std::string, std::string> settings() const {
    auto result = process.settings(options);
    result["seed"] = std::to_string(options.seed);
    result["evaluate_every"] = std::to_string(options.evaluate_every);
    return result;
  }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    Process::visit_state(self.process, visit);
    visit("status", self.status);
    for (auto& [name, value] : self.metrics) visit(std::string("metrics.") + name, value);
    visit("evaluated_at", self.evaluated_at);
    visit("best_step", self.best_step);
    visit("best_parameters", self.best_parameters);
    std::apply(
        [&, index = 0](auto&... callback) mutable {
          const auto one = [&](auto& c) {
            if constexpr (Visitable<std::remove_cvref_t<decltype(c)>>) visit("callback" + std::to_string(index), c);
            ++index;
          };
          (one(callback), ...);
        },
        self.callbacks);
  }

  Process& process;
  const RunOptions& options;
  std::tuple<Callbacks&...> callbacks;
  RunStatus status{};
  Metrics metrics = typename Process::Learned{}.metrics();
  Index evaluated_at = 0, best_step = 0;
  [[no_unique_address]] typename Process::Parameters best_parameters{};
};

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

/// The one loop, for whatever learns step by step. A process has
///
///     Identity, Learned, Parameters     its type for checkpoints; what an update finds, with metrics(); what is kept of the best
///     begin(), resume()                 before the first step of a run that is new; of any run
///     step(status) -> optional<Learned> one step, which the loop counts
///     episode_ended(), end_episode(status), begin_episode(status)
///     evaluate(options)                 a number that is better the higher it is
///     after_evaluation(metrics)         where it has metrics of evaluations: brings them up to date
///     parameters()                      what to keep of the best
///     settings(options), visit_state    for checkpoints
///
/// Returns the state at the end.
template <class Process, class... Callbacks>
auto run_loop(Process& process, const RunOptions& options, Callbacks&... callbacks) {
  RunState<Process, Callbacks...> state(process, options, callbacks...);
  RunStatus& status = state.status;

  const auto evaluate_now = [&] {
    status.evaluation_return = process.evaluate(options);
    if constexpr (requires { process.after_evaluation(state.metrics); }) process.after_evaluation(state.metrics);
    status.improved = std::isnan(status.best_return) || status.evaluation_return >= status.best_return;
    if (status.improved) {
      status.best_return = status.evaluation_return;
      state.best_step = status.step;
      state.best_parameters = process.parameters();
    }
    state.evaluated_at = status.step;
    return tell(on_evaluation, status, callbacks...);
  };
  const auto spent = [&] {
    return (options.steps > 0 && status.step >= options.steps) ||
           (options.episodes > 0 && status.episode >= options.episodes);
  };

  if (!take_up(state, callbacks...)) process.begin();
  process.resume();
  status.metrics = state.metrics;
  if (status.evaluation_return >= options.stop_at_return) status.end = RunEnd::ReturnReached;
  else if (spent()) status.end = RunEnd::Budget;
  while (!status.end) {
    if (const auto learned = process.step(status)) state.metrics = learned->metrics();
    ++status.step;
    bool go_on = tell(on_step, status, callbacks...);
    if (process.episode_ended()) {
      ++status.episode;
      process.end_episode(status);
      go_on &= tell(on_episode, status, callbacks...);
      process.begin_episode(status);
    }
    if (options.evaluate_every > 0 && status.step % options.evaluate_every == 0) go_on &= evaluate_now();
    if (!go_on) status.end = RunEnd::Stopped;
    else if (status.evaluation_return >= options.stop_at_return) status.end = RunEnd::ReturnReached;
    else if (spent()) status.end = RunEnd::Budget;
    keep_state(state, callbacks...);
  }
  if (options.evaluate_every > 0 && state.evaluated_at != status.step) evaluate_now();
  tell(on_end, status, callbacks...);
  return state;
}

}  // namespace mellow::training::detail

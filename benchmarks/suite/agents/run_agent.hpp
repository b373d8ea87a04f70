// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include <mellow/tools/checkpoints.hpp>
#include <mellow/tools/event_file.hpp>
#include <mellow/tools/json_lines.hpp>
#include <mellow/tools/recorder.hpp>
#include <mellow/training/run.hpp>

#include "../agent.hpp"

namespace mellow::suite {

/// Shows a run's status after the first step and every so many.
struct Shown {
  const std::function<void(const training::RunStatus&)>& show;
  Index every = 256;
  void on_step(const training::RunStatus& status) const {
    if (show && (status.step == 1 || status.step % every == 0)) show(status);
  }
};

/// The sinks that were chosen. Its state has the same pieces whichever they are, so that a run may go on with others; one
/// that is chosen later begins where the run is then.
class Sinks {
 public:
  Sinks(const std::filesystem::path& folder, const SinkChoice& choice) {
    if (choice.json_lines) json_lines_.emplace(folder);
    if (choice.tensorboard) events_.emplace(folder);
  }

  void on_episode(const training::RunStatus& status) {
    if (json_lines_) json_lines_->on_episode(status);
    if (events_) events_->on_episode(status);
  }
  void on_evaluation(const training::RunStatus& status) {
    if (json_lines_) json_lines_->on_evaluation(status);
    if (events_) events_->on_evaluation(status);
  }
  void on_end(const training::RunStatus& status) {
    if (json_lines_) json_lines_->on_end(status);
    if (events_) events_->on_end(status);
  }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    if (self.json_lines_) visit("json_lines", *self.json_lines_);
    else visit("json_lines", self.no_json_lines_);
    if (self.events_) visit("events", *self.events_);
    else visit("events", self.no_events_);
  }

 private:
  std::optional<tools::JsonLines> json_lines_;
  std::optional<tools::EventFile> events_;
  tools::JsonLines::State no_json_lines_{};
  tools::EventFile::State no_events_{};
};

/// Trains an agent as requested, with checkpoints, and tests its best and its last parameters on fresh episodes. The last
/// checkpoint stays, for a run that is killed before its results are written.
/// `save(parameters)` writes weights; it is called for the best ones whenever there are better ones, and in the end; for
/// the last ones where nothing was evaluated.
template <class Agent, class E, class Save>
RunSummary run_agent(Agent agent, const E& environment, const RunRequest& request, const Save& save) {
  tools::Recorder recorder(request.folder, {.steps = request.options.steps, .progress = false});
  Sinks sinks(request.folder, request.sinks);
  tools::Checkpoints checkpoints(request.folder / "checkpoints", {.every = request.checkpoint_every, .keep_end = true});
  const auto run = training::train(agent, environment, request.options, recorder, sinks, checkpoints,
                                   training::OnImprovement([&] { save(agent.parameters()); }), Shown{request.show});
  RunSummary summary{.finished = run.end != training::RunEnd::Stopped,
                     .steps = run.steps,
                     .episodes = run.episodes,
                     .best_step = run.best_step,
                     .best_evaluation = run.best_return,
                     .mean_return = run.mean_return};
  if (!summary.finished) return summary;
  const auto test = [&] {
    return training::mean(training::evaluate(agent, run.environment, request.test_episodes,
                                             Rng(request.options.seed, training::streams::test)));
  };
  summary.last_weights = test();
  if (run.best_parameters.size() > 0) agent.set_parameters(run.best_parameters);
  if (request.keep_environment) tools::save_state(request.folder / environment_file, run.environment);
  save(agent.parameters());  // again: a run that was stopped and taken up may have saved what it then did not reach
  summary.best_weights = test();
  summary.seconds = recorder.seconds();
  return summary;
}

/// The environment of the kind that an agent knows. Throws Error where it is of another.
template <class Kind>
const Kind& of_kind(const AnyEnvironment& environment, const char* agent, const char* needs) {
  if (const auto* const fitting = std::get_if<Kind>(&environment)) return *fitting;
  throw Error(agent, fmt::format("does not know this environment: it needs {}", needs));
}

}  // namespace mellow::suite

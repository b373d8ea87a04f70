// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include <mellow/tools/interrupt.hpp>
#include <mellow/training/fit.hpp>

#include "../ranks.hpp"
#include "language_model.hpp"
#include "run_agent.hpp"

namespace mellow::suite {

/// The task of an environment. Throws Error where it is none for language models.
inline const LanguageEnvironment& language_of(const AnyEnvironment& environment, const char* agent) {
  return of_kind<LanguageEnvironment>(environment, agent,
                                      "a task for language models (`mellow_bench list` names them) or --data FILE");
}

/// An agent that is a language model.
class LanguageAgentConfig : public AgentConfig {
 public:
  /// Throws Error.
  std::vector<double> play(const AnyEnvironment&, const SavedParameters&, Index, Rng) const override {
    throw Error("mellow_bench watch", "a language model plays no episodes");
  }
};

/// What tests a model's parameters after a run: a number that is better the higher it is.
using TestParameters = std::function<double(const Vector<float>&)>;

/// The recorder of the rank that writes: all stop where one is told to.
struct LeadingRecorder {
  tools::Recorder& recorder;
  bool shared;  ///< whether there are others
  bool on_step(const training::RunStatus& status) {
    const bool goes_on = recorder.on_step(status);
    return shared ? ranks::all(goes_on) : goes_on;
  }
  void on_episode(const training::RunStatus& status) { recorder.on_episode(status); }
  void on_evaluation(const training::RunStatus& status) { recorder.on_evaluation(status); }
  void on_end(const training::RunStatus& status) { recorder.on_end(status); }
  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    tools::Recorder::visit_state(self.recorder, visit);
  }
};

/// Its checkpoints: nobody goes on before all have taken them up.
struct LeadingCheckpoints {
  tools::Checkpoints& checkpoints;
  bool shared;
  template <class State>
  bool restore(State& state) {
    const bool found = checkpoints.restore(state);
    if (shared) ranks::wait_for_all();
    return found;
  }
  template <class State>
  void on_state(const training::RunStatus& status, const State& state) {
    checkpoints.on_state(status, state);
  }
  void on_end(const training::RunStatus& status) { checkpoints.on_end(status); }
};

/// What the other ranks have in place of both: they take up what the first one kept, and write nothing.
struct Follower {
  std::filesystem::path folder;  ///< of checkpoints
  bool on_step(const training::RunStatus&) const { return ranks::all(!tools::Interrupt::requested()); }

  template <class State>
  bool restore(State& state) const {
    bool found = false;
    for (const auto& path : tools::checkpoint_files(folder)) {
      std::optional<tools::Safetensors> file;
      try {
        file = tools::load_saved_state(path);
      } catch (const Error&) {  // damaged: the first rank warns
        continue;
      }
      std::erase_if(file->tensors, [](const tools::Tensor& tensor) { return tensor.name.starts_with("callback"); });
      tools::restore_state(*file, state);
      found = true;
      break;
    }
    ranks::wait_for_all();
    return found;
  }
};

/// Trains a learner of a language model as requested, with checkpoints, and tests its best and its last parameters. The
/// last checkpoint stays, for a run that is killed before its results are written. `start` is where it began. Where ranks
/// share the run, the first one's summary is whole, and it alone has the other callbacks.
template <class Learner, class... Callbacks>
RunSummary run_learner(Learner& learner, const ModelAtStart& start, const RunRequest& request, const std::string& score,
                       const TestParameters& test, Callbacks&... callbacks) {
  const training::FitOptions options{
      .steps = request.options.steps, .evaluate_every = request.options.evaluate_every, .seed = request.options.seed};
  const auto folder = request.folder / "checkpoints";
  if (request.shared && ranks::rank() > 0) {
    const auto run = training::fit(learner, options, Follower{folder});
    return {.finished = run.end != training::RunEnd::Stopped};
  }
  tools::Recorder recorder(
      request.folder, {.steps = request.options.steps, .labels = tools::CurveLabels::of_fit(score), .progress = false});
  Sinks sinks(request.folder, request.sinks);
  tools::Checkpoints checkpoints(folder, {.every = request.checkpoint_every, .keep_end = true});
  training::OnImprovement save([&] { start.save(request.folder, learner.parameters()); });
  const auto run =
      training::fit(learner, options, LeadingRecorder{recorder, request.shared}, sinks,
                    LeadingCheckpoints{checkpoints, request.shared}, save, Shown{request.show, 1}, callbacks...);
  RunSummary summary{.finished = run.end != training::RunEnd::Stopped,
                     .steps = run.steps,
                     .best_step = run.best_step,
                     .best_evaluation = run.best_score,
                     .mean_return = training::RunStatus::none};
  if (!summary.finished) return summary;
  summary.seconds = recorder.seconds();
  summary.last_weights = summary.best_weights = test(learner.parameters());
  if (run.best_parameters.size() > 0) {
    learner.set_parameters(run.best_parameters);
    summary.best_weights = test(learner.parameters());
  }
  start.save(request.folder, learner.parameters());  // again: a run that was taken up may have saved what it then lost
  return summary;
}

}  // namespace mellow::suite

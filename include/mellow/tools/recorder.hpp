// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <mellow/tools/plot.hpp>
#include <mellow/training/status.hpp>

namespace mellow::tools {

/// What the axes and the evaluations of a learning curve are called.
struct CurveLabels {
  std::string step = "environment steps";                      ///< what is counted
  std::string score = "return";                                ///< what is better the higher it is
  std::string evaluation = "evaluation of the greedy policy";  ///< in the legend

  /// Those of a run over data, `training::fit`.
  static CurveLabels of_fit(std::string score) { return {"updates", std::move(score), "evaluation"}; }
};

/// What a recorder shows and draws.
struct RecorderOptions {
  std::int64_t steps = 0;                    ///< the run's budget in steps, for the time left; 0: none
  std::int64_t episodes = 0;                 ///< its budget in episodes; 0: none
  std::string title = "Learning curve";      ///< of the plot
  std::optional<ReferenceLine> reference{};  ///< drawn in the plot: the return at which the task counts as solved
  CurveLabels labels{};                      ///< of the plot
  bool progress = true;                      ///< shows a progress line on stderr
};

/// A callback of `training::train` that records a run in a folder: shows progress, writes `metrics.csv` as the run goes
/// and `learning_curve.svg` and `.png` at its end (where gnuplot is installed), and ends the run cleanly on Ctrl-C.
///
/// `metrics.csv` has a row an episode and a row an evaluation: kind, step, episode, return, length (of the episode),
/// seconds, and the agent's metrics. Only `seconds` differs between two runs of one seed.
///
/// Its state is visited, so that a run that `Checkpoints` takes up goes on with the rows and curves it had.
class Recorder {
 public:
  /// What a checkpoint keeps of it.
  struct State {
    std::int64_t csv_size = 0;  ///< bytes of metrics.csv
    double seconds = 0;         ///< that the run has taken
    /// @{
    /// The curves drawn so far.
    std::vector<double> episode_step{}, episode_return{}, evaluation_step{}, evaluation_return{};
    /// @}
  };

  /// Records into `folder`, which it creates and keeps for itself (`FolderLock`). Throws Error where another run has it.
  explicit Recorder(std::filesystem::path folder, RecorderOptions options = {});
  ~Recorder();  ///< keeps what there is if the run ended by an exception

  bool on_step(const training::RunStatus& status);        ///< false after Ctrl-C
  void on_episode(const training::RunStatus& status);     ///< adds a row
  void on_evaluation(const training::RunStatus& status);  ///< adds a row
  void on_end(const training::RunStatus& status);         ///< finishes the table and draws the plot

  double seconds() const;  ///< that the run has taken so far, those before it was interrupted included

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    State& state = self.state();
    visit("csv_size", state.csv_size);
    visit("seconds", state.seconds);
    visit("episode_step", state.episode_step);
    visit("episode_return", state.episode_return);
    visit("evaluation_step", state.evaluation_step);
    visit("evaluation_return", state.evaluation_return);
  }

 private:
  State& state() const;  // brings it up to date, with the rows so far on the disk

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mellow::tools

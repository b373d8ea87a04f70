// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include <mellow/training/status.hpp>

namespace mellow::tools {

/// A callback of `training::train` that writes `metrics.jsonl` in a folder: what Recorder writes as metrics.csv, as a
/// JSON object a line. A figure that does not exist yet is null.
///
///     {"kind":"episode","step":18,"episode":1,"return":18.0,"length":18,"seconds":0.004,"loss":null,...}
///
/// Lines go to `metrics.jsonl.part` until the run is over. Its state is visited, so that a run that `Checkpoints` takes
/// up goes on with the lines it had. Where a file cannot be written, the run ends with Error.
class JsonLines {
 public:
  /// What a checkpoint keeps of it.
  struct State {
    std::int64_t size = 0;  ///< bytes written
    double seconds = 0;     ///< that the run has taken

    template <class Self, class Visit>
    static void visit_state(Self& self, Visit&& visit) {
      visit("size", self.size);
      visit("seconds", self.seconds);
    }
  };

  /// Writes into `folder`, which the first line creates.
  explicit JsonLines(const std::filesystem::path& folder);
  ~JsonLines();  ///< keeps what there is if the run ended by an exception

  void on_episode(const training::RunStatus& status);     ///< adds a line
  void on_evaluation(const training::RunStatus& status);  ///< adds a line
  void on_end(const training::RunStatus& status);         ///< finishes the file

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    State::visit_state(self.state(), visit);
  }

 private:
  State& state() const;  // brings it up to date, with the lines so far on the disk

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mellow::tools

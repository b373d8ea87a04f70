// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include <mellow/training/status.hpp>

namespace mellow::tools {

/// A callback of `training::train` that writes `events.out.tfevents.mellow` in a folder, for TensorBoard:
///
///     tensorboard --logdir results
///
/// Scalars over environment steps: `training/return`, `training/length` and the agent's metrics (`agent/loss`, ...) at
/// each episode, `evaluation/return` at each evaluation. A figure that does not exist yet is left out. Only the
/// events' wall times differ between two runs of one seed.
///
/// The file has its name from the start, so that TensorBoard follows the run. Its state is visited, so that a run that
/// `Checkpoints` takes up goes on with the events it had. Where the file cannot be written, the run ends with Error.
/// The format: TFRecord framing with masked CRC-32C, of TensorFlow's Event messages.
class EventFile {
 public:
  /// What a checkpoint keeps of it.
  struct State {
    std::int64_t size = 0;  ///< bytes written

    template <class Self, class Visit>
    static void visit_state(Self& self, Visit&& visit) {
      visit("size", self.size);
    }
  };

  /// Whether mellow was built with what this needs (MELLOW_WITH_TENSORBOARD, Protocol Buffers).
  static bool is_available();

  /// Writes into `folder`, which the first event creates. Throws Error where this is not available.
  explicit EventFile(const std::filesystem::path& folder);
  ~EventFile();  ///< keeps what there is if the run ended by an exception

  void on_episode(const training::RunStatus& status);     ///< adds an event
  void on_evaluation(const training::RunStatus& status);  ///< adds an event
  void on_end(const training::RunStatus& status);         ///< finishes the file

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    State::visit_state(self.state(), visit);
  }

 private:
  State& state() const;  // brings it up to date, with the events so far on the disk

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mellow::tools

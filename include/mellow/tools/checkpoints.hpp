// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <typeinfo>
#include <vector>

#include <mellow/tools/build_info.hpp>
#include <mellow/tools/metadata.hpp>
#include <mellow/tools/saved_state.hpp>
#include <mellow/training/status.hpp>

namespace mellow::tools {

/// How often checkpoints are made, and what a run that takes one up must share.
struct CheckpointOptions {
  std::int64_t every = 10'000;  ///< steps between checkpoints, > 0
  bool keep_end =
      false;  ///< keeps the state in which the run ended, for what is done with it after; `finish()` deletes it
  bool resume = true;   ///< takes up what an earlier run left; otherwise deletes it
  Metadata settings{};  ///< texts by name, such as {"learning_rate", "0.001"}: a run of others is refused
};

/// The checkpoints in a folder, the newest first; none where there is no such folder. They may be damaged.
std::vector<std::filesystem::path> checkpoint_files(const std::filesystem::path& folder);

/// Checkpoints of a run in a folder: a run that is killed and started again goes on as if nothing had happened, bit for
/// bit.
///
///     tools::Checkpoints checkpoints(folder);
///     training::train(agent, environment, options, recorder, checkpoints);
///
/// In a loop of one's own, over whatever changes during it:
///
///     auto state = std::tie(step, agent, environment, rng);
///     checkpoints.restore(state);
///     while (step < steps) {
///       ...
///       checkpoints.save_when_due(++step, state);
///     }
///     checkpoints.finish();
///
/// A checkpoint is whole or absent (`save_state`); the last two are kept; a damaged one is passed over for the one
/// before it, with a warning. One of another version of mellow, another type of state or other settings is refused; one
/// of another processor, compiler or instruction set is taken up with a warning, since the last bits may differ.
class Checkpoints {
 public:
  /// Looks into `folder`, which the first checkpoint creates. Throws Error for numbers out of range.
  explicit Checkpoints(std::filesystem::path folder, CheckpointOptions options = {});

  /// Takes up the newest whole checkpoint; says whether there was one. Throws Error, and leaves the state as it was,
  /// where it is of another run, or where there are checkpoints and all are damaged.
  template <class State>
  bool restore(State& state) {
    const auto file = newest(description<State>(state));
    if (file) restore_state(*file, state);
    return file.has_value();
  }

  /// Makes a checkpoint. Throws Error where it cannot be written.
  template <class State>
  void save(std::int64_t step, const State& state) {
    save_state(path_of(step), state, description<State>(state));
    delete_all_but(2);
  }

  /// Makes a checkpoint each `every` steps.
  template <class State>
  void save_when_due(std::int64_t step, const State& state) {
    if (step % options_.every == 0) save(step, state);
  }

  /// Deletes all checkpoints: the run is over.
  void finish() { delete_all_but(0); }

  /// @{
  /// As a callback of `training::train`: saves when due and when the run is stopped, and finishes with the run unless its
  /// end is to be kept.
  template <class State>
  void on_state(const training::RunStatus& status, const State& state) {
    if (!status.end) save_when_due(status.step, state);
    else if (is_kept(*status.end)) save(status.step, state);
  }
  void on_end(const training::RunStatus& status) {
    if (!is_kept(*status.end)) finish();
  }
  /// @}

 private:
  bool is_kept(training::RunEnd end) const { return end == training::RunEnd::Stopped || options_.keep_end; }

  /// What a checkpoint says of the run that made it.
  template <class State>
  Metadata description(const State& state) const {
    Metadata result = options_.settings;
    if constexpr (requires { state.settings(); }) result.merge(state.settings());
    if constexpr (requires { typename State::Identity; })
      return describe(result, typeid(typename State::Identity).name(), compiler, instruction_set);
    else return describe(result, typeid(State).name(), compiler, instruction_set);
  }

  static Metadata describe(const Metadata& settings, const char* type, std::string_view compiler,
                           std::string_view instruction_set);
  std::optional<Safetensors> newest(const Metadata& expected) const;
  std::filesystem::path path_of(std::int64_t step) const;
  void delete_all_but(std::size_t kept) const;

  std::filesystem::path folder_;
  CheckpointOptions options_;
};

}  // namespace mellow::tools

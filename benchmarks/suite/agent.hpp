// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mellow/training/run.hpp>
#include <mellow/training/status.hpp>

#include "environments.hpp"
#include "settings.hpp"

namespace mellow::suite {

/// What a run writes beside metrics.csv.
struct SinkChoice {
  bool json_lines = false;   ///< metrics.jsonl
  bool tensorboard = false;  ///< an event file
};

/// One run of an agent in an environment.
struct RunRequest {
  training::RunOptions options{};   ///< with its seed and steps
  std::filesystem::path folder{};   ///< for metrics, weights and checkpoints
  Index checkpoint_every = 10'000;  ///< steps
  Index test_episodes = 100;        ///< fresh episodes for the last and the best weights
  SinkChoice sinks{};               ///< of its metrics
  bool keep_environment = false;    ///< writes what its wrappers have learned
  bool shared = false;              ///< whether MPI's ranks do it together; the first alone then writes
  std::function<void(const training::RunStatus&)>
      show{};  ///< called after the first step, and now and then, with where the run is
};

/// What a run gave.
struct RunSummary {
  bool finished = false;       ///< unless it was stopped
  Index steps = 0;             ///< done
  Index episodes = 0;          ///< ended
  Index best_step = 0;         ///< of the best evaluation
  double best_evaluation = 0;  ///< mean return of it
  double mean_return = 0;      ///< over the last 100 training episodes
  double best_weights = 0;     ///< mean return of the best evaluation's parameters over the fresh episodes
  double last_weights = 0;     ///< of the last parameters
  double seconds = 0;          ///< it took, without interruptions
  std::vector<std::pair<std::string, double>> figures{};  ///< more of its results, by name
};

/// What a campaign's figures are.
struct Words {
  std::string step = "environment steps";                     ///< what is counted
  std::string score = "return of the greedy policy";          ///< of an evaluation, better the higher it is
  std::string result = "mean return over {} fresh episodes";  ///< of weights; {}: how many test episodes
};

/// In a run's folder, what the environment's wrappers learned, such as the moments that normalise observations.
inline constexpr auto environment_file = "environment.safetensors";

/// Where a run's parameters lie.
struct SavedParameters {
  std::filesystem::path file;  ///< weights.safetensors, or a checkpoint
  bool is_checkpoint;          ///< which of them
};

/// An agent's settings, and how to run it: what an agent is in the suite.
class AgentConfig {
 public:
  virtual ~AgentConfig() = default;
  /// Adds all that can be set by name.
  virtual void describe(Settings& settings) = 0;
  /// What its figures are in an environment.
  virtual Words words(const AnyEnvironment&) const { return {}; }
  /// Trains a fresh agent. Throws Error where it does not know the environment's kind.
  virtual RunSummary run(const AnyEnvironment& environment, const RunRequest& request) const = 0;
  /// Plays whole episodes greedily with parameters from a file and returns their undiscounted returns. Throws Error where
  /// the file does not fit.
  virtual std::vector<double> play(const AnyEnvironment& environment, const SavedParameters& parameters, Index episodes,
                                   Rng rng) const = 0;
};

/// Settings that suit an agent for an environment.
struct Preset {
  std::string_view name, agent, environment;
  Index steps;                           ///< environment steps to learn from; of language models updates
  std::vector<std::string> assignments;  ///< as for --set
};

/// An agent that can be asked for by name.
struct AgentEntry {
  std::string_view name, description;
  std::unique_ptr<AgentConfig> (*make)();  ///< with its defaults
};

/// @{
/// What there is; each agent is compiled once, in agents/.
const std::vector<AgentEntry>& agent_list();
const std::vector<Preset>& preset_list();
/// @}

/// @{
/// Of a name. Throws Error, with the nearest one, where there is none.
const AgentEntry& agent_of(std::string_view name);
const Preset& preset_of(std::string_view name);
/// @}

/// @{
/// The agents of agents/*.cpp.
std::unique_ptr<AgentConfig> make_dqn();
std::unique_ptr<AgentConfig> make_rainbow();
std::unique_ptr<AgentConfig> make_reinforce();
std::unique_ptr<AgentConfig> make_q_learning();
std::unique_ptr<AgentConfig> make_sarsa();
std::unique_ptr<AgentConfig> make_expected_sarsa();
std::unique_ptr<AgentConfig> make_double_q_learning();
std::unique_ptr<AgentConfig> make_supervised();
std::unique_ptr<AgentConfig> make_preference();
/// @}

}  // namespace mellow::suite

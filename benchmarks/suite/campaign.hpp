// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <mellow/tools/plot.hpp>

#include "agent.hpp"

namespace mellow::suite {

/// Runs of one agent in one environment that differ in their seed alone.
struct Campaign {
  std::string agent{}, environment{};             ///< by name
  std::map<std::string, std::string> settings{};  ///< of both, as texts
  training::RunOptions options{};                 ///< of each run; the seed is the run's
  std::uint64_t first_seed = 0;                   ///< the others follow
  Index seeds = 1;                                ///< how many
  Index checkpoint_every = 10'000;                ///< steps
  Index test_episodes = 100;                      ///< fresh episodes that judge the weights of each run
  SinkChoice sinks{};                             ///< of each run's metrics
  bool data_parallel = false;                     ///< whether MPI's ranks share each run, not the seeds
  bool keep_environment = false;                  ///< writes what the environment's wrappers have learned
  Words words{};                                  ///< what its figures are
  std::filesystem::path folder{};                 ///< a folder a run: seed-0, seed-1, ...
};

/// Runs what is not finished yet, `jobs` runs at a time; results do not depend on `jobs`. Every run writes config.json,
/// metrics.csv, weights and, at its end, summary.json, by which it counts as finished; one that fails before its first
/// step leaves nothing.
///
/// With several MPI ranks each takes every so many-th run, and the first rank waits for the others; or all share the
/// work of each run, one run after the other, and end together where one of them fails. Throws Error where
/// the folder holds runs of other settings, naming the difference; Interrupted on Ctrl-C.
std::vector<RunSummary> run(const Campaign& campaign, const AgentConfig& agent, const AnyEnvironment& environment,
                            Index jobs);

/// Writes results.csv, summary.json and the plot of the learning curves of finished runs, and says on stdout what they
/// reached.
void report(const Campaign& campaign, const std::vector<RunSummary>& runs);

/// The learning curve of runs, of which each folder has a metrics.csv: the IQM of the evaluations at each step that all
/// have, with its interval.
tools::Series learning_curve(const std::vector<std::filesystem::path>& runs, std::string label);

}  // namespace mellow::suite

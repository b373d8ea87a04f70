// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <mutex>
#include <vector>

#include <mellow/core/types.hpp>
#include <mellow/training/status.hpp>

namespace mellow::suite {

/// Shows runs that go on at the same time: on a terminal one table that rewrites itself (run, seed, steps, return or score, tokens a second, time left),
/// elsewhere a line every ten seconds. Threads may call it at once.
class LiveTable {
 public:
  /// Each of `runs` runs goes to `steps` steps; run i has seed first_seed + i.
  LiveTable(Index steps, Index runs, std::uint64_t first_seed);
  ~LiveTable();
  LiveTable(const LiveTable&) = delete;
  LiveTable& operator=(const LiveTable&) = delete;

  void update(Index run, const training::RunStatus& status);  ///< where a run is
  void finish(Index run);                                     ///< it is over

 private:
  using Clock = std::chrono::steady_clock;
  struct Row {
    bool running = false;
    Index step = 0, first_step = 0;
    double score = training::RunStatus::none, best_return = training::RunStatus::none;
    double first_tokens = -1, tokens = -1;  // that a language model has read; below 0: it is none
    Clock::time_point begun{};
  };

  void draw();

  std::mutex mutex_;
  Index steps_, finished_ = 0;
  std::uint64_t first_seed_;
  std::vector<Row> rows_;
  bool terminal_;
  std::size_t drawn_lines_ = 0;
  Clock::time_point next_;
};

}  // namespace mellow::suite

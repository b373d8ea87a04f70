// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace mellow::tools {

/// Where a run is. A figure that is NaN is not shown.
struct ProgressState {
  std::int64_t step = 0;                                          ///< environment steps done
  std::int64_t episodes = 0;                                      ///< episodes ended
  double mean_return = std::numeric_limits<double>::quiet_NaN();  ///< over recent episodes
  double loss = std::numeric_limits<double>::quiet_NaN();         ///< of a recent update
  double best_return = std::numeric_limits<double>::quiet_NaN();  ///< best evaluation so far
  double tokens = std::numeric_limits<double>::quiet_NaN();       ///< read so far, by a language model
};

/// What a progress line counts towards, and where it goes.
struct ProgressOptions {
  std::int64_t total_episodes = 0;     ///< budget in episodes; 0: none
  std::string label{};                 ///< what the line begins with; empty: nothing
  std::string unit = "steps";          ///< what is counted
  std::FILE* out = stderr;             ///< not owned
  std::optional<std::size_t> width{};  ///< columns of the terminal, 0 where `out` is none; by default asks `out`
  std::function<double()> clock{};     ///< seconds that never run back; by default the steady clock
};

/// Shows how far a run is: steps, steps a second, tokens a second, time left, return, loss.
///
/// On a terminal this is one line that rewrites itself ten times a second and fits the width; elsewhere, a plain line
/// after one second and then every five. Cheap enough (a few ns) to be called at every step.
class Progress {
 public:
  /// Starts the clock. `total_steps` is the budget in steps, 0 where there is none.
  explicit Progress(std::int64_t total_steps, ProgressOptions options = {});

  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { finish(); }

  /// Takes the run's state and prints it when it is time. The first state tells where a resumed run starts.
  void update(const ProgressState& state) {
    state_ = state;
    if (--calls_to_clock_ <= 0) look_at_clock();
  }

  /// Prints a line of its own, above the progress line.
  void note(std::string_view text);

  /// Prints the last state and the total time, and ends the line. Does nothing the second time.
  void finish();

 private:
  void look_at_clock();
  void measure(double now);
  void print(std::string_view text) const;
  double fraction() const;
  std::string line(double now, bool last) const;
  std::size_t width() const;

  std::int64_t total_steps_;
  ProgressOptions options_;
  ProgressState state_;
  std::int64_t calls_to_clock_ = 1, calls_per_clock_ = 1;  // adapts, so that the clock costs nothing
  double start_ = 0, looked_ = 0, printed_ = 0, next_print_ = 0;
  std::int64_t first_step_ = 0, printed_step_ = 0;
  double printed_fraction_ = 0, steps_per_second_ = 0, fraction_per_second_ = 0;  // smoothed
  bool terminal_ = false, started_ = false, finished_ = false;
};

}  // namespace mellow::tools

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signal.h>

namespace mellow::tools {

/// Lets a loop end cleanly on Ctrl-C: while a guard lives, the first SIGINT or SIGTERM only sets a flag.
///
/// A second signal of the same kind acts as by default and ends the process at once. Signals that the process ignores
/// (as under nohup) stay ignored. The end of a guard restores the handlers it found; guards may be nested.
///
///     tools::Interrupt interrupt;
///     while (step < steps && !tools::Interrupt::requested()) ...
class Interrupt {
 public:
  Interrupt();  ///< the outermost guard also clears the flag
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  /// Says whether a signal came since the outermost guard began; still true after the guard's end.
  static bool requested() noexcept;

 private:
  struct sigaction old_interrupt_, old_terminate_;
};

}  // namespace mellow::tools

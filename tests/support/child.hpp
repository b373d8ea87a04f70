// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

#include "temporary_directory.hpp"

/// How a child process ended and what it printed.
struct ChildResult {
  int status = -1;  ///< exit status, or -1 where a signal ended it
  int signal = 0;   ///< that signal
  std::string out, error;
};

/// Runs `body` in a copy of this process, for code that ends the process or raises signals.
template <class Body>
ChildResult run_in_child(Body body) {
  const TemporaryDirectory directory;
  const auto out = directory / "out", error = directory / "error";
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    if (std::freopen(out.c_str(), "w", stdout) == nullptr || std::freopen(error.c_str(), "w", stderr) == nullptr) {
      std::_Exit(99);
    }
    const int status = body();
    std::fflush(nullptr);
    std::_Exit(status);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, WIFSIGNALED(status) ? WTERMSIG(status) : 0, read_file(out),
          read_file(error)};
}

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <stdexcept>
#include <string>

#include <mellow/core/types.hpp>

namespace mellow::suite {

/// What ends parallel work on Ctrl-C.
class Interrupted : public std::runtime_error {
 public:
  /// `then` says what starting again does.
  explicit Interrupted(const std::string& then) : std::runtime_error("interrupted; " + then) {}
};

/// Calls `work(i)` once for each i = 0 .. count - 1, in at most `jobs` threads, in an order that is not defined.
///
/// `done(finished)` is called after each, one at a time. After an exception or Ctrl-C nothing new begins; what has begun
/// is waited for; then the first exception is thrown. Says whether all were done.
bool parallel(Index count, Index jobs, const std::function<void(Index)>& work,
              const std::function<void(Index)>& done = {});

}  // namespace mellow::suite

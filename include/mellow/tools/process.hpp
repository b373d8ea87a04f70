// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mellow::tools {

/// How a program ended and what it printed.
struct ProcessResult {
  int status = 0;       ///< exit status; 128 and the number of the signal that ended it, as shells have it
  std::string out{};    ///< its standard output
  std::string error{};  ///< its standard error
};

/// Runs a program to its end, without a shell, so that nothing in its arguments is special. `program` is looked for in
/// PATH unless it holds a slash; `input` is its standard input. Returns nothing where there is no such program. Throws
/// Error, naming the program, where it cannot be started otherwise.
std::optional<ProcessResult> run_process(const std::string& program, const std::vector<std::string>& arguments,
                                         std::string_view input = {});

}  // namespace mellow::tools

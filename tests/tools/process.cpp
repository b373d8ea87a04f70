// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/process.hpp"

#include "../support/catch.hpp"
#include "../support/temporary_directory.hpp"
#include "mellow/core/error.hpp"

using namespace mellow;

TEST_CASE("A process gets its arguments and input as they are, and gives back what it printed") {
  const std::string text(200'000, 'x');  // more than a pipe holds
  const auto result =
      tools::run_process("sh", {"-c", "cat; printf '%s' \"$1\" >&2; exit 3", "sh", "a b $(c) `d` 'e'"}, text);
  REQUIRE(result);
  CHECK(result->status == 3);
  CHECK(result->out == text);
  CHECK(result->error == "a b $(c) `d` 'e'");
}

TEST_CASE("A process that a signal ends has its number; no program is no process") {
  CHECK(tools::run_process("sh", {"-c", "kill -9 $$"})->status == 128 + 9);
  CHECK_FALSE(tools::run_process("/nonexistent/program", {}));
  const TemporaryDirectory directory;
  CHECK_THROWS_AS(tools::run_process(directory.path().string(), {}), Error);  // a folder cannot be run
}

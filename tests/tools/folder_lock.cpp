// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <optional>

#include <mellow/core/error.hpp>
#include <mellow/tools/folder_lock.hpp>
#include <mellow/tools/recorder.hpp>

#include "support/catch.hpp"
#include "support/child.hpp"

using namespace mellow;
using tools::FolderLock;

TEST_CASE("A folder has one writer at a time, in this process and in others") {
  const TemporaryDirectory directory;
  const auto folder = directory / "run";
  const auto other_process = [&] {
    return run_in_child([&] {
             try {
               const FolderLock lock(folder);
               return 0;
             } catch (const Error&) {
               return 1;
             }
           })
        .status;
  };
  {
    std::optional<FolderLock> lock(folder);
    CHECK_THROWS_WITH(FolderLock(folder), Catch::Contains("another run is writing here"));
    CHECK(other_process() == 1);
    const FolderLock moved = std::move(*lock);
    lock.reset();
    CHECK(other_process() == 1);
    CHECK_NOTHROW(FolderLock(directory / "another"));
  }
  CHECK(other_process() == 0);
  CHECK_NOTHROW(FolderLock(folder));
  CHECK(std::filesystem::is_empty(folder));
}

TEST_CASE("A process that is killed lets go of its folder") {
  const TemporaryDirectory directory;
  const auto child = run_in_child([&] {
    const FolderLock lock(directory.path());
    ::raise(SIGKILL);
    return 0;
  });
  CHECK(child.signal == SIGKILL);
  CHECK_NOTHROW(FolderLock(directory.path()));
}

TEST_CASE("Two recorders do not write into one folder") {
  const TemporaryDirectory directory;
  const tools::Recorder recorder(directory.path(), {.progress = false});
  CHECK_THROWS_WITH(tools::Recorder(directory.path(), {.progress = false}), Catch::Contains(directory.path().string()));
}

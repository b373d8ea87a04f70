// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/atomic_file.hpp"

#include <array>
#include <atomic>
#include <csignal>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <vector>

#include "../support/catch.hpp"
#include "../support/child.hpp"
#include "../support/temporary_directory.hpp"
#include "mellow/core/error.hpp"

using namespace mellow;
using namespace mellow::tools;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

TEST_CASE("write_file_atomically writes, replaces and leaves nothing else") {
  const TemporaryDirectory directory;
  const auto path = directory / "a/b/file";
  write_file_atomically(path, "first, and longer");
  CHECK(read_file(path) == "first, and longer");
  write_file_atomically(path, "second");
  CHECK(read_file(path) == "second");
  write_file_atomically(path, std::string_view());
  CHECK(read_file(path).empty());
  const std::array bytes = {std::byte{0}, std::byte{0xff}, std::byte{'\n'}};
  write_file_atomically(path, bytes);
  CHECK(read_file(path) == std::string("\0\xff\n", 3));
  CHECK(directory.size() == 3);
}

TEST_CASE("Of several writers that create a file one succeeds, and what is there stays") {
  const TemporaryDirectory directory;
  const auto path = directory / "new/file";
  std::atomic<int> created = 0;
  std::vector<std::thread> writers;
  for (int i = 0; i < 8; ++i)
    writers.emplace_back(
        [&, i] { created += create_file_atomically(path, std::string(1'000, static_cast<char>('a' + i))); });
  for (std::thread& writer : writers) writer.join();
  CHECK(created == 1);
  const std::string text = read_file(path);
  CHECK(text == std::string(1'000, text[0]));
  CHECK_FALSE(create_file_atomically(path, "other"));
  CHECK(read_file(path) == text);
  CHECK(directory.size() == 2);  // no temporary file
  fs::create_symlink("nowhere", directory / "link");
  CHECK_FALSE(create_file_atomically(directory / "link", "other"));
  CHECK(fs::is_symlink(directory / "link"));
}

TEST_CASE("write_file_atomically keeps the permissions of the file it replaces") {
  const TemporaryDirectory directory;
  write_file_atomically(directory / "secret", "x");
  fs::permissions(directory / "secret", fs::perms::owner_read | fs::perms::owner_write);
  write_file_atomically(directory / "secret", "y");
  CHECK(fs::status(directory / "secret").permissions() == (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE("write_file_atomically refuses to replace what is not a file") {
  const TemporaryDirectory directory;
  fs::create_directory(directory / "directory");
  fs::create_symlink("/dev/null", directory / "device");
  for (const char* name : {"directory", "device"}) {
    CHECK_THROWS_WITH(write_file_atomically(directory / name, "x"), Contains(name) && Contains("not a regular file"));
  }
  CHECK(fs::is_symlink(directory / "device"));
  CHECK(directory.size() == 2);
}

TEST_CASE("write_file_atomically names the path and the reason when it fails") {
  const TemporaryDirectory directory;
  write_file_atomically(directory / "file", "old");
  CHECK_THROWS_WITH(write_file_atomically(directory / "file/below", "x"),
                    Contains("file/below") && Contains("Not a directory"));
  CHECK_THROWS_WITH(write_file_atomically(directory / std::string(300, 'n'), "x"), Contains("File name too long"));
  CHECK_THROWS_AS(write_file_atomically("", "x"), Error);
  CHECK(read_file(directory / "file") == "old");
  CHECK(directory.size() == 1);
}

TEST_CASE("write_file_atomically keeps the old file when the new one does not fit") {
  const TemporaryDirectory directory;
  write_file_atomically(directory / "file", "old");
  const auto child = run_in_child([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {1000, 1000};  // bytes a file
    ::setrlimit(RLIMIT_FSIZE, &limit);
    try {
      write_file_atomically(directory / "file", std::string(2000, 'x'));
    } catch (const Error& error) {
      std::fputs(error.what(), stdout);
    }
    return 0;
  });
  CHECK_THAT(child.out, Contains("file: cannot write: File too large"));
  CHECK(read_file(directory / "file") == "old");
  CHECK(directory.size() == 1);
}

TEST_CASE("replace_file renames a finished file and names one that is missing") {
  const TemporaryDirectory directory;
  write_file_atomically(directory / "part", "new");
  write_file_atomically(directory / "whole", "old");
  replace_file(directory / "part", directory / "whole");
  CHECK(read_file(directory / "whole") == "new");
  CHECK_THROWS_WITH(replace_file(directory / "part", directory / "whole"),
                    Contains("part") && Contains("No such file"));
  CHECK(read_file(directory / "whole") == "new");
}

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string_view>

namespace mellow::tools {

/// A file that grows during a run, and that a later process can cut back to what a checkpoint knew of it.
class GrowingFile {
 public:
  /// Writes to `part`, which takes the name `path` when it is finished; both may be the same. With `size` = 0 a new
  /// file; else goes on with what an earlier process left in either, which must begin with `beginning`, after `size`
  /// bytes. Creates missing directories. Throws Error where any of that fails.
  GrowingFile(std::filesystem::path path, std::filesystem::path part, std::int64_t size, std::string_view beginning);
  ~GrowingFile();  ///< finishes; where that fails, what there is stays in `part`
  GrowingFile(const GrowingFile&) = delete;
  GrowingFile& operator=(const GrowingFile&) = delete;

  bool is_open() const { return file_ != nullptr; }  ///< until it is finished
  void write(std::string_view text);  ///< adds to the end; shows it to readers at most a second after the next text
  void flush();                       ///< shows all to readers
  std::int64_t sync();                ///< the same, and makes the disk keep it; the file's size in bytes
  void finish();  ///< flushes to the disk and renames; does nothing the second time. All four throw Error

 private:
  std::filesystem::path path_, part_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
  std::chrono::steady_clock::time_point flushed_;
};

}  // namespace mellow::tools

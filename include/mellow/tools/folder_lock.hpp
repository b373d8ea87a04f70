// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>

namespace mellow::tools {

/// Keeps a folder for one writer, of this or another process, as long as it lives; a process that dies lets go of it. No
/// file is left behind. Readers need no lock, since files are replaced as a whole.
class FolderLock {
 public:
  /// Creates the folder where there is none. Throws Error where another writer has it. A file system without locks
  /// grants it to everyone.
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();                                 ///< lets go
  FolderLock(FolderLock&&) noexcept;             ///< takes the folder over
  FolderLock& operator=(FolderLock&&) noexcept;  ///< takes the folder over, and lets go of its own

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mellow::tools

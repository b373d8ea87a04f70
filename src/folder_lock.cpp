// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/folder_lock.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>

#include "descriptor.hpp"
#include "mellow/core/error.hpp"
#include "mellow/tools/atomic_file.hpp"

namespace mellow::tools {

struct FolderLock::Impl {
  explicit Impl(int fd) : folder(fd) {}
  Descriptor folder;
};

FolderLock::FolderLock(const std::filesystem::path& folder) {
  create_folder(folder);
  impl_ = std::make_unique<Impl>(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (impl_->folder.is_open() && ::flock(impl_->folder.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
    throw Error(folder.string(), "another run is writing here; choose another folder, or wait for it");
}

FolderLock::~FolderLock() = default;
FolderLock::FolderLock(FolderLock&&) noexcept = default;
FolderLock& FolderLock::operator=(FolderLock&&) noexcept = default;

}  // namespace mellow::tools

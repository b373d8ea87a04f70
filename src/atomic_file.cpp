// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/atomic_file.hpp"

#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "descriptor.hpp"
#include "mellow/core/error.hpp"

namespace mellow::tools {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view temporary_prefix = ".mellow-", temporary_extension = ".tmp";

[[noreturn]] void fail(const fs::path& path, std::string_view doing) {
  const int code = errno;
  throw Error(path.string(), fmt::format("cannot {}: {}", doing, std::generic_category().message(code)));
}

fs::path directory_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

/// Creates a folder in the name of the path for which it is wanted.
void create_folder_for(const fs::path& path, const fs::path& folder, std::string_view what) {
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) throw Error(path.string(), fmt::format("cannot create {}: {}", what, code.message()));
}

/// Renaming over a device, a pipe or a directory would replace it, so such targets are refused.
void require_replaceable(const fs::path& path) {
  std::error_code ignored;
  const auto status = fs::status(path, ignored);
  if (fs::exists(status) && !fs::is_regular_file(status)) throw Error(path.string(), "is not a regular file");
}

/// Flushes the directory of a path, without which a crash could undo what was done there.
void flush_directory(const fs::path& path) {
  const Descriptor directory(::open(directory_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.is_open()) fail(path, "open its directory");
  // A file system that cannot flush a directory says EINVAL; what was done there has succeeded.
  if (::fsync(directory.get()) != 0 && errno != EINVAL) fail(path, "flush its directory");
}

void rename_durably(const fs::path& from, const fs::path& to) {
  require_replaceable(to);
  if (::rename(from.c_str(), to.c_str()) != 0) fail(to, "rename the temporary file to it");
  flush_directory(to);
}

/// Creates a file of a name that nobody uses, beside `path`.
int create_beside(const fs::path& path, fs::path& temporary) {
  static std::atomic<unsigned> counter = 0;
  for (;;) {
    temporary =
        directory_of(path) / fmt::format("{}{}-{}{}", temporary_prefix, ::getpid(), counter++, temporary_extension);
    const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0 || errno != EEXIST) return fd;
  }
}

void write_all(int fd, std::span<const std::byte> bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(path, "write");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

/// Writes all to a temporary file beside `path`, flushes it to the disk and hands its name to `put`.
template <class Put>
void write_whole(const fs::path& path, std::span<const std::byte> bytes, const Put& put) {
  require_replaceable(path);
  create_folder_for(path, directory_of(path), "its directory");
  fs::path temporary;
  Descriptor file(create_beside(path, temporary));
  if (!file.is_open()) fail(path, "create a temporary file beside it");
  try {
    struct stat old;
    if (::stat(path.c_str(), &old) == 0 && ::fchmod(file.get(), old.st_mode & 07777) != 0)
      fail(path, "set permissions");
    write_all(file.get(), bytes, path);
    if (::fsync(file.get()) != 0) fail(path, "flush to the disk");
    if (!file.close()) fail(path, "close");
    put(temporary);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
}

}  // namespace

void create_folder(const fs::path& path) { create_folder_for(path, path, "this folder"); }

void write_file_atomically(const fs::path& path, std::span<const std::byte> bytes) {
  write_whole(path, bytes, [&](const fs::path& temporary) { rename_durably(temporary, path); });
}

void write_file_atomically(const fs::path& path, std::string_view text) {
  write_file_atomically(path, std::as_bytes(std::span(text)));
}

bool create_file_atomically(const fs::path& path, std::string_view text) {
  bool created = true;
  write_whole(path, std::as_bytes(std::span(text)), [&](const fs::path& temporary) {
    if (::link(temporary.c_str(), path.c_str()) == 0) {
      ::unlink(temporary.c_str());
      flush_directory(path);
    } else if (errno == EEXIST || fs::exists(fs::symlink_status(path))) {
      ::unlink(temporary.c_str());
      created = false;
    } else {
      rename_durably(temporary, path);  // a file system without links
    }
  });
  return created;
}

void remove_temporaries(const fs::path& folder) {
  std::error_code ignored;  // one that stays does no harm
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(temporary_prefix) && name.ends_with(temporary_extension)) fs::remove(entry.path(), ignored);
  }
}

void replace_file(const fs::path& from, const fs::path& to) {
  const Descriptor file(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) fail(from, "open");
  if (::fsync(file.get()) != 0) fail(from, "flush to the disk");
  rename_durably(from, to);
}

}  // namespace mellow::tools

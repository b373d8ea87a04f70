// SPDX-License-Identifier: Apache-2.0
#include "growing_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "mellow/core/error.hpp"
#include "mellow/tools/atomic_file.hpp"

namespace mellow::tools {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, const char* doing) {
  const int code = errno;
  throw Error(path.string(), fmt::format("cannot {}: {}", doing, std::generic_category().message(code)));
}

}  // namespace

GrowingFile::GrowingFile(fs::path path, fs::path part, std::int64_t size, std::string_view beginning)
    : path_(std::move(path)), part_(std::move(part)), file_(nullptr, &std::fclose) {
  std::error_code code;
  if (path_.has_parent_path()) fs::create_directories(path_.parent_path(), code);
  if (code) throw Error(path_.string(), "cannot create its directory: " + code.message());
  if (size <= 0) {
    file_.reset(std::fopen(part_.c_str(), "we"));
    if (!file_) fail(part_, "create");
    write(beginning);
    flush();
    return;
  }
  if (!fs::exists(part_)) fs::rename(path_, part_, code);
  if (code) throw Error(path_.string(), "cannot go on with it: " + code.message());
  file_.reset(std::fopen(part_.c_str(), "r+e"));
  if (!file_) fail(part_, "open");
  std::string found(beginning.size(), ' ');
  if (std::fread(found.data(), 1, found.size(), file_.get()) != found.size() || found != beginning)
    throw Error(part_.string(), "cannot go on with it: it begins otherwise, as with other columns");
  if (const auto present = static_cast<std::int64_t>(fs::file_size(part_)); present < size)
    throw Error(part_.string(), fmt::format("cannot go on with it: rows are missing; it should have {} bytes", size),
                present);
  if (::ftruncate(::fileno(file_.get()), size) != 0 || std::fseek(file_.get(), 0, SEEK_END) != 0) fail(part_, "cut");
}

GrowingFile::~GrowingFile() {
  try {
    finish();
  } catch (...) {  // a destructor has nobody to tell
  }
}

void GrowingFile::write(std::string_view text) {
  if (!file_) throw Error(path_.string(), "is finished");
  if (std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size()) fail(part_, "write");
  if (std::chrono::steady_clock::now() - flushed_ > std::chrono::seconds(1)) flush();
}

void GrowingFile::flush() {
  if (!file_) throw Error(path_.string(), "is finished");
  if (std::fflush(file_.get()) != 0) fail(part_, "write");
  flushed_ = std::chrono::steady_clock::now();
}

std::int64_t GrowingFile::sync() {
  flush();
  if (::fsync(::fileno(file_.get())) != 0) fail(part_, "flush to the disk");
  return std::ftell(file_.get());
}

void GrowingFile::finish() {
  if (!file_) return;
  const bool written = std::fflush(file_.get()) == 0;
  if (std::fclose(file_.release()) != 0 || !written) fail(part_, "write");
  replace_file(part_, path_);
}

}  // namespace mellow::tools

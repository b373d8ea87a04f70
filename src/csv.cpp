// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/csv.hpp"

#include <cerrno>
#include <charconv>
#include <cmath>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "mellow/core/error.hpp"
#include "mellow/tools/atomic_file.hpp"

namespace mellow::tools {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const std::filesystem::path& path, const char* doing) {
  const int code = errno;
  throw Error(path.string(), fmt::format("cannot {}: {}", doing, std::generic_category().message(code)));
}

}  // namespace

CsvWriter::CsvWriter(std::filesystem::path path, const std::vector<std::string>& columns, std::int64_t size)
    : path_(std::move(path)), part_(path_), columns_(columns.size()), file_(nullptr, &std::fclose) {
  if (columns.empty()) throw Error(path_.string(), "a table needs a column");
  part_ += ".part";
  std::error_code code;
  if (path_.has_parent_path()) std::filesystem::create_directories(path_.parent_path(), code);
  if (code) throw Error(path_.string(), "cannot create its directory: " + code.message());
  for (const auto& column : columns) append(column);
  if (size > 0) {
    line_.back() = '\n';
    go_on(size, line_);
    return;
  }
  file_.reset(std::fopen(part_.c_str(), "we"));
  if (!file_) fail(part_, "create");
  end_row(columns.size());
  flush();
}

void CsvWriter::go_on(std::int64_t size, const std::string& heading) {
  std::error_code code;
  if (!std::filesystem::exists(part_)) std::filesystem::rename(path_, part_, code);
  if (code) throw Error(path_.string(), "cannot go on with it: " + code.message());
  file_.reset(std::fopen(part_.c_str(), "r+e"));
  if (!file_) fail(part_, "open");
  std::string found(heading.size(), ' ');
  if (std::fread(found.data(), 1, found.size(), file_.get()) != found.size() || found != heading)
    throw Error(part_.string(), "cannot go on with it: it has other columns");
  if (const auto present = static_cast<std::int64_t>(std::filesystem::file_size(part_)); present < size)
    throw Error(part_.string(), fmt::format("cannot go on with it: rows are missing; it should have {} bytes", size),
                present);
  if (::ftruncate(::fileno(file_.get()), size) != 0 || std::fseek(file_.get(), 0, SEEK_END) != 0) fail(part_, "cut");
}

CsvWriter::~CsvWriter() {
  try {
    finish();
  } catch (...) {  // a destructor has nobody to tell; the rows stay in the .part file
  }
}

void CsvWriter::row(std::span<const CsvCell> cells) {
  line_.clear();
  for (const auto& cell : cells) append(cell);
  end_row(cells.size());
}

void CsvWriter::flush() {
  if (!file_) throw Error(path_.string(), "the table is finished");
  if (std::fflush(file_.get()) != 0) fail(part_, "write");
  flushed_ = Clock::now();
}

std::int64_t CsvWriter::sync() {
  flush();
  if (::fsync(::fileno(file_.get())) != 0) fail(part_, "flush to the disk");
  return std::ftell(file_.get());
}

void CsvWriter::finish() {
  if (!file_) return;
  const bool written = std::fflush(file_.get()) == 0;
  if (std::fclose(file_.release()) != 0 || !written) fail(part_, "write");
  replace_file(part_, path_);
}

void CsvWriter::append(const CsvCell& cell) {
  if (const auto* number = std::get_if<double>(&cell.value())) {
    char digits[32];
    if (!std::isnan(*number)) line_.append(digits, std::to_chars(digits, std::end(digits), *number).ptr);
  } else {
    const auto text = std::get<std::string_view>(cell.value());
    const bool quoted = text.find_first_of(",\"\r\n") != text.npos;
    if (quoted) line_ += '"';
    for (const char c : text) line_.append(c == '"' ? 2 : 1, c);
    if (quoted) line_ += '"';
  }
  line_ += ',';
}

void CsvWriter::end_row(std::size_t cells) {
  if (!file_) throw Error(path_.string(), "the table is finished");
  require(cells == columns_, path_.string(), fmt::format("a row must have {} cells", columns_), cells);
  if (line_ == ",") line_ = "\"\",";  // an empty line would not be a row
  line_.back() = '\n';
  if (std::fwrite(line_.data(), 1, line_.size(), file_.get()) != line_.size()) fail(part_, "write");
  if (Clock::now() - flushed_ > std::chrono::seconds(1)) flush();
}

}  // namespace mellow::tools

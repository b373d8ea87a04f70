// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/csv.hpp"

#include <charconv>
#include <cmath>
#include <iterator>
#include <utility>

#include "growing_file.hpp"
#include "mellow/core/error.hpp"

namespace mellow::tools {

CsvWriter::CsvWriter(std::filesystem::path path, const std::vector<std::string>& columns, std::int64_t size)
    : path_(std::move(path)), columns_(columns.size()) {
  if (columns.empty()) throw Error(path_.string(), "a table needs a column");
  for (const auto& column : columns) append(column);
  if (line_ == ",") line_ = "\"\",";
  line_.back() = '\n';
  auto part = path_;
  file_ = std::make_unique<GrowingFile>(path_, part += ".part", size, line_);
}

CsvWriter::~CsvWriter() = default;

void CsvWriter::row(std::span<const CsvCell> cells) {
  line_.clear();
  for (const auto& cell : cells) append(cell);
  end_row(cells.size());
}

void CsvWriter::flush() { file_->flush(); }
std::int64_t CsvWriter::sync() { return file_->sync(); }
void CsvWriter::finish() { file_->finish(); }

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
  if (cells != columns_) throw Error(path_.string(), fmt::format("a row must have {} cells", columns_), cells);
  if (line_ == ",") line_ = "\"\",";  // an empty line would not be a row
  line_.back() = '\n';
  file_->write(line_);
}

}  // namespace mellow::tools

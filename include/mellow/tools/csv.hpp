// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace mellow::tools {

class GrowingFile;

/// A number or a label in a row of a table.
class CsvCell {
 public:
  /// A number.
  template <class Number>
    requires std::integral<Number> || std::floating_point<Number>
  CsvCell(Number number) : value_(static_cast<double>(number)) {}
  /// @{
  /// A label, which must outlive the cell.
  CsvCell(std::string_view label) : value_(label) {}
  CsvCell(const char* label) : value_(std::string_view(label)) {}
  CsvCell(const std::string& label) : value_(std::string_view(label)) {}

  /// @}
  const std::variant<double, std::string_view>& value() const { return value_; }  ///< the number or the label

 private:
  std::variant<double, std::string_view> value_;
};

/// Writes a table as it grows, one row at a time.
///
/// Rows go to `<path>.part`, where a reader sees them at most a second after the next row; the file takes its own name
/// when it is finished, so a run that is killed keeps its rows and never harms an older file. Numbers have the shortest
/// form that reads back exactly, NaN is an empty cell, text is quoted where it must be (RFC 4180).
class CsvWriter {
 public:
  /// Opens `<path>.part` and writes the heading; creates missing directories. Throws Error where that fails.
  ///
  /// With the `size` that `sync` gave in an earlier process, goes on with the table as it was then: rows after it are
  /// cut off, whether that process finished the table or not. Throws Error where the table is shorter or headed otherwise.
  CsvWriter(std::filesystem::path path, const std::vector<std::string>& columns, std::int64_t size = 0);

  CsvWriter(const CsvWriter&) = delete;
  CsvWriter& operator=(const CsvWriter&) = delete;

  /// Finishes the file; a failure, which `finish` would throw, leaves the rows in `<path>.part`.
  ~CsvWriter();

  /// Adds a row. Throws Error unless it has one cell a column, the file is open and the disk takes it.
  void row(std::span<const CsvCell> cells);
  /// The same, written out: `row({"episode", 3, 17.5})`.
  void row(std::initializer_list<CsvCell> cells) { row(std::span(cells.begin(), cells.size())); }

  void flush();         ///< shows all rows to readers; throws Error where the disk does not take them
  std::int64_t sync();  ///< the same, and makes the disk keep them; the table's size in bytes
  void finish();        ///< flushes to the disk and renames to `path`; does nothing the second time; throws Error

 private:
  void append(const CsvCell& cell);
  void end_row(std::size_t cells);

  std::filesystem::path path_;
  std::size_t columns_;
  std::string line_;
  std::unique_ptr<GrowingFile> file_;
};

}  // namespace mellow::tools

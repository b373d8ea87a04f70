// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace mellow::tools {

/// A CSV file that was loaded (RFC 4180: quoted cells may hold commas, line ends and doubled quotes), as text. The first
/// row names the columns.
class CsvTable {
 public:
  /// Loads a file; empty lines are left out. Throws Error, naming the file and the line, where it cannot be read, has
  /// no heading, a column's name comes twice, a row has too few or too many cells, or a quote is not closed.
  explicit CsvTable(std::filesystem::path path);

  std::size_t rows() const { return lines_.size(); }                    ///< without the heading
  const std::vector<std::string>& columns() const { return columns_; }  ///< the names

  /// The index of a column. Throws Error, with the columns that there are, where there is none of this name.
  std::size_t column(std::string_view name) const;

  /// Where a row begins: "file.csv:12", as messages name it.
  std::string where(std::size_t row) const;

  /// A cell as it stands, without its quotes.
  const std::string& text(std::size_t row, std::size_t column) const { return cells_[row * columns_.size() + column]; }

  /// A cell as a number; an empty one is NaN, as CsvWriter writes it. Throws Error, naming file, line and column, where
  /// it is none.
  double number(std::size_t row, std::size_t column) const;

 private:
  std::filesystem::path path_;
  std::vector<std::string> columns_, cells_;
  std::vector<std::size_t> lines_;  ///< where each row begins in the file, counted from 1
};

}  // namespace mellow::tools

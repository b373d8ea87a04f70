// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/csv_table.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>
#include <system_error>
#include <utility>

#include "mellow/core/error.hpp"
#include "read_text.hpp"

namespace mellow::tools {
namespace {

/// Cuts a text into rows of cells.
class Reader {
 public:
  Reader(const std::filesystem::path& path, std::string_view text) : path_(path), text_(text) {}

  /// Reads the next row that is not an empty line into `cells`, and where it begins into `line`; false at the end.
  bool row(std::vector<std::string>& cells, std::size_t& line) {
    while (!text_.empty() && end_of_line()) {}
    if (text_.empty()) return false;
    cells.clear();
    line = line_;
    do cells.push_back(cell());
    while (take(','));
    if (!text_.empty() && !end_of_line())
      throw Error(at_line(path_, line_), "a quoted cell must end at a comma or a line's end");
    return true;
  }

 private:
  std::string cell() {
    std::string result;
    if (!take('"')) {
      const auto length = std::min(text_.find_first_of(",\r\n"), text_.size());
      result = text_.substr(0, length);
      text_.remove_prefix(length);
      return result;
    }
    const std::size_t begin = line_;
    while (true) {
      const auto length = text_.find('"');
      if (length == text_.npos) throw Error(at_line(path_, begin), "a quote is not closed");
      line_ += static_cast<std::size_t>(
          std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(length), '\n'));
      result += text_.substr(0, length);
      text_.remove_prefix(length + 1);
      if (!take('"')) return result;
      result += '"';
    }
  }

  bool take(char c) {
    const bool taken = text_.starts_with(c);
    if (taken) text_.remove_prefix(1);
    return taken;
  }

  bool end_of_line() {
    const bool returned = take('\r'), ended = take('\n') || returned;
    line_ += ended;
    return ended;
  }

  const std::filesystem::path& path_;
  std::string_view text_;
  std::size_t line_ = 1;
};

}  // namespace

CsvTable::CsvTable(std::filesystem::path path) : path_(std::move(path)) {
  const std::string text = read_text(path_);
  Reader reader(path_, text);
  std::size_t line = 0;
  if (!reader.row(columns_, line)) throw Error(path_.string(), "a table needs a heading");
  for (auto name = columns_.begin(); name != columns_.end(); ++name)
    if (std::find(columns_.begin(), name, *name) != name)
      throw Error(at_line(path_, line), "the name of a column comes twice", *name);
  for (std::vector<std::string> row; reader.row(row, line);) {
    if (row.size() != columns_.size())
      throw Error(at_line(path_, line), fmt::format("a row must have {} cells, as the heading has", columns_.size()),
                  row.size());
    std::move(row.begin(), row.end(), std::back_inserter(cells_));
    lines_.push_back(line);
  }
}

std::size_t CsvTable::column(std::string_view name) const {
  const auto found = std::find(columns_.begin(), columns_.end(), name);
  if (found == columns_.end()) {
    std::string known;
    for (const auto& column : columns_) known += (known.empty() ? "" : ", ") + column;
    throw Error(path_.string(), fmt::format("there is no column \"{}\"; it has {}", name, known));
  }
  return static_cast<std::size_t>(found - columns_.begin());
}

std::string CsvTable::where(std::size_t row) const { return at_line(path_, lines_[row]); }

double CsvTable::number(std::size_t row, std::size_t column) const {
  const std::string& cell = text(row, column);
  if (cell.empty()) return std::numeric_limits<double>::quiet_NaN();
  double value = 0;
  const char* end = cell.data() + cell.size();
  const auto [rest, code] = std::from_chars(cell.data() + (cell.starts_with('+') ? 1 : 0), end, value);
  if (code != std::errc() || rest != end)
    throw Error(where(row), fmt::format("column {} must hold a number", columns_[column]), cell);
  return value;
}

}  // namespace mellow::tools

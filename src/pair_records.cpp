// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/pair_records.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "json_line_reader.hpp"
#include "mellow/core/error.hpp"
#include "mellow/tools/csv.hpp"
#include "mellow/tools/csv_table.hpp"
#include "mellow/tools/read_number.hpp"
#include "read_text.hpp"

namespace mellow::tools {
namespace {

using preference::PairRecord;

/// What stands in a file for a field of a row.
struct Cell {
  std::string text{};              ///< as it stands; of a text in JSON without its quotes
  std::optional<double> number{};  ///< where it is one
  std::string shown{};             ///< for messages; empty: there is nothing
};

/// Reads a record from the fields of a row: `cell(name, needed)`.
template <class Cells>
PairRecord read_record(const std::string& where, const Cells& cell) {
  const auto number = [&](std::string_view name, bool needed, double least, double most,
                          std::string_view range) -> std::optional<double> {
    const Cell found = cell(name, needed);
    if (found.shown.empty() && !needed) return std::nullopt;
    if (!found.number) throw Error(where, fmt::format("{} must be a number", name), found.shown);
    if (!std::isfinite(*found.number)) throw Error(where, fmt::format("{} must be finite", name), found.shown);
    if (*found.number < least || *found.number > most)
      throw Error(where, fmt::format("{} must {}", name, range), found.shown);
    return found.number;
  };
  constexpr double infinity = std::numeric_limits<double>::infinity();
  constexpr double lowest = -1e12;  // of a log-probability: far below all there are, far above where sums overflow
  const auto log_prob = [&](std::string_view name, bool needed) {
    const auto found =
        number(name, needed, -infinity, preference::log_prob_rounding, "not be positive, being a log-probability");
    if (found && *found < lowest) throw Error(where, fmt::format("{} must not lie below {:g}", name, lowest), *found);
    return found;
  };
  const auto tokens = [&](std::string_view name) { return number(name, false, 1, infinity, "be at least 1"); };

  PairRecord record;
  const Cell step = cell("step", true);
  if (!step.number || *step.number < 0 || *step.number > 0x1p53 || *step.number != std::trunc(*step.number))
    throw Error(where, "step must be a whole number of at least 0", step.shown);
  record.step = static_cast<std::int64_t>(*step.number);
  record.pair = cell("pair", true).text;
  if (record.pair.empty()) throw Error(where, "pair must not be empty");
  record.chosen = *log_prob("chosen", true);
  record.rejected = *log_prob("rejected", true);
  if (std::exp(record.chosen) + std::exp(record.rejected) > 1 + 1e-6)
    throw Error(where,
                "two responses cannot have more probability than 1: log-probabilities are sums over tokens, not means");
  record.reference_chosen = log_prob("reference_chosen", false);
  record.reference_rejected = log_prob("reference_rejected", false);
  record.chosen_tokens = tokens("chosen_tokens");
  record.rejected_tokens = tokens("rejected_tokens");
  record.out_of_sample = number("out_of_sample", false, 0, 1, "be from 0 to 1");
  if (const Cell clipped = cell("clipped", false); !clipped.shown.empty()) {
    const bool yes = clipped.number == 1.0 || clipped.text == "true" || clipped.text == "True";
    if (!yes && clipped.number != 0.0 && clipped.text != "false" && clipped.text != "False")
      throw Error(where, "clipped must be 0 or 1, true or false", clipped.shown);
    record.clipped = yes;
  }
  return record;
}

/// Gathers rows, and refuses those that do not go together.
class Rows {
 public:
  void add(const std::string& where, PairRecord record) {
    const auto& first = records_.empty() ? record : records_.front();
    const auto alike = [&](std::string_view name, auto member) {
      if ((record.*member).has_value() != (first.*member).has_value())
        throw Error(where, fmt::format("{} must be given in every row or in none", name));
    };
    alike("reference_chosen", &PairRecord::reference_chosen);
    alike("reference_rejected", &PairRecord::reference_rejected);
    alike("chosen_tokens", &PairRecord::chosen_tokens);
    alike("rejected_tokens", &PairRecord::rejected_tokens);
    alike("clipped", &PairRecord::clipped);
    alike("out_of_sample", &PairRecord::out_of_sample);
    if (record.reference_chosen.has_value() != record.reference_rejected.has_value())
      throw Error(where, "reference_chosen and reference_rejected must both be given or neither");
    if (record.chosen_tokens.has_value() != record.rejected_tokens.has_value())
      throw Error(where, "chosen_tokens and rejected_tokens must both be given or neither");
    const auto [tokens, is_new] = tokens_.emplace(record.pair, std::pair(record.chosen_tokens, record.rejected_tokens));
    if (!is_new && tokens->second != std::pair(record.chosen_tokens, record.rejected_tokens))
      throw Error(where, "chosen_tokens and rejected_tokens must be the same at all steps", record.pair);
    const auto [place, added] = places_.emplace(std::pair(record.step, record.pair), where);
    if (!added)
      throw Error(where,
                  fmt::format("pair '{}' has a row at step {} before, {}", record.pair, record.step, place->second));
    records_.push_back(std::move(record));
  }

  std::vector<PairRecord> take(const std::filesystem::path& path) {
    if (records_.empty()) throw Error(path.string(), "holds no rows");
    return std::move(records_);
  }

 private:
  std::vector<PairRecord> records_;
  std::map<std::pair<std::int64_t, std::string>, std::string> places_;
  std::map<std::string, std::pair<std::optional<double>, std::optional<double>>> tokens_;
};

std::vector<PairRecord> load_json_lines(const std::filesystem::path& path) {
  Rows rows;
  for (JsonLineReader reader(path); reader.next();) {
    rows.add(reader.where(), read_record(reader.where(), [&](std::string_view name, bool needed) {
               const auto found = reader.object().find(name);
               if (found == reader.object().end() && !needed) return Cell{};
               const auto& value = reader.field(name);
               if (value.is_null() && !needed) return Cell{};
               Cell cell{.shown = shown(value)};
               if (value.is_string()) cell.text = value.get<std::string>();
               else if (value.is_primitive() && !value.is_null()) cell.text = value.dump();
               if (value.is_number()) cell.number = value.get<double>();
               return cell;
             }));
  }
  return rows.take(path);
}

std::vector<PairRecord> load_csv(const std::filesystem::path& path) {
  const CsvTable table(path);
  const auto& columns = table.columns();
  Rows rows;
  for (std::size_t row = 0; row < table.rows(); ++row)
    rows.add(table.where(row), read_record(table.where(row), [&](std::string_view name, bool needed) {
               if (!needed && std::ranges::find(columns, name) == columns.end()) return Cell{};
               const std::string& text = table.text(row, table.column(name));
               if (text.empty()) return Cell{.shown = needed ? "nothing" : ""};
               return Cell{.text = text,
                           .number = read_number<double>(text.starts_with('+') ? text.substr(1) : text),
                           .shown = text};
             }));
  return rows.take(path);
}

}  // namespace

std::vector<PairRecord> load_pair_records(const std::filesystem::path& path) {
  const std::string text = read_text(path);
  const auto first = text.find_first_not_of(" \t\r\n");
  return first != text.npos && (text[first] == '{' || text[first] == '[') ? load_json_lines(path) : load_csv(path);
}

void save_pair_records(const std::filesystem::path& path, std::span<const PairRecord> records) {
  using Member = std::optional<double> PairRecord::*;
  constexpr std::array members{std::pair("reference_chosen", Member(&PairRecord::reference_chosen)),
                               std::pair("reference_rejected", Member(&PairRecord::reference_rejected)),
                               std::pair("chosen_tokens", Member(&PairRecord::chosen_tokens)),
                               std::pair("rejected_tokens", Member(&PairRecord::rejected_tokens)),
                               std::pair("out_of_sample", Member(&PairRecord::out_of_sample))};
  std::vector<std::string> columns{"step", "pair", "chosen", "rejected"};
  std::vector<Member> given;
  for (const auto& [name, member] : members)
    if (!records.empty() && records.front().*member) {
      columns.emplace_back(name);
      given.push_back(member);
    }
  const bool clipped = !records.empty() && records.front().clipped;
  if (clipped) columns.emplace_back("clipped");
  CsvWriter csv(path, columns);
  for (const PairRecord& record : records) {
    std::vector<CsvCell> cells{record.step, record.pair, record.chosen, record.rejected};
    for (const Member member : given)
      cells.emplace_back((record.*member).value_or(std::numeric_limits<double>::quiet_NaN()));
    if (clipped) cells.emplace_back(record.clipped.value_or(false));
    csv.row(cells);
  }
  csv.finish();
}

}  // namespace mellow::tools

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mellow/core/error.hpp>
#include <mellow/preference/pair_history.hpp>
#include <mellow/preference/pair_record.hpp>

namespace mellow::preference {

/// Arranges rows, in any order, as a history; pairs come in the order in which they are first met. Throws Error, naming
/// `where`, where there are none, a pair comes twice at a step or lacks one, something optional is given of some rows
/// only, and for numbers that `PairHistory::add` refuses.
inline PairHistory tabulate(std::span<const PairRecord> records, std::string_view where = "preference::tabulate") {
  require(!records.empty(), where, "there must be a row", records.size());
  std::vector<std::string> names;
  std::map<std::string_view, std::size_t> number;
  std::set<std::int64_t> steps;
  for (const PairRecord& record : records) {
    if (number.emplace(record.pair, names.size()).second) names.push_back(record.pair);
    steps.insert(record.step);
  }
  std::map<std::pair<std::int64_t, std::size_t>, const PairRecord*> rows;  // by step and pair
  for (const PairRecord& record : records)
    if (!rows.emplace(std::pair(record.step, number[record.pair]), &record).second)
      throw Error(where, "a pair must have one row at a step",
                  fmt::format("pair '{}' twice at step {}", record.pair, record.step));
  PairHistory history;
  for (const std::int64_t step : steps) {
    std::vector<const PairRecord*> of_step;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto row = rows.find({step, i});
      if (row == rows.end())
        throw Error(where, "a pair must have a row at every step",
                    fmt::format("pair '{}' without step {}", names[i], step));
      of_step.push_back(row->second);
    }
    const auto column = [&](auto member, std::string_view name) {
      std::vector<double> values;
      for (const PairRecord* row : of_step) {
        if ((row->*member).has_value() != (of_step.front()->*member).has_value())
          throw Error(where, fmt::format("{} must be given in every row or in none", name),
                      fmt::format("pair '{}' at step {}", row->pair, step));
        if (row->*member) values.push_back(static_cast<double>(*(row->*member)));
      }
      return values;
    };
    std::vector<double> chosen, rejected;
    for (const PairRecord* row : of_step) {
      chosen.push_back(row->chosen);
      rejected.push_back(row->rejected);
    }
    const auto reference_chosen = column(&PairRecord::reference_chosen, "reference_chosen"),
               reference_rejected = column(&PairRecord::reference_rejected, "reference_rejected"),
               chosen_tokens = column(&PairRecord::chosen_tokens, "chosen_tokens"),
               rejected_tokens = column(&PairRecord::rejected_tokens, "rejected_tokens"),
               out_of_sample = column(&PairRecord::out_of_sample, "out_of_sample");
    const auto clipped = column(&PairRecord::clipped, "clipped");
    try {
      history.append(
          step,
          PairBatch<double>{chosen, rejected, reference_chosen, reference_rejected, chosen_tokens, rejected_tokens},
          Column<double>(out_of_sample), Eigen::Map<const Vector<double>>(clipped.data(), std::ssize(clipped)));
    } catch (const Error& error) {
      throw Error(where, error.problem(), error.value());
    }
  }
  history.pairs = std::move(names);
  return history;
}

}  // namespace mellow::preference

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mellow/core/nearest.hpp>
#include <mellow/statistics/scores.hpp>

namespace mellow::statistics {

/// One score in a list, as a row of a file of results.
struct Record {
  std::string algorithm;  ///< its name
  std::string task;       ///< its name
  std::string run;        ///< its seed, say; the same name in two algorithms makes a pair
  double score = 0.0;     ///< finite
};

/// The scores of an algorithm, with its name and those of its runs, which are the rows.
struct NamedScores {
  std::string algorithm;          ///< its name
  std::vector<std::string> runs;  ///< the shorter names first, then by text: 2 before 10
  Scores scores;                  ///< runs x tasks
};

/// The scores of several algorithms on the same tasks.
struct ScoreTable {
  std::vector<std::string> tasks;       ///< the columns of each algorithm's scores
  std::vector<NamedScores> algorithms;  ///< in the order of the records

  /// The algorithm of this name. Throws Error, with the name that was meant, where there is none.
  const NamedScores& at(std::string_view name) const {
    std::vector<std::string> names;
    for (const NamedScores& entry : algorithms) {
      if (entry.algorithm == name) return entry;
      names.push_back(entry.algorithm);
    }
    const std::string meant = nearest(name, names);
    throw Error("statistics::ScoreTable",
                "there is no such algorithm" + (meant.empty() ? "" : "; did you mean '" + meant + "'?"), name);
  }
};

/// Arranges records, in any order, as a table for each algorithm. Algorithms and tasks come in the order in which they
/// are first met.
///
/// Throws Error where there are none, a score comes twice or is not finite, or an algorithm lacks a run of a task.
inline ScoreTable tabulate(std::span<const Record> records) {
  constexpr auto where = "statistics::tabulate";
  require(!records.empty(), where, "it takes a record", records.size());
  ScoreTable table;
  std::vector<std::string> algorithms;
  const auto add_new = [](std::vector<std::string>& names, const std::string& name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  using Key = std::pair<std::string, std::string>;  // run, task
  std::map<std::string, std::map<Key, double>> found;
  for (const Record& record : records) {
    add_new(algorithms, record.algorithm);
    add_new(table.tasks, record.task);
    if (!found[record.algorithm].emplace(Key(record.run, record.task), record.score).second)
      throw Error(where, "a score comes twice",
                  fmt::format("algorithm '{}', task '{}', run '{}'", record.algorithm, record.task, record.run));
  }
  for (const std::string& algorithm : algorithms) {
    const auto& scores = found.at(algorithm);
    std::vector<std::string> runs;
    for (const auto& [key, score] : scores)
      if (runs.empty() || runs.back() != key.first) runs.push_back(key.first);
    std::stable_sort(runs.begin(), runs.end(),
                     [](const std::string& a, const std::string& b) { return a.size() < b.size(); });
    Matrix<double> values(static_cast<Index>(runs.size()), static_cast<Index>(table.tasks.size()));
    for (Index i = 0; i < values.rows(); ++i)
      for (Index task = 0; task < values.cols(); ++task) {
        const auto& run = runs[static_cast<std::size_t>(i)];
        const auto& name = table.tasks[static_cast<std::size_t>(task)];
        const auto entry = scores.find(Key(run, name));
        if (entry == scores.end())
          throw Error(where, "every run needs a score on every task",
                      fmt::format("algorithm '{}' without task '{}' of run '{}'", algorithm, name, run));
        values(i, task) = entry->second;
      }
    table.algorithms.push_back({algorithm, std::move(runs), Scores(std::move(values))});
  }
  return table;
}

}  // namespace mellow::statistics

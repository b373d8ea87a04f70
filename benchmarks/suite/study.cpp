// SPDX-License-Identifier: Apache-2.0
#include "study.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>
#include <tuple>
#include <utility>

#include <mellow/core/error.hpp>
#include <mellow/tools/atomic_file.hpp>
#include <mellow/tools/csv.hpp>
#include <mellow/tools/csv_table.hpp>
#include <mellow/tools/interrupt.hpp>
#include <mellow/tools/progress.hpp>
#include <mellow/tools/read_file.hpp>
#include <mellow/tools/saved_state.hpp>

#include "json.hpp"
#include "parallel.hpp"

namespace mellow::suite {
namespace {

namespace fs = std::filesystem;

/// A name as a part of a path.
std::string slug(std::string_view name) {
  std::string result;
  for (const char c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) result += c;
    else if (!result.empty() && result.back() != '_') result += '_';
  while (!result.empty() && result.back() == '_') result.pop_back();
  return result;
}

std::string describe(const Run& run) {
  return fmt::format("run {} of {}, {}", run.number, run.experiment, run.setting);
}

/// What a run is, all of it: files are named by its checksum.
std::string identity_of(const Run& run) {
  return fmt::format("{}\n{}\n{}\n{}", run.experiment, run.setting, run.number, run.identity);
}

}  // namespace

double figure(const Figures& figures, std::string_view metric) {
  const auto found = std::ranges::find(figures, metric, &Figure::metric);
  if (found == figures.end()) throw Error("suite::figure", "a run must have the figure", std::string(metric));
  return found->value;
}

Study::Study(StudyOptions options) : options_(std::move(options)) {
  if (options_.from.empty()) return;
  const tools::CsvTable table(options_.from);
  const auto experiment = table.column("experiment"), setting = table.column("setting"), run = table.column("run"),
             metric = table.column("metric"), value = table.column("value");
  for (std::size_t i = 0; i < table.rows(); ++i) {
    const double number = table.number(i, run);
    if (!(number >= 0 && number == std::floor(number) && number < 1e9))
      throw Error(table.where(i), "run must be a whole number from 0", table.text(i, run));
    Figures& figures = earlier_[{table.text(i, experiment), table.text(i, setting), static_cast<Index>(number)}];
    if (std::ranges::find(figures, table.text(i, metric), &Figure::metric) != figures.end())
      throw Error(table.where(i), "a figure of a run comes twice", table.text(i, metric));
    figures.push_back({table.text(i, metric), table.number(i, value)});
  }
}

Index Study::seeds(Index quick, Index full) const {
  return options_.seeds > 0 ? options_.seeds : options_.full ? full : quick;
}

Index Study::seeds(const std::string& experiment, Index quick, Index full) const {
  if (!reads_only()) return seeds(quick, full);
  Index runs = 0;
  for (const auto& [key, figures] : earlier_)
    if (std::get<0>(key) == experiment) runs = std::max(runs, std::get<2>(key) + 1);
  if (runs < 2) throw Error(options_.from.string(), "must hold two runs at least of the experiment", experiment);
  return runs;
}

bool Study::has(const std::string& experiment) const {
  return !reads_only() ||
         std::ranges::any_of(earlier_, [&](const auto& run) { return std::get<0>(run.first) == experiment; });
}

bool Study::has(const std::string& experiment, const std::string& setting) const {
  if (!reads_only()) return true;
  const auto first = earlier_.lower_bound({experiment, setting, 0});
  return first != earlier_.end() && std::get<0>(first->first) == experiment && std::get<1>(first->first) == setting;
}

Study::Kept Study::kept(const Run& run, std::string_view extension) const {
  const fs::path folder = options_.kept / slug(run.experiment) / slug(run.setting);
  const std::string stem = fmt::format("{}-{}-", run.number, tools::checksum(identity_of(run)));
  const fs::path own = folder / fmt::format("{}{}{}", stem, tools::checksum(options_.build), extension);
  if (fs::exists(own)) return {.path = own, .there = true, .other_build = false};
  std::vector<fs::path> others;
  if (fs::exists(folder))
    for (const auto& entry : fs::directory_iterator(folder))
      if (entry.path().filename().string().starts_with(stem) && entry.path().extension() == extension)
        others.push_back(entry.path());
  if (options_.any_build && !others.empty())
    return {.path = *std::ranges::min_element(others), .there = true, .other_build = true};
  return {.path = own, .there = false, .other_build = !others.empty()};
}

std::optional<Figures> Study::read(const Run& run) const {
  const auto [path, there, other_build] = kept(run, ".json");
  if (!there) return std::nullopt;
  const auto json = read_json(path);
  if (!json) return std::nullopt;
  try {
    if (json->at("experiment") != run.experiment || json->at("setting") != run.setting ||
        json->at("run") != run.number || json->at("identity") != run.identity ||
        (!options_.any_build && json->at("build") != options_.build))
      throw Error(path.string(), "holds another run than its name says; remove it");
    Figures figures;
    for (const auto& [metric, value] : json->at("figures").items())
      figures.push_back({metric, value.is_null() ? std::nan("") : value.get<double>()});
    return figures;
  } catch (const Json::exception& error) {
    throw Error(path.string(), fmt::format("is not what a run kept; remove it: {}", error.what()));
  }
}

void Study::write(const Run& run, const Figures& figures) const {
  Json json{{"experiment", run.experiment}, {"setting", run.setting},  {"run", run.number},
            {"identity", run.identity},     {"build", options_.build}, {"figures", Json::object()}};
  for (const auto& [metric, value] : figures) {
    if (std::isinf(value)) throw Error(describe(run), fmt::format("{} must be finite or NaN", metric), value);
    json["figures"][metric] = value;  // NaN becomes null
  }
  if (json["figures"].size() != figures.size())
    throw Error(describe(run), "each metric must be there once", figures.size());
  tools::write_file_atomically(kept(run, ".json").path, json.dump(1) + "\n");
}

std::optional<Figures> Study::earlier(const Run& run) const {
  const auto found = earlier_.find({run.experiment, run.setting, run.number});
  if (found != earlier_.end()) return found->second;
  if (reads_only()) throw Error(options_.from.string(), "lacks a run", describe(run));
  return std::nullopt;
}

std::vector<Figures> Study::measure(const std::string& what, const std::vector<Run>& runs) {
  std::set<std::tuple<std::string, std::string, Index>> names;
  for (const Run& run : runs)
    if (!names.emplace(run.experiment, run.setting, run.number).second)
      throw Error("suite::Study", "each run must be asked for once", describe(run));
  std::vector<std::optional<Figures>> all(runs.size());
  std::vector<std::size_t> missing;
  std::size_t taken = 0;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (!options_.from.empty()) all[i] = earlier(runs[i]);
    if (all[i]) continue;
    if ((all[i] = read(runs[i]))) ++taken;
    else missing.push_back(i);
  }
  const auto others = std::ranges::count_if(missing, [&](std::size_t i) { return kept(runs[i], ".json").other_build; });
  if (others > 0)
    fmt::print(stderr, "{}: {} runs were kept by another build and are made again; --any-build takes them\n", what,
               others);
  if (taken > 0)
    fmt::print(stderr, "{}: {} of {} runs were kept in {}\n", what, taken, runs.size(), options_.kept.string());
  bool done = true;
  if (!missing.empty()) {
    const Index count = std::ssize(missing);
    tools::Progress progress(count, {.label = what, .unit = "runs"});
    done = parallel(
        count, options_.jobs,
        [&](Index k) {
          const std::size_t i = missing[static_cast<std::size_t>(k)];
          Figures figures = runs[i].work();
          write(runs[i], figures);
          all[i] = std::move(figures);
        },
        [&](Index finished) { progress.update({.step = finished}); });
  }
  std::vector<Figures> found;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (!all[i]) continue;
    for (const auto& [metric, value] : *all[i]) row(runs[i].experiment, runs[i].setting, runs[i].number, metric, value);
    found.push_back(std::move(*all[i]));
  }
  if (!done || tools::Interrupt::requested()) throw Interrupted("run it again to go on from the runs that are kept");
  return found;
}

void Study::each(const std::string& what, Index count, const std::function<void(Index)>& work) const {
  if (reads_only()) throw Error("mellow_bench reproduce", "this paper's figures cannot be taken from --results", what);
  tools::Progress progress(count, {.label = what, .unit = "runs"});
  const bool all = parallel(count, options_.jobs, work, [&](Index finished) { progress.update({.step = finished}); });
  if (!all || tools::Interrupt::requested()) throw Interrupted("of these runs nothing was kept");
}

void Study::row(const std::string& experiment, const std::string& setting, Index run, const std::string& metric,
                double value) {
  rows_.push_back({experiment, setting, run, metric, value});
}

bool Study::covers(const fs::path& path) const {
  std::set<std::tuple<std::string, std::string, std::string>> own;
  for (const Row& row : rows_) own.emplace(row.experiment, row.setting, fmt::format("{}", row.run));
  try {
    const tools::CsvTable table(path);
    const auto experiment = table.column("experiment"), setting = table.column("setting"), run = table.column("run");
    for (std::size_t i = 0; i < table.rows(); ++i)
      if (!own.contains({table.text(i, experiment), table.text(i, setting), table.text(i, run)})) return false;
    return true;
  } catch (const Error&) {  // no such table
    return false;
  }
}

fs::path Study::finish(bool interrupted) const {
  const fs::path partial = options_.folder / "partial.csv";
  fs::path path = options_.folder / "results.csv";
  if (interrupted) {
    path = partial;
    for (int i = 2; fs::exists(path) && !covers(path); ++i) path = options_.folder / fmt::format("partial-{}.csv", i);
  }
  tools::CsvWriter csv(path, {"experiment", "setting", "run", "metric", "value"});
  for (const Row& row : rows_) csv.row({row.experiment, row.setting, row.run, row.metric, row.value});
  csv.finish();
  if (!interrupted && covers(partial)) fs::remove(partial);
  return path;
}

std::string program_identity(std::string_view build_description) {
  return fmt::format("{} program {}", build_description, tools::checksum(tools::read_file("/proc/self/exe")));
}

}  // namespace mellow::suite

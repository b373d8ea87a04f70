// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/displacement_report.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "mellow/statistics/share.hpp"
#include "mellow/tools/atomic_file.hpp"
#include "mellow/tools/csv.hpp"

namespace mellow::tools {
namespace {

using preference::CheckpointDiagnosis, preference::Diagnosis, statistics::Estimate;

using Member = Estimate CheckpointDiagnosis::*;
constexpr std::array members{
    std::pair("chosen_median", Member(&CheckpointDiagnosis::chosen_median)),
    std::pair("chosen_mean", Member(&CheckpointDiagnosis::chosen_mean)),
    std::pair("rejected_median", Member(&CheckpointDiagnosis::rejected_median)),
    std::pair("rejected_mean", Member(&CheckpointDiagnosis::rejected_mean)),
    std::pair("chosen_fell", Member(&CheckpointDiagnosis::chosen_fell)),
    std::pair("rejected_fell", Member(&CheckpointDiagnosis::rejected_fell)),
    std::pair("accuracy", Member(&CheckpointDiagnosis::accuracy)),
    std::pair("pair_mass", Member(&CheckpointDiagnosis::pair_mass)),
    std::pair("out_of_sample", Member(&CheckpointDiagnosis::out_of_sample)),
};

/// A share in a table.
std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

/// Whether any checkpoint knows what the loss's bounds did.
bool has_clipped(const Diagnosis& diagnosis) { return diagnosis.last().clipped.has_value(); }

/// The table as cells, the heading first.
std::vector<std::vector<std::string>> table(const Diagnosis& diagnosis) {
  std::vector<std::vector<std::string>> rows{
      {"step", "chosen: median change", "rejected: median change", "chosen fell", "rejected fell", "in order",
       "pair mass", diagnosis.out_of_sample_known ? "out of sample" : "out of sample <=", "saturated"}};
  if (has_clipped(diagnosis)) rows.front().emplace_back("clipped");
  for (const auto& at : diagnosis.checkpoints) {
    auto& row = rows.emplace_back();
    row.push_back(fmt::format("{}", at.step));
    row.push_back(fmt::format("{:+.2f}", at.chosen_median));
    row.push_back(fmt::format("{:+.2f}", at.rejected_median));
    for (const double share : {at.chosen_fell.value, at.rejected_fell.value, at.accuracy.value})
      row.push_back(percent(share));
    row.push_back(fmt::format("{:+.2f}", at.pair_mass.value));
    row.push_back(fmt::format("{:.3f}", at.out_of_sample.value));
    row.push_back(percent(at.saturated));
    if (at.clipped) row.push_back(percent(*at.clipped));
  }
  return rows;
}

/// What is written below the table.
std::string findings(const Diagnosis& diagnosis) {
  std::string text = diagnosis.sentence() + "\n";
  if (diagnosis.checkpoints.size() > 1) {
    text += fmt::format("Fell at every checkpoint: {} of the chosen responses", percent(diagnosis.always_fell.value));
    if (diagnosis.kept_falling)
      text += fmt::format(", {} of those that fell at the first", percent(diagnosis.kept_falling->value));
    text += ".\n";
  }
  for (const auto& warning : diagnosis.warnings()) text += warning + "\n";
  return text;
}

std::string heading(const Diagnosis& diagnosis) {
  return fmt::format("{} pairs; changes of log pi since {}; medians with intervals of {:g} %; beta {:g}",
                     diagnosis.pairs,
                     diagnosis.has_reference ? "the reference" : fmt::format("step {}", diagnosis.start),
                     100 * diagnosis.confidence, diagnosis.beta);
}

Estimate certain(double x) { return {x, x, x}; }

}  // namespace

std::string displacement_table(const Diagnosis& diagnosis) {
  const auto rows = table(diagnosis);
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  std::string text = heading(diagnosis) + "\n\n";
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) text += fmt::format("{}{:>{}}", i > 0 ? "  " : "", row[i], widths[i]);
    text += '\n';
  }
  return text + '\n' + findings(diagnosis);
}

Plot displacement_plot(const Diagnosis& diagnosis) {
  Plot plot{.title = "Probability of the responses",
            .x_label = "training step",
            .y_label = "median change of log pi",
            .series = {},
            .reference = ReferenceLine{0, "as at the start"}};
  const std::int64_t first = diagnosis.checkpoints.front().step;
  plot.log_x = diagnosis.last().step / 30 >= first;
  const auto add = [&](std::string label, Member of) {
    Series series{.label = std::move(label)};
    const auto point = [&](std::int64_t step, const Estimate& change) {
      series.x.push_back(static_cast<double>(step));
      series.y.push_back(change.value);
      series.low.push_back(change.low);
      series.high.push_back(change.high);
    };
    if (!plot.log_x || diagnosis.start > 0) point(diagnosis.start, certain(0));
    for (const auto& at : diagnosis.checkpoints) point(at.step, at.*of);
    plot.series.push_back(std::move(series));
  };
  add("chosen", &CheckpointDiagnosis::chosen_median);
  add("rejected", &CheckpointDiagnosis::rejected_median);
  return plot;
}

BarChart displacement_shares_chart(const Diagnosis& diagnosis) {
  const auto &first = diagnosis.checkpoints.front(), &last = diagnosis.last();
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  const Estimate nothing{none, none, none};
  BarChart chart{.title = fmt::format("Probability out of sample{}, and shares of the pairs",
                                      diagnosis.out_of_sample_known ? "" : ", at most"),
                 .y_label = "probability, or share of the pairs",
                 .groups = {},
                 .series = {}};
  std::vector<BarSeries> series{{.label = "start"}};
  if (&first != &last) series.push_back({.label = fmt::format("step {}", first.step)});
  series.push_back({.label = fmt::format("step {}", last.step)});
  const auto add = [&](std::string group, const Estimate& start, const Estimate& at_first, const Estimate& at_last) {
    chart.groups.push_back(std::move(group));
    for (auto& bars : series) {
      const Estimate& bar = &bars == &series.front() ? start : &bars == &series.back() ? at_last : at_first;
      bars.values.push_back(bar.value);
      bars.low.push_back(bar.low);
      bars.high.push_back(bar.high);
    }
  };
  add("out of sample", diagnosis.out_of_sample_at_start.value_or(nothing), first.out_of_sample, last.out_of_sample);
  add("chosen fell", nothing, first.chosen_fell, last.chosen_fell);
  add("fell at every checkpoint", nothing, nothing, diagnosis.always_fell);
  add("in order", nothing, first.accuracy, last.accuracy);
  const auto of_pairs = [&](double share) {
    return statistics::share(std::lround(share * static_cast<double>(diagnosis.pairs)), diagnosis.pairs);
  };
  add("saturated", nothing, of_pairs(first.saturated), of_pairs(last.saturated));
  const double clipped_first = first.clipped.value_or(0), clipped_last = last.clipped.value_or(0);
  if (clipped_first + clipped_last > 0) add("clipped", nothing, of_pairs(clipped_first), of_pairs(clipped_last));
  chart.series = std::move(series);
  chart.y_range = {0, 1.02};
  return chart;
}

void save_displacement_report(const std::filesystem::path& folder, const Diagnosis& diagnosis) {
  std::vector<std::string> columns{"step"};
  for (const auto& [name, member] : members)
    for (const char* ending : {"", "_low", "_high"}) columns.push_back(std::string(name) + ending);
  columns.insert(columns.end(), {"saturated", "clipped"});
  CsvWriter csv(folder / "checkpoints.csv", columns);
  for (const auto& at : diagnosis.checkpoints) {
    std::vector<CsvCell> cells{at.step};
    for (const auto& [name, member] : members)
      for (const double x : {(at.*member).value, (at.*member).low, (at.*member).high}) cells.emplace_back(x);
    cells.emplace_back(at.saturated);
    cells.emplace_back(at.clipped.value_or(std::numeric_limits<double>::quiet_NaN()));
    csv.row(cells);
  }
  csv.finish();

  std::string names;
  for (const auto& name : diagnosis.fell_always) names += name + '\n';
  write_file_atomically(folder / "fell_always.txt", names);

  std::string markdown = heading(diagnosis) + "\n\n";
  const auto rows = table(diagnosis);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    markdown += fmt::format("| {} |\n", fmt::join(rows[r], " | "));
    if (r == 0) {
      for (std::size_t i = 0; i < rows[r].size(); ++i) markdown += "|---";
      markdown += "|\n";
    }
  }
  markdown += '\n';
  for (const char c : findings(diagnosis)) markdown += c == '\n' ? std::string("\n\n") : std::string(1, c);
  markdown.pop_back();
  write_file_atomically(folder / "diagnosis.md", markdown);
  save_plot(folder / "displacement", displacement_plot(diagnosis));
  save_plot(folder / "shares", displacement_shares_chart(diagnosis));
}

}  // namespace mellow::tools

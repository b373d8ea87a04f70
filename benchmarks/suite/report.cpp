// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <iterator>
#include <map>
#include <set>

#include <mellow/core/error.hpp>
#include <mellow/tools/atomic_file.hpp>
#include <mellow/tools/command_line.hpp>
#include <mellow/tools/csv_table.hpp>
#include <mellow/tools/plot.hpp>

#include "campaign.hpp"
#include "commands.hpp"
#include "json.hpp"
#include "page.hpp"

namespace mellow::suite {
namespace {

namespace fs = std::filesystem;

/// The results of a folder: its summary.json.
struct Result {
  fs::path folder;
  Json summary;
};

/// All that was found.
struct Results {
  std::vector<Result> papers, campaigns;
  std::vector<std::pair<fs::path, std::string>> left_out;  // and why
};

std::string figure(const Json& json) { return json.is_number() ? fmt::format("{:.4g}", json.get<double>()) : "-"; }

double number(const Json& json) { return json.is_number() ? json.get<double>() : training::RunStatus::none; }

/// An interval from its ends; a single run has none.
std::string interval(const Json& json) {
  if (json.is_null()) return "-";
  return fmt::format("{} to {}", figure(json.at(0)), figure(json.at(1)));
}

/// A value of a JSON object as a reader wants it: texts without quotes.
std::string text_of(const Json& json) { return json.is_string() ? json.get<std::string>() : json.dump(); }

/// An object's names and values as rows, nested ones with their path.
page::Table table_of(const Json& object, std::string folded) {
  page::Table table{.columns = {"name", "value"}, .rows = {}, .folded = std::move(folded)};
  const Json flat = object.flatten();  // outlives its items
  for (const auto& [path, value] : flat.items()) {
    std::string name = path.substr(1);
    std::ranges::replace(name, '/', '.');
    table.rows.push_back({name, text_of(value)});
  }
  return table;
}

/// A table of a CSV file; numbers of many digits are rounded.
page::Table table_of(const fs::path& path, std::string folded) {
  const tools::CsvTable csv(path);
  page::Table table{.columns = csv.columns(), .rows = {}, .folded = std::move(folded)};
  for (std::size_t row = 0; row < csv.rows(); ++row) {
    auto& cells = table.rows.emplace_back();
    for (std::size_t column = 0; column < csv.columns().size(); ++column) {
      const double value = csv.number(row, column);
      cells.push_back(std::isnan(value) ? "-" : fmt::format("{:.10g}", std::round(value * 1e4) / 1e4));
    }
  }
  return table;
}

/// The plots of a folder, by name.
std::vector<page::Block> plots_in(const fs::path& folder) {
  std::set<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".svg") files.insert(entry.path());
  std::vector<page::Block> blocks;
  for (const fs::path& file : files) {
    std::string caption = file.stem().string();
    std::ranges::replace(caption, '_', ' ');
    blocks.emplace_back(page::Picture{file, caption});
  }
  return blocks;
}

/// How many claims have which verdict.
std::string verdicts(const Json& claims) {
  std::map<std::string, int> counts;
  for (const Json& claim : claims) ++counts[claim.at("verdict").get<std::string>()];
  return fmt::format("holds: {}, does not hold: {}, left open: {}, not testable here: {}", counts["holds"],
                     counts["does not hold"], counts["left open"], counts["not testable here"]);
}

page::Section section_of_paper(const Result& result) {
  const Json& summary = result.summary;
  page::Section section{.title = summary.at("title")};
  const Json& settings = summary.at("settings");
  section.blocks.emplace_back(
      page::Text{fmt::format("Reproduced at the {} scale. Claims by verdict: {}. Folder: {}.",
                             text_of(settings.at("scale")), verdicts(summary.at("claims")), result.folder.string())});
  page::Table table{.columns = {"#", "claim", "paper", "ours (95 % interval)", "verdict"}, .rows = {}};
  for (const Json& claim : summary.at("claims")) {
    const Json& ends = claim.at("interval");
    std::string ours = fmt::format("{}: {}", text_of(claim.at("measured")), figure(claim.at("ours")));
    if (ends.at(0) != ends.at(1)) ours += fmt::format(" ({})", interval(ends));
    if (const auto note = claim.value("note", ""); !note.empty()) ours += "; " + note;
    table.rows.push_back({fmt::format("{}", table.rows.size() + 1), text_of(claim.at("claim")),
                          text_of(claim.at("paper")), ours, text_of(claim.at("verdict"))});
  }
  section.blocks.emplace_back(std::move(table));
  for (auto& plot : plots_in(result.folder)) section.blocks.push_back(std::move(plot));
  section.blocks.emplace_back(table_of(settings, "Settings"));
  section.blocks.emplace_back(table_of(summary.at("build"), "Build and processor"));
  return section;
}

/// What a campaign's figures are.
Words words_of(const Json& summary) {
  const std::string episodes = text_of(summary.at("run").at("test_episodes"));
  Words words;
  words.result = fmt::format(fmt::runtime(words.result), episodes);
  if (!summary.contains("words")) return words;
  const Json& given = summary.at("words");
  return {given.at("step"), given.at("score"), given.at("result")};
}

std::string name_of_campaign(const Result& result) {
  return fmt::format("{} in {}", text_of(result.summary.at("agent")), text_of(result.summary.at("environment")));
}

/// How many runs in a campaign's folder have begun and not ended.
std::ptrdiff_t unfinished_runs(const fs::path& folder) {
  return std::ranges::count_if(fs::directory_iterator(folder), [](const fs::directory_entry& entry) {
    return fs::exists(entry.path() / "config.json") && !fs::exists(entry.path() / "summary.json");
  });
}

page::Section section_of_campaign(const Result& result, const fs::path& below) {
  const Json& summary = result.summary;
  page::Section section{
      .title = fmt::format("{} ({})", name_of_campaign(result), result.folder.lexically_relative(below).string())};
  const Json& run = summary.at("run");
  const Words words = words_of(summary);
  section.blocks.emplace_back(page::Text{
      fmt::format("Runs: {}, of {} {}, seeds from {}. A run's result is the {}: of the weights whose evaluation was "
                  "best, and of the last ones. Folder: {}.",
                  text_of(summary.at("seeds")), text_of(run.at("steps")), words.step, text_of(summary.at("first_seed")),
                  words.result, result.folder.string())});
  if (const auto unfinished = unfinished_runs(result.folder); unfinished > 0)
    section.blocks.emplace_back(page::Text{
        fmt::format("Not in these figures: runs that have begun and not ended ({}). Started again, the campaign "
                    "goes on with them.",
                    unfinished)});
  page::Table table{.columns = {"weights", "IQM", "95 % interval", "mean", "lowest", "highest"}, .rows = {}};
  for (const auto& [key, label] : {std::pair("best_weights", "best"), std::pair("last_weights", "last")}) {
    const Json& figures = summary.at(key);
    table.rows.push_back({label, figure(figures.at("iqm")), interval(figures.at("interval")),
                          figure(figures.at("mean")), figure(figures.at("lowest")), figure(figures.at("highest"))});
  }
  if (summary.contains("figures"))  // of the best weights, and of the run
    for (const auto& [name, figures] : summary.at("figures").items())
      table.rows.push_back({name, figure(figures.at("iqm")), interval(figures.at("interval")),
                            figure(figures.at("mean")), figure(figures.at("lowest")), figure(figures.at("highest"))});
  section.blocks.emplace_back(std::move(table));
  if (const fs::path curve = result.folder / "learning_curve.svg"; fs::exists(curve))
    section.blocks.emplace_back(
        page::Picture{curve, fmt::format("Learning curve: evaluations during learning, {}", words.score)});
  section.blocks.emplace_back(table_of(result.folder / "results.csv", "Every run"));
  section.blocks.emplace_back(table_of(summary.at("settings"), "Settings"));
  section.blocks.emplace_back(table_of(summary.at("build"), "Build and processor"));
  return section;
}

/// The runs of a campaign.
std::vector<fs::path> runs_of(const Result& result) {
  std::vector<fs::path> runs;
  const auto first = result.summary.at("first_seed").get<std::uint64_t>();
  const auto count = result.summary.at("seeds").get<std::uint64_t>();
  for (std::uint64_t i = 0; i < count; ++i) runs.push_back(result.folder / fmt::format("seed-{}", first + i));
  return runs;
}

/// The environment of a campaign, with those of its own settings that are not the defaults: only campaigns of one task can
/// be compared, and scores of one kind.
std::string task_of(const Json& summary) {
  std::string task = summary.at("environment");
  EnvironmentConfig config(task);
  Settings settings;
  settings.set_prefix("env.");
  config.describe(settings);
  const Json& given = summary.at("settings");
  for (const auto& [name, value] : settings.values())
    if (given.contains(name) && given.at(name) != value)
      task += fmt::format(", {} = {}", name, text_of(given.at(name)));
  if (const auto score = words_of(summary).score; score != Words{}.score) task += ": " + score;
  return task;
}

/// Campaigns of one task beside each other: a bar each, and their learning curves. Draws into `folder`.
page::Section section_of_comparison(const std::string& task, const std::vector<const Result*>& campaigns,
                                    const fs::path& folder) {
  page::Section section{.title = fmt::format("Compared: {}", task)};
  const Words words = words_of(campaigns.front()->summary);
  tools::BarChart bars{.title = task, .y_label = words.result};
  tools::Plot curves{.title = task, .x_label = words.step, .y_label = words.score};
  tools::BarSeries best{.label = "best weights"}, last{.label = "last weights"};
  page::Table table{.columns = {"campaign", "runs", "best weights", "95 % interval", "last weights", "95 % interval"},
                    .rows = {}};
  for (const Result* campaign : campaigns) {
    const Json& summary = campaign->summary;
    const std::string name = campaign->folder.lexically_relative(folder).string();
    bars.groups.push_back(name);
    std::vector<std::string> row{name, text_of(summary.at("seeds"))};
    for (auto* series : {&best, &last}) {
      const Json& figures = summary.at(series == &best ? "best_weights" : "last_weights");
      const Json &value = figures.at("iqm"), &ends = figures.at("interval");
      series->values.push_back(number(value));
      series->low.push_back(number(ends.is_null() ? value : ends.at(0)));
      series->high.push_back(number(ends.is_null() ? value : ends.at(1)));
      row.push_back(figure(value));
      row.push_back(interval(ends));
    }
    table.rows.push_back(std::move(row));
    auto curve = learning_curve(runs_of(*campaign), name);
    if (!curve.x.empty()) curves.series.push_back(std::move(curve));
  }
  bars.series = {best, last};
  for (const EnvironmentEntry& entry : environment_list())
    if (entry.name == task && entry.solved)
      bars.reference = curves.reference = tools::ReferenceLine{*entry.solved, "solved"};
  section.blocks.emplace_back(page::Text{"IQM over the runs of each campaign, with its bootstrap interval."});
  section.blocks.emplace_back(std::move(table));
  std::string name;
  for (const char c : task) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) name += c;
    else if (!name.ends_with('-')) name += '-';
  }
  save_plot(folder / "report" / ("bars-" + name), bars);
  section.blocks.emplace_back(
      page::Picture{folder / "report" / ("bars-" + name + ".svg"), "IQM and its 95 % interval"});
  if (!curves.series.empty()) {
    save_plot(folder / "report" / ("curves-" + name), curves);
    section.blocks.emplace_back(page::Picture{folder / "report" / ("curves-" + name + ".svg"),
                                              "Learning curves: IQM of the evaluations and its 95 % interval"});
  }
  return section;
}

/// All results below a folder, in the order of their paths.
Results find(const fs::path& folder) {
  std::set<fs::path> files, unfinished;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().filename() == "summary.json") files.insert(entry.path());
    if (entry.path().filename() != "config.json") continue;
    const fs::path campaign = entry.path().parent_path().parent_path();
    if (!fs::exists(campaign / "summary.json")) unfinished.insert(campaign);
  }
  Results results;
  for (const fs::path& file : files) {
    try {
      Result result{file.parent_path(), read_json(file).value()};
      if (result.summary.contains("claims")) results.papers.push_back(std::move(result));
      else if (result.summary.contains("first_seed")) results.campaigns.push_back(std::move(result));
    } catch (const Error& error) {
      results.left_out.emplace_back(file, error.what());
    }
  }
  for (const fs::path& campaign : unfinished) {
    int begun = 0, done = 0;
    for (const auto& run : fs::directory_iterator(campaign)) {
      begun += fs::exists(run.path() / "config.json");
      done += fs::exists(run.path() / "config.json") && fs::exists(run.path() / "summary.json");
    }
    results.left_out.emplace_back(campaign,
                                  fmt::format("not finished: {} of {} runs that were begun are over", done, begun));
  }
  return results;
}

/// Adds sections, or says why a result has none.
template <class Make>
void add(std::vector<page::Section>& sections, Results& results, const Result& result, const Make& make) {
  try {
    sections.push_back(make(result));
  } catch (const std::exception& error) {  // of JSON or a file: the others still count
    results.left_out.emplace_back(result.folder, error.what());
  }
}

std::vector<page::Section> sections_of(Results results, const fs::path& folder) {
  std::vector<page::Section> sections;
  page::Table papers{.columns = {"paper", "scale", "result"}, .rows = {}};
  page::Table campaigns{.columns = {"campaign", "runs", "steps", "IQM, best weights", "95 % interval"}, .rows = {}};
  const auto with_papers = results.papers, with_campaigns = results.campaigns;
  for (const Result& result : with_papers)
    add(sections, results, result, [&](const Result& r) {
      auto section = section_of_paper(r);
      papers.rows.push_back(
          {section.title, text_of(r.summary.at("settings").at("scale")), verdicts(r.summary.at("claims"))});
      return section;
    });
  std::map<std::string, std::vector<const Result*>> by_task;
  std::vector<page::Section> single;
  for (const Result& result : with_campaigns)
    add(single, results, result, [&](const Result& r) {
      auto section = section_of_campaign(r, folder);
      const Json& best = r.summary.at("best_weights");
      campaigns.rows.push_back({section.title, text_of(r.summary.at("seeds")), text_of(r.summary.at("run").at("steps")),
                                figure(best.at("iqm")), interval(best.at("interval"))});
      by_task[task_of(r.summary)].push_back(&r);
      return section;
    });
  for (const auto& [task, list] : by_task)
    if (list.size() > 1)
      add(sections, results, *list.front(), [&](const Result&) { return section_of_comparison(task, list, folder); });
  std::ranges::move(single, std::back_inserter(sections));

  page::Section overview{.title = "Overview"};
  if (!papers.rows.empty()) overview.blocks.emplace_back(std::move(papers));
  if (!campaigns.rows.empty()) overview.blocks.emplace_back(std::move(campaigns));
  sections.insert(sections.begin(), std::move(overview));
  if (!results.left_out.empty()) {
    page::Table table{.columns = {"folder or file", "why"}, .rows = {}};
    for (const auto& [path, why] : results.left_out) {
      fmt::print(stderr, "left out: {}: {}\n", path.string(), why);
      table.rows.push_back({path.string(), why});
    }
    sections.push_back({.title = "Left out", .blocks = {std::move(table)}});
  }
  return sections;
}

}  // namespace

void report(int argc, const char* const* argv) {
  std::string name;
  CommandLine(
      "Writes one page over all results below a folder, campaigns of `train` and papers of `reproduce`: report.html, "
      "which needs no other file, and report.md.")
      .argument("DIR", name, "where the results are, and the pages go")
      .parse(argc, argv);
  const fs::path folder = name;
  if (!fs::is_directory(folder)) throw Error(name, "is no folder");
  Results results = find(folder);
  const std::size_t papers = results.papers.size(), campaigns = results.campaigns.size();
  if (papers + campaigns == 0) throw Error(name, "there are no finished results below it");
  const auto sections = sections_of(std::move(results), folder);
  constexpr auto title = "Results of mellow";
  tools::write_file_atomically(folder / "report.html", page::html(title, sections));
  tools::write_file_atomically(folder / "report.md", page::markdown(title, sections, folder));
  fmt::print("Found: papers {}, campaigns {}. Pages: {}, {}\n", papers, campaigns, (folder / "report.html").string(),
             (folder / "report.md").string());
}

}  // namespace mellow::suite

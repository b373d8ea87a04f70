// SPDX-License-Identifier: Apache-2.0
#include "campaign.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdio>
#include <exception>
#include <iterator>
#include <map>
#include <optional>
#include <thread>

#include <mellow/statistics/aggregates.hpp>
#include <mellow/statistics/bootstrap.hpp>
#include <mellow/tools/atomic_file.hpp>
#include <mellow/tools/checkpoints.hpp>
#include <mellow/tools/csv.hpp>
#include <mellow/tools/csv_table.hpp>
#include <mellow/tools/interrupt.hpp>
#include <mellow/tools/plot.hpp>
#include <mellow/tools/read_file.hpp>
#include <mellow/tools/saved_state.hpp>

#include "build.hpp"
#include "json.hpp"
#include "live_table.hpp"
#include "output_folder.hpp"
#include "parallel.hpp"
#include "ranks.hpp"

namespace mellow::suite {
namespace {

namespace fs = std::filesystem;

fs::path folder_of(const Campaign& campaign, Index run) {
  return campaign.folder / fmt::format("seed-{}", campaign.first_seed + static_cast<std::uint64_t>(run));
}

/// A checksum of a file; nothing where it cannot be read, which whoever needs it then says.
std::optional<std::string> checksum_of(const fs::path& path) {
  try {
    return tools::checksum(tools::read_file(path));
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// Everything that decides a run's results.
Json config_of(const Campaign& campaign, Index run) {
  Json options;
  options["steps"] = campaign.options.steps;
  options["evaluate_every"] = campaign.options.evaluate_every;
  options["evaluation_episodes"] = campaign.options.evaluation_episodes;
  options["test_episodes"] = campaign.test_episodes;
  const std::uint64_t seed = campaign.first_seed + static_cast<std::uint64_t>(run);
  Json config{{"agent", campaign.agent},
              {"environment", campaign.environment},
              {"seed", seed},
              {"run", options},
              {"ranks", campaign.data_parallel ? ranks::size() : 1},
              {"settings", campaign.settings}};
  for (const char* const name : file_settings)
    if (const auto path = campaign.settings.find(name); path != campaign.settings.end())
      if (const auto sum = checksum_of(path_of_seed(path->second, seed))) config["files"][name] = *sum;
  config["build"] = build_description();
  return config;
}

/// Throws Error where a folder holds a run of another configuration, naming the first difference; of another build it
/// only warns, on request.
void require_same(const fs::path& path, const Json& there, const Json& here, bool warn = false) {
  const Json flat_there = there.flatten(), flat_here = here.flatten();
  for (const auto& [key, value] : flat_here.items()) {
    const Json found = flat_there.contains(key) ? flat_there[key] : Json();
    if (found == value) continue;
    const std::string name = key.substr(1);
    if (name.starts_with("build/")) {
      if (warn)
        fmt::print(stderr, "warning: {}: its {} was {}, here it is {}\n", path.string(), name, found.dump(),
                   value.dump());
      continue;
    }
    throw Error(path.string(),
                fmt::format("is of another campaign: its {} is {}, here it is {}; choose another --output", name,
                            found.dump(), value.dump()));
  }
}

Json json_of(const RunSummary& run) {
  Json json{{"steps", run.steps},
            {"episodes", run.episodes},
            {"best_weights", run.best_weights},
            {"last_weights", run.last_weights},
            {"best_evaluation", run.best_evaluation},
            {"best_step", run.best_step},
            {"mean_return", run.mean_return},
            {"seconds", run.seconds}};
  for (const auto& [name, value] : run.figures) json["figures"][name] = value;
  return json;
}

RunSummary summary_of(const fs::path& path, const Json& json) {
  try {
    const auto number_of = [](const Json& value) {
      return value.is_null() ? training::RunStatus::none : value.get<double>();
    };
    const auto number = [&](const char* name) { return number_of(json.at(name)); };
    RunSummary summary{.finished = true,
                       .steps = json.at("steps"),
                       .episodes = json.at("episodes"),
                       .best_step = json.at("best_step"),
                       .best_evaluation = number("best_evaluation"),
                       .mean_return = number("mean_return"),
                       .best_weights = number("best_weights"),
                       .last_weights = number("last_weights"),
                       .seconds = number("seconds")};
    if (json.contains("figures"))
      for (const auto& [name, value] : json.at("figures").items()) summary.figures.emplace_back(name, number_of(value));
    return summary;
  } catch (const Json::exception& error) {
    throw Error(path.string(), fmt::format("is not the summary of a run: {}", error.what()));
  }
}

RunRequest request_of(const Campaign& campaign, Index run) {
  RunRequest request{.options = campaign.options,
                     .folder = folder_of(campaign, run),
                     .checkpoint_every = campaign.checkpoint_every,
                     .test_episodes = campaign.test_episodes,
                     .sinks = campaign.sinks,
                     .keep_environment = campaign.keep_environment,
                     .shared = campaign.data_parallel};
  request.options.seed = campaign.first_seed + static_cast<std::uint64_t>(run);
  return request;
}

/// The runs' folders.
std::vector<fs::path> folders_of(const Campaign& campaign) {
  std::vector<fs::path> folders;
  for (Index run = 0; run < campaign.seeds; ++run) folders.push_back(folder_of(campaign, run));
  return folders;
}

/// The folders of all runs, before the first begins.
std::vector<FolderBefore> folders_before(const Campaign& campaign) {
  const auto folders = folders_of(campaign);
  return {folders.begin(), folders.end()};
}

/// Throws Error where a run's folder holds another run, or files of something else: before any run has begun.
void require_own_folder(const Campaign& campaign, Index run) {
  const fs::path folder = folder_of(campaign, run), config_path = folder / "config.json";
  if (const auto begun = read_json(config_path)) require_same(config_path, *begun, config_of(campaign, run), true);
  else require_no_run(folder);
}

/// One run: what it gave, if it is finished or can be brought to an end.
RunSummary run_one(const Campaign& campaign, const AgentConfig& agent, const AnyEnvironment& environment, Index run,
                   const FolderBefore& before, LiveTable& table) {
  const fs::path folder = folder_of(campaign, run), config_path = folder / "config.json",
                 summary_path = folder / "summary.json";
  const Json config = config_of(campaign, run);
  const std::string own = config.dump(2) + "\n";
  auto begun = read_json(config_path);
  while (!begun && !tools::create_file_atomically(config_path, own)) begun = read_json(config_path);  // another's
  if (begun) require_same(config_path, *begun, config);
  const auto done = read_json(summary_path);
  tools::Checkpoints checkpoints(folder / "checkpoints");
  if (campaign.data_parallel) ranks::first_says(!done);
  if (done) {
    RunSummary finished = summary_of(summary_path, *done);  // before anything is removed: it may be damaged
    checkpoints.finish();
    return finished;
  }
  RunRequest request = request_of(campaign, run);
  bool has_stepped = false;
  request.show = [&](const training::RunStatus& status) {
    has_stepped = true;
    table.update(run, status);
  };
  const RunSummary summary = [&] {
    try {
      return agent.run(environment, request);
    } catch (const std::exception& error) {
      if (!begun && !has_stepped) {
        before.remove_run(own);
        throw;
      }
      const std::string what = error.what();
      if (dynamic_cast<const Error*>(&error) == nullptr || what.find(folder.string()) != what.npos)
        throw;  // what is no Error stays what it is; one of a file of this run names it already
      throw Error(folder.string(), what);
    }
  }();
  if (summary.finished) {
    tools::write_file_atomically(summary_path, json_of(summary).dump(2) + "\n");
    checkpoints.finish();
  }
  table.finish(run);
  return summary;
}

constexpr auto goes_on = "started again with the same options, it goes on where it stopped";

/// All runs, one after the other, each by all ranks: the first one does what is always done, the others follow it. MPI is
/// called by the main thread alone, so that there is no other here.
void run_shared(const Campaign& campaign, const AgentConfig& agent, const AnyEnvironment& environment,
                std::vector<RunSummary>& runs) {
  const tools::Interrupt interrupt;
  const bool is_first = ranks::rank() == 0;
  try {
    std::optional<LiveTable> table;
    if (is_first) table.emplace(campaign.options.steps, campaign.seeds, campaign.first_seed);
    const auto before = folders_before(campaign);
    for (Index i = 0; is_first && i < campaign.seeds; ++i) require_own_folder(campaign, i);
    for (Index i = 0; i < campaign.seeds; ++i) {
      RunSummary& run = runs[static_cast<std::size_t>(i)];
      if (is_first) run = run_one(campaign, agent, environment, i, before[static_cast<std::size_t>(i)], *table);
      else if (ranks::first_says(false)) run = agent.run(environment, request_of(campaign, i));
      else run.finished = true;
      if (!run.finished) throw Interrupted(goes_on);
    }
  } catch (const Interrupted&) {  // all have stopped
    throw;
  } catch (const std::exception& error) {  // the others would wait for ever
    if (ranks::size() == 1) throw;
    if (!is_first) std::this_thread::sleep_for(std::chrono::seconds(3));  // what all have seen is said once
    fmt::print(stderr, "error: {}\n", error.what());
    std::fflush(stderr);
    ranks::abort();
  }
}

/// Of a column of the table of runs.
std::size_t figure_width(const std::string& name) { return std::max<std::size_t>(name.size(), 10); }

void plot(const Campaign& campaign) {
  auto curve = learning_curve(
      folders_of(campaign),
      campaign.seeds == 1 ? fmt::format("{}, one run", campaign.agent)
                          : fmt::format("{}, IQM of {} runs and its 95 % interval", campaign.agent, campaign.seeds));
  if (curve.x.empty()) return;
  tools::Plot chart{.title = campaign.environment,
                    .x_label = campaign.words.step,
                    .y_label = campaign.words.score,
                    .series = {std::move(curve)}};
  if (const auto solved = EnvironmentConfig(campaign.environment).entry.solved)
    chart.reference = tools::ReferenceLine{*solved, "solved"};
  tools::save_plot(campaign.folder / "learning_curve", chart);
}

}  // namespace

tools::Series learning_curve(const std::vector<fs::path>& runs, std::string label) {
  std::map<double, std::vector<double>> returns;  // by step
  for (const fs::path& run : runs) {
    const tools::CsvTable metrics(run / "metrics.csv");
    const auto kind = metrics.column("kind"), step = metrics.column("step"), value = metrics.column("return");
    for (std::size_t row = 0; row < metrics.rows(); ++row)
      if (metrics.text(row, kind) == "evaluation")
        returns[metrics.number(row, step)].push_back(metrics.number(row, value));
  }
  tools::Series curve{.label = std::move(label)};
  for (const auto& [step, values] : returns) {
    if (values.size() < runs.size()) continue;
    curve.x.push_back(step);
    if (runs.size() == 1) {
      curve.y.push_back(values[0]);
      continue;
    }
    Rng rng(0);
    const auto estimate = statistics::bootstrap(statistics::Scores(values), statistics::Iqm{}, rng);
    curve.y.push_back(estimate.value);
    curve.low.push_back(estimate.low);
    curve.high.push_back(estimate.high);
  }
  return curve;
}

std::vector<RunSummary> run(const Campaign& campaign, const AgentConfig& agent, const AnyEnvironment& environment,
                            Index jobs) {
  const fs::path summary = campaign.folder / "summary.json";
  if (const auto there = read_json(summary); there && !there->contains("settings"))
    throw Error(summary.string(), "holds no campaign's results; choose another --output");
  require_own_results(campaign.folder, "seed,best_weights,last_weights,");
  if (!fs::exists(summary))
    for (const char* const name : {"learning_curve.png", "learning_curve.svg"}) require_free(campaign.folder / name);
  std::vector<RunSummary> runs(static_cast<std::size_t>(campaign.seeds));
  if (campaign.data_parallel) {
    run_shared(campaign, agent, environment, runs);
    return runs;
  }
  std::vector<Index> mine;
  for (Index i = ranks::rank(); i < campaign.seeds; i += ranks::size()) mine.push_back(i);
  std::exception_ptr failure;
  try {
    for (const Index i : mine) require_own_folder(campaign, i);
    LiveTable table(campaign.options.steps, campaign.seeds, campaign.first_seed);
    const auto before = folders_before(campaign);
    parallel(std::ssize(mine), jobs, [&](Index i) {
      const Index which = mine[static_cast<std::size_t>(i)];
      const auto at = static_cast<std::size_t>(which);
      runs[at] = run_one(campaign, agent, environment, which, before[at], table);
    });
  } catch (...) {  // the other ranks finish what they have, and wait for this one
    failure = std::current_exception();
  }
  ranks::wait_for_all();
  if (failure) std::rethrow_exception(failure);
  if (ranks::rank() == 0)  // what the others did is on the disk
    for (Index i = 0; i < campaign.seeds; ++i) {
      const fs::path path = folder_of(campaign, i) / "summary.json";
      if (const auto json = read_json(path)) runs[static_cast<std::size_t>(i)] = summary_of(path, *json);
    }
  if (std::ranges::any_of(mine, [&](Index i) { return !runs[static_cast<std::size_t>(i)].finished; }))
    throw Interrupted(goes_on);
  return runs;
}

void report(const Campaign& campaign, const std::vector<RunSummary>& runs) {
  tools::remove_temporaries(campaign.folder);  // of a process that was killed while it reported
  std::vector<std::string> columns{"seed",        "best_weights", "last_weights", "best_evaluation", "best_step",
                                   "mean_return", "episodes",     "steps",        "seconds"};
  for (const auto& [name, value] : runs.front().figures) columns.push_back(name);
  tools::CsvWriter csv(campaign.folder / "results.csv", columns);
  const bool has_episodes = std::ranges::any_of(runs, [](const RunSummary& r) { return r.episodes > 0; });
  const bool reads =  // a language model
      std::ranges::any_of(runs.front().figures, [](const auto& figure) { return figure.first == "tokens"; });
  std::vector<double> best, last;
  std::map<std::string, std::vector<double>> figures;
  fmt::print("{:>6}  {:>12}  {:>12}  {:>10}  {:>9}  {:>8}", "seed", "best weights", "last weights", "best step",
             has_episodes ? "episodes" : "steps", "seconds");
  for (const auto& [name, value] : runs.front().figures) fmt::print("  {:>{}}", name, figure_width(name));
  fmt::print("{}\n", reads ? "    tokens/s" : "");
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const RunSummary& r = runs[i];
    const std::string seed = fmt::format("{}", campaign.first_seed + i);  // a cell's number is a double
    std::vector<tools::CsvCell> cells{seed,          r.best_weights, r.last_weights, r.best_evaluation, r.best_step,
                                      r.mean_return, r.episodes,     r.steps,        r.seconds};
    for (const auto& [name, value] : r.figures) cells.emplace_back(value);
    csv.row(cells);
    best.push_back(r.best_weights);
    last.push_back(r.last_weights);
    fmt::print("{:>6}  {:>12.5g}  {:>12.5g}  {:>10}  {:>9}  {:>8.1f}", seed, r.best_weights, r.last_weights,
               r.best_step, has_episodes ? r.episodes : r.steps, r.seconds);
    for (const auto& [name, value] : r.figures) {
      fmt::print("  {:>{}.5g}", value, figure_width(name));
      figures[name].push_back(value);
    }
    fmt::print("{}\n", reads ? fmt::format("  {:>10.0f}", figures["tokens"].back() / r.seconds) : "");
  }
  csv.finish();

  const std::string result = fmt::format(fmt::runtime(campaign.words.result), campaign.test_episodes);
  Json summary = config_of(campaign, 0);
  summary.erase("seed");
  summary["first_seed"] = campaign.first_seed;
  summary["seeds"] = campaign.seeds;
  summary["words"] = {{"step", campaign.words.step}, {"score", campaign.words.score}, {"result", result}};
  const auto aggregate = [&](Json& to, const std::string& name, const std::vector<double>& returns) {
    Rng rng(0);
    const bool single = returns.size() == 1;
    const auto iqm =
        single ? statistics::Estimate{returns[0], returns[0], returns[0]}
               : statistics::bootstrap(statistics::Scores(returns), statistics::Iqm{}, rng, {.resamples = 50'000});
    const double mean = training::mean(returns);
    const auto [lowest, highest] = std::ranges::minmax(returns);
    to[name] = {{"iqm", iqm.value},
                {"interval", single ? Json() : Json{iqm.low, iqm.high}},
                {"mean", mean},
                {"lowest", lowest},
                {"highest", highest}};
    if (single) fmt::print("{}: {:.5g}\n", name, iqm.value);
    else fmt::print("{}: IQM {:.5g}, mean {:.5g}, from {:.5g} to {:.5g}\n", name, iqm, mean, lowest, highest);
  };
  fmt::print("\n{:c}{}, {}:\n", std::toupper(static_cast<unsigned char>(result[0])), result.substr(1),
             runs.size() == 1 ? "one run" : fmt::format("{} runs (IQM with its 95 % interval)", runs.size()));
  aggregate(summary, "best_weights", best);
  aggregate(summary, "last_weights", last);
  for (const auto& [name, values] : figures) aggregate(summary["figures"], name, values);
  if (const auto solved = EnvironmentConfig(campaign.environment).entry.solved) {
    const auto count = [&](const std::vector<double>& returns) {
      return std::ranges::count_if(returns, [&](double value) { return value >= *solved; });
    };
    summary["solved"] = {{"at", *solved}, {"best_weights", count(best)}, {"last_weights", count(last)}};
    fmt::print("solved (at least {}): {} of {} by their best weights, {} by their last\n", *solved, count(best),
               runs.size(), count(last));
  }
  tools::write_file_atomically(campaign.folder / "summary.json", summary.dump(2) + "\n");
  if (tools::can_plot()) plot(campaign);
  fmt::print("Results: {}\n", campaign.folder.string());
}

}  // namespace mellow::suite

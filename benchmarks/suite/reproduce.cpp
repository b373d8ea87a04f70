// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <cmath>
#include <thread>

#include <mellow/core/error.hpp>
#include <mellow/tools/atomic_file.hpp>
#include <mellow/tools/build_info.hpp>
#include <mellow/tools/command_line.hpp>
#include <mellow/tools/folder_lock.hpp>
#include <mellow/tools/interrupt.hpp>
#include <mellow/tools/plot.hpp>

#include "build.hpp"
#include "commands.hpp"
#include "json.hpp"
#include "output_folder.hpp"
#include "paper.hpp"
#include "parallel.hpp"

namespace mellow::suite {
namespace {

const char* text_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::Holds:
      return "holds";
    case Verdict::DoesNotHold:
      return "does not hold";
    case Verdict::Open:
      return "left open";
    case Verdict::NotTestable:
      break;
  }
  return "not testable here";
}

std::string ours(const Claim& claim) {
  if (std::isnan(claim.ours.value)) return "-";
  if (claim.ours.low == claim.ours.high) return fmt::format("{:.4g}", claim.ours.value);
  return fmt::format("{:.4g}", claim.ours);
}

/// The claims as a table of Markdown, which reads well in a terminal, too.
std::string table(const std::vector<Claim>& claims) {
  std::string text = "| # | claim | paper | ours (95% interval) | verdict |\n|---|---|---|---|---|\n";
  int number = 0;
  for (const Claim& claim : claims)
    text += fmt::format("| {} | {} | {} | {}: {}{} | **{}** |\n", ++number, claim.claim, claim.paper, claim.measured,
                        ours(claim), claim.note.empty() ? "" : " (" + claim.note + ")", text_of(claim.verdict));
  return text;
}

nlohmann::ordered_json summary(const Paper& paper, const Study& study, const std::vector<Claim>& claims) {
  nlohmann::ordered_json result;
  result["paper"] = paper.name;
  result["title"] = paper.title;
  result["claims"] = nlohmann::ordered_json::array();
  for (const Claim& claim : claims)
    result["claims"].push_back({{"claim", claim.claim},
                                {"paper", claim.paper},
                                {"measured", claim.measured},
                                {"ours", claim.ours.value},
                                {"interval", {claim.ours.low, claim.ours.high}},
                                {"verdict", text_of(claim.verdict)},
                                {"note", claim.note}});
  result["settings"] = {{"scale", study.full() ? "full" : "quick"},
                        {"seeds", study.seeds(0, 0) > 0 ? nlohmann::ordered_json(study.seeds(0, 0))
                                                        : nlohmann::ordered_json("as the scale says")}};
  if (study.reads_only()) result["settings"] = {{"scale", "results of " + study.from().string()}};
  result["build"] = build_description();
  return result;
}

/// Throws Error where a folder holds results of something else.
void require_own_folder(const std::filesystem::path& folder, const std::string& paper) {
  const auto path = folder / "summary.json";
  const auto there = read_json(path);
  if (there && there->value("paper", "") != paper)
    throw Error(path.string(), "holds other results than this paper's; choose another --output");
  if (!there) require_free(folder / "claims.md");
  require_own_results(folder, "experiment,setting,run,metric,value");
}

}  // namespace

void reproduce(int argc, const char* const* argv) {
  std::vector<std::string> names;
  for (const Paper& paper : papers()) names.push_back(paper.name);
  std::string name;
  bool quick = false, full = false, any_build = false, complete = false;
  Index seeds = 0, jobs = std::max(1u, std::thread::hardware_concurrency());
  std::filesystem::path output, kept, results;
  CommandLine("Runs a paper's experiments and says which of its claims hold here.")
      .argument("PAPER", name, "which", names)
      .option("--quick", quick, "a scale of minutes on two cores, which is also the default")
      .option("--full", full, "the paper's own scale, where that is possible")
      .option("--seeds", seeds, "runs of each setting; 0: what the scale says", {.minimum = 0})
      .option("--jobs", jobs, "runs at a time; the results do not depend on it", {.minimum = 1})
      .option("--output", output, "folder for results.csv, summary.json, claims.md and plots; empty: results/PAPER")
      .option(
          "--runs", kept,
          "folder that keeps what long runs gave, which are then not made again; papers may share it; empty: `runs` "
          "in --output, or results/runs")
      .option("--any-build", any_build, "also takes runs that another build of this program kept")
      .option("--results", results, "results.csv of an earlier reproduction: table and plots without a run")
      .option("--complete", complete, "makes the runs that --results lacks: partial.csv of one that was interrupted")
      .parse(argc, argv);
  if (seeds == 1) throw Error("--seeds", "an interval needs two runs at least", seeds);
  if (quick && full) throw Error("mellow_bench reproduce", "--quick and --full exclude each other");
  if (complete && results.empty()) throw Error("--complete", "needs the --results that are to be completed");
  if (!results.empty() && !complete && (quick || full || seeds > 0))
    throw Error("--results", "holds runs, whose number and scale are given", results.string());
  if (kept.empty()) kept = output.empty() ? "results/runs" : output / "runs";
  output = output.empty() ? std::filesystem::path("results") / name : without_detours(output);

  const auto all = papers();
  const Paper& paper = *std::ranges::find(all, name, &Paper::name);
  fmt::print("{}\n", paper.title);
  const auto start = std::chrono::steady_clock::now();
  require_own_folder(output, name);
  if (!tools::can_plot()) throw Error("mellow_bench reproduce", "draws plots, but gnuplot is not installed");
  const tools::Interrupt interrupt;  // one for all experiments: Ctrl-C between two of them counts
  const FolderBefore before(output);
  std::vector<Claim> claims;
  try {
    const tools::FolderLock lock(output);
    const auto probe = output / ".mellow_bench";
    tools::write_file_atomically(probe, "");  // where that fails, it fails before the runs
    std::filesystem::remove(probe);
    Study study({.folder = output,
                 .kept = kept,
                 .from = results,
                 .complete = complete,
                 .build = program_identity(build_description().dump()),
                 .any_build = any_build,
                 .full = full,
                 .seeds = seeds,
                 .jobs = jobs});
    try {
      claims = paper.reproduce(study);
    } catch (const Interrupted&) {
      fmt::print(stderr, "What is there so far: {}\n", study.finish(true).string());
      throw;
    }
    study.finish();
    tools::write_file_atomically(output / "summary.json", summary(paper, study, claims).dump(2) + "\n");
    tools::write_file_atomically(output / "claims.md", table(claims));  // whoever has it alone has another's
  } catch (...) {
    before.remove_made();
    throw;
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  fmt::print("\n{}\n{:.0f} s. Results, plots and this table: {}\n", table(claims), seconds, output.string());
}

}  // namespace mellow::suite

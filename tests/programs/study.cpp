// SPDX-License-Identifier: Apache-2.0
// What mellow_bench reproduce keeps of its runs, by the code that it is made of.
#include "../../benchmarks/suite/study.hpp"

#include <atomic>
#include <cmath>
#include <csignal>

#include <mellow/core/error.hpp>
#include <mellow/core/rng.hpp>

#include "support/program.hpp"

using namespace mellow;
using namespace mellow::suite;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

/// Counts its runs, and kills the process within one of them.
struct Counter {
  std::atomic<int> made = 0;
  int killed_in = -1;
};

/// Three settings of four runs, whose figures are random numbers of their seed, one of them missing.
std::vector<Run> twelve(Counter& counter, const std::string& identity = "64 steps") {
  std::vector<Run> runs;
  for (Index seed = 0; seed < 4; ++seed)
    for (const char* setting : {"DPO", "C2-DPO Log l2, 2e-4", "a \"quoted\", odd / one"})
      runs.push_back({.experiment = "an experiment",
                      .setting = setting,
                      .number = seed,
                      .identity = identity,
                      .work = [&counter, seed, setting] {
                        if (counter.made++ == counter.killed_in) std::raise(SIGKILL);
                        Rng rng(static_cast<std::uint64_t>(seed) + std::string(setting).size());
                        return Figures{{"first, normal", rng.normal()},
                                       {"second", seed == 2 ? std::nan("") : rng.uniform() * 1e-300}};
                      }});
  return runs;
}

StudyOptions options_in(const fs::path& folder) {
  return {.folder = folder, .kept = folder / "runs", .build = "a build", .jobs = 2};
}

/// The results of a study of these runs.
std::string results(const StudyOptions& options, Counter& counter, const std::string& identity = "64 steps") {
  Study study(options);
  const auto found = study.measure("runs", twelve(counter, identity));
  REQUIRE(found.size() == 12);
  study.finish();
  return read_file(options.folder / "results.csv");
}

fs::path any_file(const fs::path& folder) {
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) return entry.path();
  FAIL("no file in " << folder);
  return {};
}

}  // namespace

TEST_CASE("Whole results take the place of partial ones") {
  const TemporaryDirectory directory;
  const Study study(options_in(directory.path()));
  study.finish(true);
  CHECK(fs::exists(directory / "partial.csv"));
  study.finish();
  CHECK((fs::exists(directory / "results.csv") && !fs::exists(directory / "partial.csv")));
}

TEST_CASE("Partial results of other runs stay where a study ends") {
  const TemporaryDirectory directory;
  const std::string heading = "experiment,setting,run,metric,value\n";
  for (const std::string& other : {std::string("mine,1\n"), heading + "another paper's,a,0,x,1\n"}) {
    std::ofstream(directory / "partial.csv") << other;
    Study study(options_in(directory.path()));
    study.row("ours", "a", 0, "x", 1);
    CHECK(study.finish(true).filename() == "partial-2.csv");
    study.finish();
    CHECK(read_file(directory / "partial.csv") == other);
  }
  std::ofstream(directory / "partial.csv") << heading + "ours,a,0,x,1\n";
  Study study(options_in(directory.path()));
  study.row("ours", "a", 0, "x", 1);
  study.finish();
  CHECK_FALSE(fs::exists(directory / "partial.csv"));
}

TEST_CASE("A study that was killed takes what its runs gave and ends with the same results") {
  const TemporaryDirectory whole, killed;
  Counter counter;
  const std::string expected = results(options_in(whole.path()), counter);
  CHECK(counter.made == 12);
  CHECK(std::ranges::count(expected, '\n') == 25);
  std::size_t kept = 0;
  for (const int at : {3, 4, 2}) {  // each time some more are done
    const auto child = run_in_child([&] {
      auto options = options_in(killed.path());
      options.jobs = 1;
      Counter dying;
      dying.killed_in = at;
      results(options, dying);
      return 0;
    });
    CHECK(child.signal == SIGKILL);
    CHECK_FALSE(fs::exists(killed / "results.csv"));
    kept += static_cast<std::size_t>(at);
  }
  Counter rest;
  CHECK(results(options_in(killed.path()), rest) == expected);
  CHECK(rest.made == 12 - static_cast<int>(kept));
  Counter none;
  CHECK(results(options_in(killed.path()), none) == expected);
  CHECK(none.made == 0);
}

TEST_CASE("Runs of other settings or another build are made again; on request another build's are taken") {
  const TemporaryDirectory directory;
  auto options = options_in(directory.path());
  const auto made = [&](const std::string& identity = "64 steps") {
    Counter counter;
    results(options, counter, identity);
    return counter.made.load();
  };
  CHECK(made() == 12);
  CHECK(made("128 steps") == 12);
  CHECK(made("128 steps") == 0);
  CHECK(made() == 0);  // both are kept
  options.build = "another build";
  options.any_build = true;
  CHECK(made() == 0);
  options.any_build = false;
  CHECK(made() == 12);
  CHECK(made() == 0);
  CHECK(program_identity("x") == program_identity("x"));
  CHECK(program_identity("x") != program_identity("y"));
}

TEST_CASE("A file that no run kept is refused and named") {
  const TemporaryDirectory directory;
  const auto options = options_in(directory.path());
  Counter counter;
  results(options, counter);
  const fs::path file = any_file(directory / "runs");
  const std::string good = read_file(file);
  const auto refused = [&](const std::string& text) {
    std::ofstream(file) << text;
    Counter again;
    CHECK_THROWS_WITH(results(options, again), Contains(file.string()));
  };
  refused("not JSON");
  refused("{}");
  refused(good.substr(0, good.size() / 2));
  refused(std::regex_replace(good, std::regex("64 steps"), "65 steps"));
  refused(std::regex_replace(good, std::regex("a build"), "b build"));
  refused(std::regex_replace(good, std::regex("\"second\": [^\n]*"), "\"second\": \"much\""));
  fs::remove(file);
  Counter one;
  results(options, one);
  CHECK(one.made == 1);
  CHECK(read_file(file) == good);
}

TEST_CASE("Results are rebuilt from their table without a run") {
  const TemporaryDirectory first, second;
  Counter counter;
  const std::string expected = results(options_in(first.path()), counter);
  auto options = options_in(second.path());
  options.from = first / "results.csv";
  options.seeds = 0;
  Counter none;
  CHECK(results(options, none) == expected);
  CHECK(none.made == 0);
  CHECK_FALSE(fs::exists(second / "runs"));
  Study study(options);
  CHECK(study.seeds("an experiment", 2, 3) == 4);
  CHECK_THROWS_WITH(study.seeds("another", 2, 3), Contains("two runs") && Contains("another"));
  CHECK_THROWS_WITH(study.each("work", 1, [](Index) {}), Contains("--results") && Contains("work"));
  auto runs = twelve(none);
  runs[5].number = 7;
  CHECK_THROWS_WITH(study.measure("runs", runs), Contains("lacks a run") && Contains("run 7 of an experiment"));
  const auto broken = second / "broken.csv";
  std::ofstream(broken) << "experiment,setting,run,metric,value\na,b,-1,c,1\n";
  options.from = broken;
  CHECK_THROWS_WITH(Study(options), Contains("broken.csv:2") && Contains("whole number"));
  std::ofstream(broken) << "experiment,setting,run,metric,value\na,b,1,c,1\na,b,1,d,2\na,b,1,c,3\n";
  CHECK_THROWS_WITH(Study(options), Contains("broken.csv:4") && Contains("twice") && Contains("got c"));
}

TEST_CASE("Results that lack runs are completed on request") {
  const TemporaryDirectory first, second;
  Counter counter;
  const std::string expected = results(options_in(first.path()), counter);
  const fs::path part = second / "part.csv";  // what an interrupted study leaves: two of the four seeds
  std::ofstream(part) << std::regex_replace(expected, std::regex("[^\n]*,[23],\"?(first|second)[^\n]*\n"), "");
  auto options = options_in(second.path());
  options.from = part;
  Counter none;
  CHECK_THROWS_WITH(results(options, none), Contains("lacks a run"));
  CHECK(none.made == 0);
  options.complete = true;
  Counter rest;
  CHECK(results(options, rest) == expected);
  CHECK(rest.made == 6);
  CHECK(Study(options).seeds("an experiment", 2, 3) == 2);  // the scale's, since runs can be made
}

TEST_CASE("Runs that cannot be kept are refused") {
  const TemporaryDirectory directory;
  Study study(options_in(directory.path()));
  const auto run_of = [](Figures figures) {
    return Run{.experiment = "e", .setting = "s", .work = [figures] { return figures; }};
  };
  CHECK_THROWS_WITH(study.measure("x", {run_of({{"m", INFINITY}})}), Contains("m must be finite or NaN"));
  CHECK_THROWS_WITH(study.measure("x", {run_of({{"m", 1}, {"m", 2}})}), Contains("once"));
  CHECK_THROWS_WITH(study.measure("x", {run_of({}), run_of({})}), Contains("asked for once"));
  CHECK_THROWS_WITH(figure({{"m", 1}}, "n"), Contains("n"));
  CHECK(figure({{"m", 1}, {"n", 2}}, "n") == 2);
}

// SPDX-License-Identifier: Apache-2.0
// Runs `mellow_bench diagnose` as a user would.
#include <fstream>

#include "support/program.hpp"
#include "support/temporary_directory.hpp"

using Catch::Contains;
namespace fs = std::filesystem;

namespace {

const std::string example = MELLOW_SOURCE_DIR "/examples/displacement.csv";

void write(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }

}  // namespace

TEST_CASE("The diagnosis of the example says that DPO displaced, in the terminal and in files") {
  const TemporaryDirectory directory;
  const std::string command = "mellow_bench diagnose " + example + " --output ";
  const auto result = run(command + (directory / "one").string());
  CAPTURE(result.error);
  REQUIRE(result.status == 0);
  CHECK_THAT(result.out, Contains("20 pairs; changes of log pi since the reference") &&
                             Contains("Displacement: the chosen responses lost probability") &&
                             Contains("Fell at every checkpoint: ") && Contains("Saturated: "));
  const auto files = results_in(directory / "one");
  for (const char* file : {"checkpoints.csv", "fell_always.txt", "diagnosis.md", "displacement.svg", "displacement.png",
                           "shares.svg", "shares.png"})
    CHECK(files.contains(file));
  CHECK_THAT(files.at("checkpoints.csv"), Contains("step,chosen_median,chosen_median_low,chosen_median_high,"));
  CHECK_THAT(files.at("diagnosis.md"), Contains("| step | chosen: median change |") && Contains("Displacement: "));
  REQUIRE(run(command + (directory / "two").string()).status == 0);
  check_same_results(directory / "one", directory / "two");
  REQUIRE(run(command + (directory / "three").string() + " --seed 1 --confidence 0.5 --beta 0.001").status == 0);
  const auto other = results_in(directory / "three");
  CHECK(other.at("checkpoints.csv") != files.at("checkpoints.csv"));
  CHECK(other.at("diagnosis.md").find("Saturated") == std::string::npos);  // beta scales the margin
  CHECK_THAT(other.at("diagnosis.md"), Contains("intervals of 50 %"));
}

TEST_CASE("Beta is that of the configuration beside the file, unless it is given") {
  const TemporaryDirectory directory;
  fs::copy_file(example, directory / "pairs.csv");
  const auto diagnosed = [&](const std::string& config, const std::string& more = {}) {
    if (!config.empty()) std::ofstream(directory / "config.json") << config;
    const auto result = run("mellow_bench diagnose " + (directory / "pairs.csv").string() + more + " --output " +
                            (directory / "out").string());
    CAPTURE(result.error);
    CHECK(result.status == 0);
    return result.out;
  };
  const std::string usual = diagnosed("", " --beta 0.1"), small = diagnosed("", " --beta 0.001");
  CHECK(usual != small);
  CHECK(diagnosed("") == usual);
  CHECK(diagnosed(R"({"settings": {"loss.beta": "0.001"}})") == small);
  CHECK(diagnosed("", " --beta 0.1") == usual);
  for (const char* const other : {"{}", "[1]", "no JSON", R"({"settings": {"loss.beta": 3}})"})
    CHECK(diagnosed(other) == usual);
}

TEST_CASE("JSON lines are diagnosed like CSV") {
  const TemporaryDirectory directory;
  std::string csv = "step,pair,chosen,rejected\n", json;
  for (const int step : {0, 1, 2})
    for (int pair = 0; pair < 5; ++pair) {
      const double chosen = -20 + step * (1 + 0.1 * pair), rejected = -20 - step;
      csv += fmt::format("{},{},{},{}\n", step, pair, chosen, rejected);
      json += fmt::format("{{\"step\": {}, \"pair\": {}, \"chosen\": {}, \"rejected\": {}}}\n", step, pair, chosen,
                          rejected);
    }
  write(directory / "l.csv", csv);
  write(directory / "l.jsonl", json);
  for (const char* form : {"csv", "jsonl"}) {
    const auto result = run(fmt::format("mellow_bench diagnose {}.{} --output {}", (directory / "l").string(), form,
                                        (directory / form).string()));
    CAPTURE(result.error);
    REQUIRE(result.status == 0);
    CHECK_THAT(result.out, Contains("log pi since step 0;") && Contains("As wanted, the chosen responses gained"));
  }
  check_same_results(directory / "csv", directory / "jsonl");
}

TEST_CASE("The diagnosis explains its format, and names the line of what it cannot read") {
  CHECK_THAT(run("mellow_bench diagnose --help").out,
             Contains("reference_chosen, reference_rejected") && Contains("step,pair,chosen,rejected"));
  const TemporaryDirectory directory;
  const auto refused = [&](const std::string& name, const std::string& text, const std::string& message) {
    const auto path = (directory / name).string();
    write(path, text);
    const auto result = run("mellow_bench diagnose " + path + " --output " + (directory / "out").string());
    CAPTURE(name, text);
    CHECK(result.status == 1);
    CHECK(result.error == "error: " + path + message + "\n");
    CHECK_FALSE(fs::exists(directory / "out"));
  };
  refused("a.csv", "step,pair,chosen,rejected\n0,a,-1,-2\n1,a,nan,-2\n", ":3: chosen must be finite (got nan)");
  refused("a.jsonl", "{\"step\": 0, \"pair\": 1, \"chosen\": -1}\n", ":1: there is no field rejected");
  refused("b.csv", "step,pair,chosen,rejected\n0,a,-1,-2\n0,b,-1,-2\n1,a,-1,-2\n",
          ": a pair must have a row at every step (got pair 'b' without step 1)");
  refused("c.csv", "step,pair,chosen,rejected\n0,a,-1,-2\n0,b,-1,-2\n1,a,-1,-2\n1,b,-1,-2\n",
          ": there must be three pairs (got 2)");
  refused("b.jsonl", "[1,2]\n", ":1: a line must hold an object (got a list)");
  const auto missing = run("mellow_bench diagnose nowhere.csv");
  CHECK(missing.status == 1);
  CHECK(missing.error == "error: nowhere.csv: cannot be read: No such file or directory\n");
  CHECK(run("mellow_bench diagnose").status == 2);
  const auto beta = run("mellow_bench diagnose " + example + " --beta -1");
  CHECK(beta.status == 1);
  CHECK_THAT(beta.error, Contains("beta must be positive"));
}

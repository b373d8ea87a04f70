// SPDX-License-Identifier: Apache-2.0
// What other examples print and leave on the disk.
#include <sstream>
#include <string>
#include <vector>

#include "support/program.hpp"

using Catch::Contains;
namespace fs = std::filesystem;

namespace {

ChildResult run_example(const std::string& example, const std::string& options, const fs::path& output) {
  return run(example + " " + options + " --output '" + output.string() + "'");
}

}  // namespace

TEST_CASE("vectorized leaves a row an episode and an evaluation, a plot and the best weights, the same each time") {
  const TemporaryDirectory directory;
  const auto first = run_example("vectorized", "--steps 2500 --environments 8 --seed 3", directory / "a");
  const auto second = run_example("vectorized", "--steps 2500 --environments 8 --seed 3", directory / "b");
  CAPTURE(first.error);
  REQUIRE((first.status == 0 && second.status == 0));
  for (const char* file : {"weights.safetensors", "learning_curve.svg", "learning_curve.png"}) {
    CAPTURE(file);
    CHECK_FALSE(read_file(directory / "a" / file).empty());
    CHECK(read_file(directory / "a" / file) == read_file(directory / "b" / file));
  }

  std::istringstream table(read_file(directory / "a" / "metrics.csv"));
  int episodes = 0, evaluations = 0, steps = 0;
  for (std::string line; std::getline(table, line);) {
    std::vector<std::string> cells;
    std::istringstream row(line);
    for (std::string cell; std::getline(row, cell, ',');) cells.push_back(cell);
    evaluations += cells[0] == "evaluation";
    if (cells[0] != "episode") continue;
    CHECK(std::stoi(cells[2]) == ++episodes);
    CHECK(std::stod(cells[3]) == std::stod(cells[4]));  // CartPole pays 1 a step
    steps += std::stoi(cells[4]);
  }
  CHECK(evaluations == 3);
  CHECK_THAT(first.out, Contains("Learned from 2500 steps in " + std::to_string(episodes) + " episodes") &&
                            Contains("best weights (from step ") && Contains("last weights: "));
  CHECK((steps > 1000 && steps <= 2500));  // 8 episodes may be under way
}

TEST_CASE("mellowmax_planning shows no plan that did not converge as a result") {
  const TemporaryDirectory directory;
  const auto whole = run_example("mellowmax_planning", "", directory / "whole");
  REQUIRE(whole.status == 0);
  CHECK_THAT(whole.out, !Contains("converge") && Contains("two; "));
  CHECK(fs::exists(directory / "whole" / "sweeps.png"));

  const auto cut = run_example("mellowmax_planning", "--steps 1500", directory / "cut");
  REQUIRE(cut.status == 0);
  CHECK_THAT(cut.out, Contains("> 1500   not converged") && Contains("unknown: raise --steps") && !Contains("two; ") &&
                          Contains("Not plotted: 5 plans that did not converge in 1500 sweeps"));
  CHECK(fs::exists(directory / "cut" / "sweeps.png"));

  const auto none = run_example("mellowmax_planning", "--steps 1", directory / "none");
  REQUIRE(none.status == 0);
  CHECK_THAT(none.out, !Contains("Plot:"));
  CHECK_FALSE(fs::exists(directory / "none" / "sweeps.png"));
}

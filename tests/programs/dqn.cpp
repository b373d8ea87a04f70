// SPDX-License-Identifier: Apache-2.0
// Runs bin/dqn as a user would: what it leaves on the disk, and what it says when something is wrong.
#include <algorithm>
#include <chrono>
#include <signal.h>
#include <thread>
#include <vector>

#include "support/program.hpp"

using Catch::Contains;
namespace fs = std::filesystem;

TEST_CASE("The same run twice leaves the same files, alone and with another run beside it") {
  const TemporaryDirectory directory;
  const auto folder = [&](const char* name) { return (directory / name).string(); };
  const std::string same = "dqn --steps 2500 --seed 7 --output ";
  REQUIRE(run(same + folder("a")).status == 0);
  const auto beside = run(same + folder("b") + " & dqn --steps 2500 --seed 8 --output " + folder("c") + " & wait");
  REQUIRE(beside.status == 0);
  check_same_results(directory / "a", directory / "b");
  CHECK(read_file(directory / "a/weights.safetensors") != read_file(directory / "c/weights.safetensors"));
  CHECK(without_seconds(directory / "a/metrics.csv") != without_seconds(directory / "c/metrics.csv"));
}

TEST_CASE("A bad option is refused in one line that names it, before anything is written") {
  const TemporaryDirectory directory;
  const auto output = directory / "output";
  for (const auto& [option, names] :
       std::vector<std::pair<std::string, std::string>>{{"--stepz 3", "--stepz"},
                                                        {"--steps ten", "--steps"},
                                                        {"--steps 0", "--steps"},
                                                        {"--steps 1e99", "--steps"},
                                                        {"--seed -1", "--seed"},
                                                        {"--seed", "--seed"},
                                                        {"--learning-rate nan", "--learning-rate"},
                                                        {"--learning-rate -0.1", "learning_rate"},
                                                        {"surplus", "surplus"}}) {
    const auto child = run("dqn --output " + output.string() + " " + option);
    CAPTURE(option, child.error);
    CHECK(child.status > 0);
    CHECK_THAT(child.error, Contains(names));
    CHECK(std::count(child.error.begin(), child.error.end(), '\n') == 1);
    CHECK(child.error.back() == '\n');
    CHECK(child.out.empty());
    CHECK_FALSE(fs::exists(output));
  }
}

TEST_CASE("A folder that cannot be written is named") {
  const auto child = run("dqn --steps 500 --output /dev/null/folder");
  CHECK(child.status == 1);
  CHECK_THAT(child.error, Contains("/dev/null/folder: cannot create this folder"));
  CHECK(child.out.empty());  // before anything is learned
}

TEST_CASE("A loss that is not finite ends the run with a message and keeps what there is") {
  const TemporaryDirectory directory;
  const auto child = run("dqn --steps 5000 --learning-rate 1e30 --output " + directory.path().string());
  CHECK(child.status == 1);
  CHECK_THAT(child.error, Contains("error: value::Dqn: the loss of update") && Contains("is not finite"));
  CHECK_THAT(read_file(directory / "metrics.csv"), Contains("\nepisode,") && Contains("\nevaluation,"));
  CHECK(fs::file_size(directory / "weights.safetensors") > 0);
  CHECK(fs::file_size(directory / "learning_curve.svg") > 0);
  CHECK(directory.size() == 4);  // and the plot as PNG
}

TEST_CASE("Ctrl-C ends a run cleanly with its metrics, plot and weights") {
  const TemporaryDirectory directory;
  const auto weights = directory / "weights.safetensors";
  const auto child = run_in_child([&] {
    const pid_t program = ::fork();
    if (program == 0) become("exec dqn --steps 1000000000 --output " + directory.path().string());
    for (; !fs::exists(weights); std::this_thread::sleep_for(std::chrono::milliseconds(10)))
      if (::waitpid(program, nullptr, WNOHANG) != 0) return 99;  // it ended without
    ::kill(program, SIGINT);
    int status = 0;
    return ::waitpid(program, &status, 0) == program && WIFEXITED(status) ? WEXITSTATUS(status) : 99;
  });
  CAPTURE(child.error);
  CHECK(child.status == 0);
  CHECK_THAT(child.out, Contains("Learned from") && Contains("best weights"));
  CHECK_THAT(read_file(directory / "metrics.csv"), Contains("\nepisode,") && Contains("\nevaluation,"));
  CHECK(fs::file_size(directory / "learning_curve.svg") > 0);
  CHECK(fs::file_size(weights) > 0);
  CHECK(directory.size() == 4);
}

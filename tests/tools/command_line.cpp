// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/command_line.hpp"

#include <cstdint>
#include <cstdio>
#include <initializer_list>

#include "../support/catch.hpp"
#include "../support/child.hpp"
#include "mellow/core/error.hpp"

using namespace mellow;
using Catch::Matchers::Contains;

namespace {

struct Settings {
  int steps = 50;
  std::ptrdiff_t width = 64;
  std::uint64_t seed = 0;
  float rate = 0.5f;
  double discount = 0.99;
  bool fast = false, plot = true;
  std::string mode = "max";
  std::filesystem::path out = "results";

  void parse(std::initializer_list<const char*> arguments) {
    std::vector<const char*> all = {"program"};
    all.insert(all.end(), arguments);
    CommandLine("Does something.")
        .option("--steps", steps, "steps to take", {.minimum = 1})
        .option("--width", width, "units a layer", {.minimum = 1, .maximum = 512})
        .option("--seed", seed, "same seed, same run")
        .option("--rate", rate, "step size")
        .option("--discount", discount, "discount", {.minimum = 0, .maximum = 1})
        .option("--fast", fast, "hurry")
        .option("--plot", plot, "draw")
        .option("--mode", mode, "operator", {"max", "mellowmax"})
        .option("--out", out, "directory of results")
        .parse(static_cast<int>(all.size()), all.data());
  }
};

ChildResult parse_in_child(std::initializer_list<const char*> arguments) {
  return run_in_child([&] {
    Settings().parse(arguments);
    return 0;
  });
}

}  // namespace

TEST_CASE("CommandLine leaves the defaults without arguments") {
  Settings s;
  s.parse({});
  CHECK(s.steps == 50);
  CHECK(s.seed == 0);
  CHECK(s.plot);
  CHECK(s.mode == "max");
}

TEST_CASE("CommandLine reads every kind of option") {
  Settings s;
  s.parse({"--steps", "7", "--width=128", "--seed", "18446744073709551615", "--rate", "1e-3", "--discount=0.5",
           "--fast", "--no-plot", "--mode", "mellowmax", "--out", "a dir/-x"});
  CHECK(s.steps == 7);
  CHECK(s.width == 128);
  CHECK(s.seed == std::numeric_limits<std::uint64_t>::max());
  CHECK(s.rate == 1e-3f);
  CHECK(s.discount == 0.5);
  CHECK(s.fast);
  CHECK_FALSE(s.plot);
  CHECK(s.mode == "mellowmax");
  CHECK(s.out == "a dir/-x");
}

TEST_CASE("CommandLine reads whole numbers in decimal, with an exponent too, and lets the last one win") {
  Settings s;
  s.parse({"--steps", "1", "--steps", "1e6", "--seed", "010", "--rate", "-2", "--fast", "--no-fast"});
  CHECK(s.steps == 1000000);
  CHECK(s.seed == 10);
  CHECK(s.rate == -2);
  CHECK_FALSE(s.fast);
}

TEST_CASE("CommandLine prints help with the defaults and ends with 0") {
  const auto child = parse_in_child({"--help"});
  CHECK(child.status == 0);
  CHECK(child.error.empty());
  for (const char* part :
       {"Does something.", "--steps", "steps to take", "50", "0.99", "results", "--no-plot", "mellowmax"}) {
    CHECK_THAT(child.out, Contains(part));
  }
}

TEST_CASE("CommandLine refuses bad arguments with one line and status 2") {
  const auto refused = [](std::initializer_list<const char*> arguments, const char* message) {
    const auto child = parse_in_child(arguments);
    CHECK(child.status == 2);
    CHECK(child.out.empty());
    CHECK(child.error == std::string("error: ") + message + "\n");
  };
  refused({"--stepz", "5"}, "--stepz: unknown option (did you mean --steps?)");
  refused({"--sed=5"}, "--sed: unknown option (did you mean --seed?)");
  refused({"--no-plots"}, "--no-plots: unknown option (did you mean --no-plot?)");
  refused({"--unheard"}, "--unheard: unknown option (--help lists all)");
  refused({"stray"}, "stray: unexpected argument (--help lists all options)");
  refused({"--steps", "five"}, "--steps: must be a whole number of at least 1 (got five)");
  refused({"--steps", "0"}, "--steps: must be a whole number of at least 1 (got 0)");
  refused({"--steps", "1.5"}, "--steps: must be a whole number of at least 1 (got 1.5)");
  refused({"--steps", "1e10"}, "--steps: must be a whole number of at least 1 (got 1e10)");
  refused({"--steps", "3 "}, "--steps: must be a whole number of at least 1 (got 3 )");
  refused({"--steps="}, "--steps: needs a value");
  refused({"--steps", "--seed", "1"}, "--steps: must be a whole number of at least 1 (got --seed)");
  refused({"--seed", "-1"}, "--seed: must be a whole number of at least 0 (got -1)");
  refused({"--width", "513"}, "--width: must be a whole number from 1 to 512 (got 513)");
  refused({"--discount", "nan"}, "--discount: must be a number from 0 to 1 (got nan)");
  refused({"--rate", "inf"}, "--rate: must be a number (got inf)");
  refused({"--mode", "min"}, "--mode: must be one of max, mellowmax (got min)");
  refused({"--mode", "melowmax"}, "--mode: must be one of max, mellowmax (got melowmax; did you mean mellowmax?)");
  refused({"--steps"}, "--steps: needs a value");
  refused({"--fast=perhaps"}, "--fast: must be true or false (got perhaps)");
}

TEST_CASE("run_main returns 0, or prints an exception and returns 1") {
  CHECK(run_main([] {}) == 0);
  const auto child = run_in_child([] { return run_main([] { throw Error("Adam", "rate must be positive", -1); }); });
  CHECK(child.status == 1);
  CHECK(child.error == "error: Adam: rate must be positive (got -1)\n");
}

TEST_CASE("run_main says when what was printed could not be written") {
  const auto child = run_in_child([] {
    if (std::freopen("/dev/full", "w", stdout) == nullptr) return 2;
    return run_main([] { std::printf("a table"); });
  });
  CHECK(child.status == 1);
  CHECK(child.error == "error: standard output: could not be written in full\n");
}

// SPDX-License-Identifier: Apache-2.0
// Runs bin/mellow_bench as a user would: what train's sinks, watch, report and speed leave and say.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fstream>

#include "support/catch.hpp"
#include "support/program.hpp"
#include "support/records.hpp"

using Catch::Contains;
namespace fs = std::filesystem;

namespace {

/// Runs a shell's command line in a folder, in which `bench` is a program.
ChildResult run(const fs::path& folder, const std::string& command, const fs::path& program = bin / "mellow_bench") {
  return ::run("cd '" + folder.string() + "'; bench() { '" + program.string() + "' \"$@\"; }; " + command);
}

/// A small campaign of a table.
std::string lake(const std::string& options) {
  return "bench train --agent q_learning --env FrozenLake-v1 --set env.slippery=false --steps 4000 --jobs 1 "
         "--evaluate-every 1000 --evaluation-episodes 2 --test-episodes 2 " +
         options;
}

void write(const fs::path& path, const std::string& text, bool executable = false) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
  if (executable) fs::permissions(path, fs::perms::owner_all);
}

}  // namespace

TEST_CASE("train writes the sinks that are chosen, and refuses others") {
  const TemporaryDirectory directory;
  REQUIRE(run(directory.path(), lake("--sinks csv,jsonl --output a")).status == 0);
  const auto lines = json_lines_without_seconds(directory / "a/seed-0");
  CHECK(lines.size() > 4);
  const std::string metrics = read_file(directory / "a/seed-0/metrics.csv");
  CHECK(std::count(metrics.begin(), metrics.end(), '\n') == static_cast<std::ptrdiff_t>(lines.size()) + 1);
  CHECK_FALSE(fs::exists(directory / "a/seed-0/events.out.tfevents.mellow"));
  const auto wrong = run(directory.path(), lake("--sinks jsonn --output b"));
  CHECK(wrong.status == 1);
  CHECK_THAT(wrong.error, Contains("did you mean jsonl?") && Contains("jsonn"));
  CHECK_FALSE(fs::exists(directory / "b"));
}

TEST_CASE("A trained agent plays as it was tested, and is drawn") {
  const TemporaryDirectory directory;
  REQUIRE(run(directory.path(), lake("--output a")).status == 0);
  for (const char* path : {"a/seed-0", "a/seed-0/weights.safetensors"}) {
    const auto child = run(directory.path(), std::string("bench watch --no-frames --episodes 2 ") + path);
    CAPTURE(child.error);
    CHECK(child.status == 0);
    CHECK_THAT(child.out, Contains("q_learning in FrozenLake-v1") && Contains("episode 1: return 1\n") &&
                              Contains("mean return: 1\n"));
  }
  const auto drawn = run(directory.path(), "bench watch a/seed-0 --frames --fps 0 --gif a.gif --strip a.png");
  CAPTURE(drawn.error);
  CHECK(drawn.status == 0);
  CHECK_THAT(drawn.out, Contains("\x1b[7m@\x1b[0m F F F") && Contains("episode 1, step 6, return 1"));
  CHECK(read_file(directory / "a.gif").substr(0, 6) == "GIF89a");
  CHECK(read_file(directory / "a.png").substr(1, 3) == "PNG");
}

TEST_CASE("An agent plays MinAtar's games by their settings, in colour") {
  const TemporaryDirectory directory;
  const auto trained = run(directory.path(),
                           "bench train --agent dqn --env MinAtar/Breakout-v1 --steps 300 --evaluate-every 150 "
                           "--evaluation-episodes 2 --test-episodes 2 --set env.sticky_action_probability=0.25");
  CAPTURE(trained.error);
  REQUIRE(trained.status == 0);
  const auto drawn =
      run(directory.path(),
          "bench watch results/dqn-MinAtar-Breakout-v1/seed-0 --frames --fps 0 --gif a.gif --strip a.png");
  CAPTURE(drawn.error);
  CHECK(drawn.status == 0);
  CHECK_THAT(drawn.out, Contains("dqn in MinAtar/Breakout-v1") && Contains("\x1b[48;2;0;158;115m  \x1b[0m"));  // bricks
  CHECK(read_file(directory / "a.gif").substr(0, 6) == "GIF89a");
  CHECK(read_file(directory / "a.png").substr(1, 3) == "PNG");
  const auto refused =
      run(directory.path(), "bench trace MinAtar/Breakout-v0 --random --steps 3 --set sticky_action_probability=2");
  CHECK(refused.status == 1);
  CHECK_THAT(refused.error, Contains("sticky_action_probability must lie in [0, 1] (got 2)"));
}

TEST_CASE("An agent that saw normalised observations plays by the moments of its run") {
  const TemporaryDirectory directory;
  const auto trained =
      run(directory.path(),
          "bench train --agent dqn --env CartPole-v1 --steps 3000 --set env.normalize_observations=true "
          "--evaluate-every 500 --evaluation-episodes 3 --test-episodes 5 --output a");
  REQUIRE(trained.status == 0);
  const auto played = run(directory.path(), "bench watch --no-frames --episodes 5 a/seed-0");
  CAPTURE(trained.out, played.error);
  REQUIRE(played.status == 0);
  const auto summary = nlohmann::json::parse(read_file(directory / "a/seed-0/summary.json"));
  CHECK_THAT(played.out, Contains(fmt::format("mean return: {:.6g}\n", summary.at("best_weights").get<double>())));
  fs::remove(directory / "a/seed-0/environment.safetensors");
  const auto blind = run(directory.path(), "bench watch --no-frames a/seed-0");
  CHECK(blind.status == 1);
  CHECK_THAT(blind.error, Contains("environment.safetensors: is missing"));
}

TEST_CASE("watch says what it cannot play") {
  const TemporaryDirectory directory;
  REQUIRE(run(directory.path(), lake("--output a")).status == 0);
  const auto message = [&](const std::string& arguments) {
    const auto child = run(directory.path(), "bench watch --no-frames " + arguments);
    CHECK(child.status == 1);
    return child.error;
  };
  CHECK_THAT(message("nowhere"), Contains("nowhere: there is no such file or folder"));
  CHECK_THAT(message("a"), Contains("is a campaign; choose one of its runs, such as seed-0"));
  fs::copy(directory / "a/seed-0/weights.safetensors", directory / "weights.safetensors");
  CHECK_THAT(message("weights.safetensors"), Contains("config.json: is missing"));
  fs::remove(directory / "a/seed-0/weights.safetensors");
  CHECK_THAT(message("a/seed-0"), Contains("holds no checkpoint that is whole"));
  write(directory / "a/seed-0/weights.safetensors", "damaged");
  CHECK_THAT(message("a/seed-0"), Contains("weights.safetensors"));
}

TEST_CASE("report writes one page over campaigns and papers, with hostile texts as they are") {
  const TemporaryDirectory directory;
  REQUIRE(run(directory.path(), lake("--seeds 2 --output r/one")).status == 0);
  REQUIRE(run(directory.path(), lake("--first-seed 7 --seeds 2 --output r/two")).status == 0);
  write(directory / "r/paper/summary.json",
        R"({"paper": "p", "title": "Of <b>bold</b> | claims & \"more\"", "claims": [
            {"claim": "a|b", "paper": "1", "measured": "m", "ours": 0.5, "interval": [0.25, 0.75], "verdict": "holds"},
            {"claim": "c", "paper": "2", "measured": "n", "ours": null, "interval": [null, null],
             "verdict": "not testable here", "note": "why"}],
            "settings": {"scale": "quick", "seeds": 3}, "build": {"version": "0.1"}})");
  write(directory / "r/broken/summary.json", "{");
  write(directory / "r/begun/seed-0/config.json", "{}");
  write(directory / "r/one/seed-2/config.json", "{}");
  const auto child = run(directory.path(), "bench report r");
  CAPTURE(child.error);
  REQUIRE(child.status == 0);
  CHECK_THAT(child.out, Contains("papers 1, campaigns 2"));
  CHECK_THAT(child.error, Contains("r/broken/summary.json: is not JSON") && Contains("not finished: 0 of 1 runs"));
  const std::string html = read_file(directory / "r/report.html"), text = read_file(directory / "r/report.md");
  CHECK_THAT(html, Contains("Of &lt;b&gt;bold&lt;/b&gt; | claims &amp; &quot;more&quot;") &&
                       Contains("<span class=\"mark good\">holds</span>") && Contains("m: 0.5 (0.25 to 0.75)") &&
                       Contains("n: -; why") && Contains("Compared: FrozenLake-v1") &&
                       Contains("src=\"data:image/svg+xml;base64,PD94bWwg") && Contains("env.slippery"));
  CHECK_THAT(html, !Contains("<script") && !Contains("src=\"http") && !Contains("<b>"));
  CHECK_THAT(text, Contains("Of \\<b\\>bold\\</b\\> \\| claims") && Contains("a\\|b") &&
                       Contains("](one/learning_curve.svg)") && Contains("begun and not ended (1)") &&
                       Contains("](report/bars-FrozenLake-v1-env-slippery-false.svg)"));
  for (const char* picture : {"one/learning_curve.svg", "report/bars-FrozenLake-v1-env-slippery-false.svg"})
    CHECK(fs::exists(directory / "r" / picture));
  // What a report writes is no result: the second says the same.
  REQUIRE(run(directory.path(), "bench report r").status == 0);
  CHECK(read_file(directory / "r/report.md") == text);
  const auto empty = run(directory.path(), "mkdir e; bench report e");
  CHECK(empty.status == 1);
  CHECK_THAT(empty.error, Contains("e: there are no finished results below it"));
}

TEST_CASE("speed merges programs, compares with an earlier file, and marks slow spells") {
  const TemporaryDirectory directory;
  const fs::path bench = directory / "bin/mellow_bench";
  fs::create_directories(bench.parent_path());
  fs::copy(bin / "mellow_bench", bench);
  const auto program = [&](const std::string& name, const std::string& benchmark, const std::string& time,
                           const std::string& rate = "1") {
    write(directory / "bin" / name,
          "#!/bin/sh\ncase \"$* " + benchmark + "\" in\n*filter=thing*list_tests=true*thing_*) echo '" + benchmark +
              "';;\n*list_tests=true*) ;;\n*) echo '{\"context\": {\"num_cpus\": 2}, \"benchmarks\": [{\"name\": \"" +
              benchmark + "\", \"run_type\": \"iteration\", \"cpu_time\": " + time +
              ", \"time_unit\": \"us\", \"flop/s\": '" + rate + "'}]}';; esac\n",
          true);
  };
  program("speed_a", "thing_a", "2");
  program("speed_b", "thing_b", "30");
  // The probe is slower the third time.
  program("speed_gemm", "gemm_256", "1", "$(echo x >> count; [ $(wc -l < count) -ge 3 ] && echo 5e9 || echo 10e9)");
  const auto first = run(directory.path(), "bench speed thing --output first.json", bench);
  CAPTURE(first.error);
  REQUIRE(first.status == 0);
  CHECK_THAT(first.out, Contains("thing_a          2 us\n") && Contains("thing_b         30 us  slow spell\n"));
  const auto json = nlohmann::json::parse(read_file(directory / "first.json"));
  CHECK(json.at("probes") == nlohmann::json{10e9, 10e9, 5e9});
  REQUIRE(json.at("benchmarks").size() == 2);
  CHECK(json.at("benchmarks")[1].at("program") == "speed_b");
  CHECK(json.at("benchmarks")[1].at("probes") == nlohmann::json{10e9, 5e9});
  CHECK(json.at("build").contains("processor"));

  program("speed_a", "thing_a", "1");  // twice as fast
  program("speed_b", "thing_c", "30");
  const auto second = run(directory.path(), "bench speed thing --against first.json --output second.json", bench);
  CAPTURE(second.error);
  REQUIRE(second.status == 0);
  CHECK_THAT(second.out, Contains("2.000   0.500\n") && Contains("new"));
  CHECK_THAT(second.out, Contains("1 earlier rows were not measured now"));

  const auto none = run(directory.path(), "bench speed nothing", bench);
  CHECK(none.status == 1);
  CHECK_THAT(none.error, Contains("no speed program") && Contains("nothing"));
  write(directory / "bin/speed_a",
        "#!/bin/sh\necho thing; case \"$*\" in *list*) ;; *) echo broken >&2; exit 3;; esac\n", true);
  const auto broken = run(directory.path(), "bench speed thing --output third.json", bench);
  CHECK(broken.status == 1);
  CHECK_THAT(broken.error, Contains("speed_a: failed: broken (got 3)"));
  CHECK_FALSE(fs::exists(directory / "third.json"));
}

// SPDX-License-Identifier: Apache-2.0
// Metrics as JSON lines and as TensorBoard's events. That a run taken up goes on with them is in checkpoints.cpp.
#include <nlohmann/json.hpp>

#include <array>
#include <sstream>

#include <mellow/core/error.hpp>
#include <mellow/tools/event_file.hpp>
#include <mellow/tools/json_lines.hpp>

#include "support/catch.hpp"
#include "support/child.hpp"
#include "support/python.hpp"
#include "support/records.hpp"

using namespace mellow;
using Catch::Contains;

namespace {

/// Tells a sink of two episodes and an evaluation.
template <class Sink>
void tell(Sink& sink) {
  std::array<Metric, 2> metrics{{{"loss", training::RunStatus::none}, {"mean_value", 0.25}}};
  training::RunStatus status{.step = 18, .episode = 1, .episode_return = 18, .episode_length = 18, .metrics = metrics};
  sink.on_episode(status);
  metrics[0].value = 1.0 / 3;
  status = {.step = 40, .episode = 2, .episode_return = 22, .episode_length = 22, .metrics = metrics};
  sink.on_episode(status);
  status.step = 50;
  status.evaluation_return = 123.5;
  sink.on_evaluation(status);
}

}  // namespace

TEST_CASE("JSON lines hold an object an episode and an evaluation, and read back exactly") {
  const TemporaryDirectory directory;
  tools::JsonLines sink(directory / "run");
  tell(sink);
  CHECK(std::filesystem::exists(directory / "run/metrics.jsonl.part"));
  sink.on_end({});
  CHECK_FALSE(std::filesystem::exists(directory / "run/metrics.jsonl.part"));
  std::istringstream file(read_file(directory / "run/metrics.jsonl"));
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
  REQUIRE(lines.size() == 3);
  for (auto& line : lines) {
    CHECK(line.at("seconds").is_number());
    line.erase("seconds");
  }
  using nlohmann::json;
  CHECK(lines[0] == json{{"kind", "episode"},
                         {"step", 18},
                         {"episode", 1},
                         {"return", 18.0},
                         {"length", 18},
                         {"loss", nullptr},
                         {"mean_value", 0.25}});
  CHECK(lines[1].at("loss").get<double>() == 1.0 / 3);
  CHECK(lines[2] == json{{"kind", "evaluation"},
                         {"step", 50},
                         {"episode", 2},
                         {"return", 123.5},
                         {"loss", 1.0 / 3},
                         {"mean_value", 0.25}});
}

TEST_CASE("A sink that ends without the run's end keeps what it has; without a row it leaves nothing") {
  const TemporaryDirectory directory;
  {
    tools::JsonLines sink(directory.path()), idle(directory / "idle");
    tell(sink);
    idle.on_end({});
  }
  CHECK(json_lines_without_seconds(directory.path()).size() == 3);
  CHECK_FALSE(std::filesystem::exists(directory / "idle"));
  const tools::JsonLines::State nothing{};
  CHECK(nothing.size == 0);
  tools::JsonLines refused("/dev/null/folder");
  CHECK_THROWS_WITH(tell(refused), Contains("/dev/null/folder/metrics.jsonl: cannot create its directory"));
}

TEST_CASE("Event files need Protocol Buffers, and say so") {
  if (tools::EventFile::is_available()) return;
  CHECK_THROWS_WITH(tools::EventFile("folder"), Contains("MELLOW_WITH_TENSORBOARD"));
}

TEST_CASE("TensorBoard reads the events") {
  if (!tools::EventFile::is_available()) {
    WARN("SKIPPED: mellow was built without Protocol Buffers");
    return;
  }
  const TemporaryDirectory directory;
  {
    tools::EventFile sink(directory / "run");
    tell(sink);
    sink.on_end({});
  }
  CHECK(events_without_times(directory / "run").size() == 4);  // with the one that tells the format's version
  const std::string python = python_with("tensorboard");
  if (python.empty()) return;
  // The loader checks both checksums of each record; the accumulator is what TensorBoard shows.
  const char* const script =
      "import sys\n"
      "from tensorboard.backend.event_processing import event_accumulator, event_file_loader\n"
      "folder = sys.argv[1]\n"
      "loader = event_file_loader.LegacyEventFileLoader(folder + '/events.out.tfevents.mellow')\n"
      "print(len(list(loader.Load())), 'events')\n"
      "events = event_accumulator.EventAccumulator(folder).Reload()\n"
      "for tag in sorted(events.Tags()['scalars']):\n"
      "    print(tag, *(f'{e.step}:{e.value:.6g}' for e in events.Scalars(tag)))\n";
  const auto child = run_in_child([&]() -> int {
    ::execl("/bin/sh", "sh", "-c", (python + " -c \"$1\" \"$2\"").c_str(), "sh", script, (directory / "run").c_str(),
            nullptr);
    return 99;
  });
  CAPTURE(child.error);
  CHECK(child.status == 0);
  CHECK(child.out ==
        "4 events\n"
        "agent/loss 40:0.333333\n"
        "agent/mean_value 18:0.25 40:0.25\n"
        "evaluation/return 50:123.5\n"
        "training/length 18:18 40:22\n"
        "training/return 18:18 40:22\n");
}

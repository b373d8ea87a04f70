// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <mellow/core/error.hpp>
#include <mellow/tools/atomic_file.hpp>
#include <mellow/tools/command_line.hpp>
#include <mellow/tools/interrupt.hpp>
#include <mellow/tools/process.hpp>

#include "build.hpp"
#include "commands.hpp"
#include "json.hpp"
#include "parallel.hpp"

namespace mellow::suite {
namespace {

namespace fs = std::filesystem;

/// @{
/// The probe, and the share of its upper quartile below which the machine counts as slow. benchmarks/compare has the
/// same.
constexpr auto probe_program = "speed_gemm", probe_name = "gemm_256", probe_rate = "flop/s";
constexpr double quiet_share = 0.9;
/// @}

/// Runs a program of Google Benchmark; its JSON. Throws Error where it fails.
Json run_program(const fs::path& program, const std::string& filter, double seconds) {
  const auto result = tools::run_process(
      program.string(),
      {"--benchmark_filter=" + filter, fmt::format("--benchmark_min_time={}", seconds), "--benchmark_format=json"});
  if (!result) throw Error(program.string(), "there is no such program; build the preset release");
  if (result->status != 0)
    throw Error(program.string(), "failed: " + result->error.substr(0, result->error.find('\n')), result->status);
  if (result->out.empty())
    return {{"context", Json::object()}, {"benchmarks", Json::array()}};  // nothing fits the filter
  try {
    return Json::parse(result->out);
  } catch (const Json::exception& error) {
    throw Error(program.string(), fmt::format("prints no JSON: {}", error.what()));
  }
}

/// The names of a program's benchmarks that a filter chooses.
std::vector<std::string> names_in(const fs::path& program, const std::string& filter) {
  const auto result =
      tools::run_process(program.string(), {"--benchmark_filter=" + filter, "--benchmark_list_tests=true"});
  if (!result || result->status != 0)
    throw Error(program.string(), "cannot list its benchmarks: " + (result ? result->error : "it is missing"));
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin < result->out.size();) {
    const auto end = std::min(result->out.find('\n', begin), result->out.size());
    names.push_back(result->out.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

/// A row's processor time for one iteration, in ns.
double nanoseconds(const Json& row) {
  static const std::map<std::string, double> units{{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};
  return row.at("cpu_time").get<double>() * units.at(row.value("time_unit", "ns"));
}

std::string time_text(double nanoseconds) {
  if (nanoseconds < 1e3) return fmt::format("{:.4g} ns", nanoseconds);
  if (nanoseconds < 1e6) return fmt::format("{:.4g} us", nanoseconds / 1e3);
  if (nanoseconds < 1e9) return fmt::format("{:.4g} ms", nanoseconds / 1e6);
  return fmt::format("{:.4g} s", nanoseconds / 1e9);
}

/// A measured row, beside the slower of the probes around it.
struct Row {
  double nanoseconds, probe = std::nan("");
  bool slow = false;  // whether the probe fell into a slow spell
};

/// The rows of a file by program and name, in its order; of plain Google Benchmark files without probes.
std::vector<std::pair<std::string, Row>> rows_of(const fs::path& path, const Json& json) {
  try {
    std::vector<double> probes;
    if (json.contains("probes")) probes = json.at("probes").get<std::vector<double>>();
    std::ranges::sort(probes);
    const double upper_quartile = probes.empty() ? 0 : probes[probes.size() * 3 / 4];
    std::vector<std::pair<std::string, Row>> rows;
    for (const Json& benchmark : json.at("benchmarks")) {
      if (benchmark.value("run_type", "iteration") != "iteration" || benchmark.value("error_occurred", false)) continue;
      Row row{.nanoseconds = nanoseconds(benchmark)};
      if (benchmark.contains("probes")) {
        const auto around = benchmark.at("probes").get<std::vector<double>>();
        row.probe = *std::ranges::min_element(around);
        row.slow = row.probe < quiet_share * upper_quartile;
      }
      rows.emplace_back(benchmark.at("name").get<std::string>(), row);
    }
    return rows;
  } catch (const std::exception& error) {  // of JSON, or an unknown unit
    throw Error(path.string(), fmt::format("is not JSON of Google Benchmark: {}", error.what()));
  }
}

void print(const std::vector<std::pair<std::string, Row>>& now, const std::map<std::string, Row>& then) {
  std::size_t width = 9;
  for (const auto& [name, row] : now) width = std::max(width, name.size());
  fmt::print("{:<{}}  {:>10}", "benchmark", width, "time");
  if (!then.empty()) fmt::print("  {:>10}  {:>6}  {:>6}", "earlier", "speed", "probe");
  fmt::print("\n");
  bool any_slow = false;
  std::set<std::string> seen;
  for (const auto& [name, row] : now) {
    seen.insert(name);
    fmt::print("{:<{}}  {:>10}", name, width, time_text(row.nanoseconds));
    bool slow = row.slow;
    if (const auto found = then.find(name); found != then.end()) {
      const Row& old = found->second;
      slow = slow || old.slow;
      const double probe = row.probe / old.probe;
      fmt::print("  {:>10}  {:>6.3f}  {:>6}", time_text(old.nanoseconds), old.nanoseconds / row.nanoseconds,
                 std::isfinite(probe) ? fmt::format("{:.3f}", probe) : "-");
    } else if (!then.empty()) {
      fmt::print("  {:>10}  {:>6}  {:>6}", "-", "new", "-");
    }
    fmt::print("{}\n", slow ? "  slow spell" : "");
    any_slow = any_slow || slow;
  }
  std::size_t absent = 0;
  for (const auto& [name, row] : then) absent += !seen.contains(name);
  if (!then.empty())
    fmt::print("\nspeed: earlier time / time, above 1 is faster now; probe: the GEMM's rate now / then{}\n",
               absent > 0 ? fmt::format("; {} earlier rows were not measured now", absent) : "");
  if (any_slow) fmt::print("slow spell: beside a probe below 90% of the upper quartile; measure such rows again\n");
}

}  // namespace

void speed(int argc, const char* const* argv) {
  std::string filter = ".";
  fs::path against, output = "results/speed.json";
  double seconds = 0.5;
  CommandLine(
      "Runs the speed programs that lie beside this one and writes one JSON file of them all, with a probe (Eigen's "
      "GEMM) before and after each program.")
      .argument("FILTER", filter, "a regular expression that the names of benchmarks must contain")
      .option("--against", against, "an earlier file of this command, or of Google Benchmark, to compare with")
      .option("--output", output, "where the figures are written")
      .option("--seconds", seconds, "of each benchmark at least", {.minimum = 0.001, .maximum = 3600})
      .parse(argc, argv);
  std::map<std::string, Row> then;
  if (!against.empty()) {
    const auto earlier = read_json(against);
    if (!earlier) throw Error(against.string(), "cannot be read");
    for (auto& [name, row] : rows_of(against, *earlier)) then.emplace(name, row);
  }

  const fs::path folder = fs::read_symlink("/proc/self/exe").parent_path();
  std::vector<fs::path> programs;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    const bool own = name == "speed_replay_memory" || name == "speed_scaling";  // they are not Google Benchmark's
    if (name.starts_with("speed_") && !own) programs.push_back(entry.path());
  }
  std::ranges::sort(programs);
  std::erase_if(programs, [&](const fs::path& program) { return names_in(program, filter).empty(); });
  if (programs.empty())
    throw Error(
        "mellow_bench speed",
        fmt::format("no speed program in {} has a benchmark of this name; build the preset release", folder.string()),
        filter);

  std::vector<double> probes;
  const auto probe = [&] {
    const Json json = run_program(folder / probe_program, fmt::format("^{}$", probe_name), 0.2);
    probes.push_back(json.at("benchmarks").at(0).at(probe_rate).get<double>());
  };
  const tools::Interrupt interrupt;
  Json merged{{"context", Json::object()},
              {"build", build_description()},
              {"probe", probe_name},
              {"probes", {}},
              {"benchmarks", Json::array()}};
  probe();
  for (const fs::path& program : programs) {
    fmt::print(stderr, "{}\n", program.filename().string());
    const Json json = run_program(program, filter, seconds);
    if (tools::Interrupt::requested()) throw Error("mellow_bench speed", "interrupted; nothing was written");
    probe();
    merged["context"] = json.at("context");
    for (Json row : json.at("benchmarks")) {
      row["program"] = program.filename().string();
      row["probes"] = {probes[probes.size() - 2], probes.back()};
      merged["benchmarks"].push_back(std::move(row));
    }
  }
  merged["probes"] = probes;
  tools::write_file_atomically(output, merged.dump(1) + "\n");
  print(rows_of(output, merged), then);
  const auto [slowest, fastest] = std::ranges::minmax(probes);
  fmt::print("The probe ran at {:.3g} to {:.3g} GFLOP/s. Figures: {}\n", slowest / 1e9, fastest / 1e9, output.string());
}

}  // namespace mellow::suite

// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <thread>
#include <tuple>
#include <unistd.h>

#include <mellow/tools/checkpoints.hpp>
#include <mellow/tools/command_line.hpp>
#include <mellow/training/evaluate.hpp>

#include "agent.hpp"
#include "commands.hpp"
#include "json.hpp"
#include "scene.hpp"

namespace mellow::suite {
namespace {

namespace fs = std::filesystem;

/// A run's folder and the file with its parameters.
struct Found {
  fs::path folder;
  SavedParameters parameters;
};

/// The newest checkpoint that is whole.
SavedParameters newest_checkpoint(const fs::path& folder) {
  for (const fs::path& file : tools::checkpoint_files(folder)) {
    try {
      tools::load_saved_state(file);
      return {file, true};
    } catch (const Error& error) {
      fmt::print(stderr, "warning: {}; trying the checkpoint before it\n", error.what());
    }
  }
  throw Error(folder.string(), "holds no checkpoint that is whole");
}

/// What a path given by the user means: a run's folder (its best weights, else its newest checkpoint), a folder of
/// checkpoints, weights or a checkpoint.
Found find(const fs::path& path) {
  if (!fs::exists(path)) throw Error(path.string(), "there is no such file or folder");
  if (!fs::is_directory(path)) {
    const bool is_checkpoint = path.filename().string().starts_with("checkpoint-");
    const fs::path folder = fs::absolute(path).parent_path();
    return {is_checkpoint ? folder.parent_path() : folder, {path, is_checkpoint}};
  }
  if (!tools::checkpoint_files(path).empty())
    return {fs::absolute(path / "..").lexically_normal(), newest_checkpoint(path)};
  if (fs::exists(path / "seed-0")) throw Error(path.string(), "is a campaign; choose one of its runs, such as seed-0");
  if (const fs::path weights = path / "weights.safetensors"; fs::exists(weights)) return {path, {weights, false}};
  return {path, newest_checkpoint(path / "checkpoints")};
}

/// A run's configuration as it was written.
struct Run {
  std::string agent, environment;
  std::map<std::string, std::string> settings;
};

Run read_run(const fs::path& folder) {
  const fs::path path = folder / "config.json";
  const auto json = read_json(path);
  if (!json) throw Error(path.string(), "is missing: it tells agent, environment and settings");
  try {
    return {json->at("agent"), json->at("environment"), json->at("settings")};
  } catch (const Json::exception& error) {
    throw Error(path.string(), fmt::format("is not the configuration of a run: {}", error.what()));
  }
}

/// Gives an environment the state of wrappers that a file keeps under a prefix, such as the moments that normalise
/// observations.
void restore_environment(const fs::path& path, std::string_view prefix, AnyEnvironment& environment) {
  tools::Safetensors file = tools::load_saved_state(path);
  std::erase_if(file.tensors, [&](const tools::Tensor& tensor) { return !tensor.name.starts_with(prefix); });
  for (tools::Tensor& tensor : file.tensors) tensor.name.erase(0, prefix.size());
  std::visit([&](auto& e) { tools::restore_state(file, e); }, environment);
}

/// Shows what happens: keeps pictures, draws into a terminal.
class Spectator {
 public:
  Spectator(Scene scene, bool terminal, bool keep, double frames_per_second)
      : scene_(std::move(scene)),
        terminal_(terminal),
        keep_(keep),
        pause_(frames_per_second > 0 ? 1 / frames_per_second : 0) {}

  void see(const Sight& sight) {
    if (sight.begins) {
      ++episode_;
      step_ = 0;
      total_ = 0;
    } else {
      ++step_;
      total_ += sight.reward;
    }
    const std::string caption = fmt::format("episode {}, step {}, return {:.6g}", episode_, step_, total_);
    if (terminal_) show(sight, caption);
    if (!keep_) return;
    drawings_.push_back(scene_.draw(sight));
    drawings_.back().caption = caption;
  }

  const tools::Canvas& canvas() const { return scene_.canvas; }
  const std::vector<tools::Drawing>& drawings() const { return drawings_; }

 private:
  void show(const Sight& sight, const std::string& caption) {
    const std::string picture =
        scene_.as_map ? scene_.as_map(sight, true) : tools::in_characters(scene_.canvas, scene_.draw(sight), 60, true);
    std::string text = lines_ > 0 ? fmt::format("\x1b[{}A", lines_) : "";
    lines_ = 1;
    text += caption + "\x1b[K\n";
    for (std::size_t begin = 0; begin < picture.size();) {
      const auto end = picture.find('\n', begin);
      text += picture.substr(begin, end - begin) + "\x1b[K\n";
      begin = end + 1;
      ++lines_;
    }
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
    std::this_thread::sleep_for(std::chrono::duration<double>(pause_));
  }

  Scene scene_;
  bool terminal_, keep_;
  double pause_;
  Index episode_ = 0, step_ = 0;
  double total_ = 0;
  std::size_t lines_ = 0;  // of the last picture
  std::vector<tools::Drawing> drawings_;
};

/// `count` of a list, evenly chosen, the first and the last among them; all where there are no more.
std::vector<tools::Drawing> some(const std::vector<tools::Drawing>& all, std::size_t count) {
  if (all.size() <= count) return all;
  std::vector<tools::Drawing> chosen;
  for (std::size_t i = 0; i < count; ++i) chosen.push_back(all[i * (all.size() - 1) / (count - 1)]);
  return chosen;
}

}  // namespace

void watch(int argc, const char* const* argv) {
  std::string path;
  Index episodes = 1;
  std::uint64_t seed = 0;
  double frames_per_second = 30;
  bool frames = ::isatty(STDOUT_FILENO) != 0;
  fs::path gif, strip;
  CommandLine(
      "Lets a trained agent play, greedily, by what the run's config.json says of agent, environment and settings: in "
      "the terminal, and as pictures in a file.")
      .argument("PATH", path, "a run's folder (its best weights, else its newest checkpoint), weights or a checkpoint")
      .option("--episodes", episodes, "how many", {.minimum = 1, .maximum = 10'000})
      .option("--seed", seed, "of the episodes")
      .option("--frames", frames, "draws into the terminal; the default where there is one")
      .option("--fps", frames_per_second, "pictures a second; 0: as fast as it goes (GIF: 30)",
              {.minimum = 0, .maximum = 100})
      .option("--gif", gif, "a file for an animated GIF; of more than 1000 steps evenly chosen ones")
      .option("--strip", strip, "a file for a PNG of eight moments")
      .parse(argc, argv);
  for (const auto& [option, file, extension] : {std::tuple("--gif", &gif, ".gif"), {"--strip", &strip, ".png"}})
    if (!file->empty() && file->extension() != extension)
      throw Error(option, fmt::format("must end in {}", extension), file->string());
  const auto [folder, parameters] = find(path);
  const Run run = read_run(folder);
  const auto agent = agent_of(run.agent).make();
  EnvironmentConfig config(run.environment);
  if (config.entry.is_language) throw Error("mellow_bench watch", "a language model plays no episodes", run.agent);
  Settings settings;
  agent->describe(settings);
  settings.set_prefix("env.");
  config.describe(settings);
  config.describe_wrappers(settings);
  std::vector<std::string> assignments;
  for (const auto& [name, value] : run.settings) assignments.push_back(name + "=" + value);
  try {
    settings.set(assignments);
  } catch (const Error& error) {
    throw Error((folder / "config.json").string(), error.what());
  }
  const fs::path learned = folder / environment_file;
  if (config.normalize_observations && !parameters.is_checkpoint && !fs::exists(learned))
    throw Error(learned.string(),
                "is missing: its run is not over, and normalised observations by moments that weights do "
                "not hold; watch a checkpoint of it");

  if (!gif.empty() && gif == strip) throw Error("--strip", "must be another file than --gif", strip.string());
  Spectator spectator(scene_of(config), frames, !gif.empty() || !strip.empty(), frames_per_second);
  AnyEnvironment environment = config.make([&](const Sight& sight) { spectator.see(sight); });
  if (parameters.is_checkpoint) restore_environment(parameters.file, "environment.", environment);
  else if (config.normalize_observations) restore_environment(learned, "", environment);
  fmt::print("{} in {}, by {}\n", run.agent, run.environment, parameters.file.string());
  std::fflush(stdout);
  const std::vector<double> returns =
      agent->play(environment, parameters, episodes, Rng(seed, training::streams::test));
  for (std::size_t i = 0; i < returns.size(); ++i) fmt::print("episode {}: return {:.6g}\n", i + 1, returns[i]);
  if (returns.size() > 1) fmt::print("mean return: {:.6g}\n", training::mean(returns));
  if (!gif.empty()) {
    const double fps = frames_per_second > 0 ? frames_per_second : 30;
    tools::save_animation(gif, spectator.canvas(), some(spectator.drawings(), 1'000), 1 / fps);
    fmt::print("GIF: {}\n", gif.string());
  }
  if (!strip.empty()) {
    tools::save_strip(strip, spectator.canvas(), some(spectator.drawings(), 8), 4);
    fmt::print("Strip: {}\n", strip.string());
  }
}

}  // namespace mellow::suite

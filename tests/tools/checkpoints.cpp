// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <ranges>
#include <stdexcept>
#include <tuple>

#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/tools/checkpoints.hpp>
#include <mellow/tools/event_file.hpp>
#include <mellow/tools/json_lines.hpp>
#include <mellow/tools/recorder.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/dqn.hpp>

#include "support/catch.hpp"
#include "support/records.hpp"
#include "support/temporary_directory.hpp"

using namespace mellow;
using Catch::Contains;

namespace {

using Cart = environments::TimeLimit<environments::CartPole>;

auto make_agent() {
  return value::Dqn(nn::Mlp({4, 8, 2}), {.batch_size = 8, .learning_starts = 50, .seed = 3},
                    data::UniformReplay{.capacity = 500});
}

/// Ends a run in the way of a crash.
struct CrashAt {
  std::int64_t step;
  void on_step(const training::RunStatus& status) const {
    if (status.step == step) throw std::runtime_error("crash");
  }
};

constexpr training::RunOptions options{.steps = 1'000, .evaluate_every = 300, .evaluation_episodes = 2, .seed = 5};

/// A run that may crash, whose rows and checkpoints lie in a folder.
template <class Agent>
auto run(Agent& agent, const std::filesystem::path& folder, std::int64_t crash = -1,
         const training::RunOptions& numbers = options) {
  tools::Recorder recorder(folder, {.progress = false});
  tools::JsonLines json_lines(folder);
  std::optional<tools::EventFile> events;
  if (tools::EventFile::is_available()) events.emplace(folder);
  tools::Checkpoints checkpoints(folder / "checkpoints", {.every = 100});
  const auto train = [&](auto&... sinks) {
    return training::train(agent, Cart(environments::CartPole{}, 60), numbers, recorder, json_lines, sinks...,
                           checkpoints, CrashAt{crash});
  };
  return events ? train(*events) : train();
}

/// The rows of metrics.csv without the seconds.
std::vector<std::string> rows(const std::filesystem::path& folder) {
  std::vector<std::string> result;
  std::ifstream file(folder / "metrics.csv");
  for (std::string line; std::getline(file, line);) {
    std::size_t begin = 0;
    for (int cell = 0; cell < 5; ++cell) begin = line.find(',', begin) + 1;
    line.erase(begin, line.find(',', begin) - begin);
    result.push_back(line);
  }
  return result;
}

void flip_a_bit(const std::filesystem::path& path, std::streamoff at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(at);
  const int byte = file.get();
  file.seekp(at);
  file.put(static_cast<char>(byte ^ 1));
}

}  // namespace

TEST_CASE("A run that crashes and is started again ends as one that did not") {
  const TemporaryDirectory directory;
  auto whole = make_agent();
  const auto expected = run(whole, directory / "whole");
  CHECK_FALSE(std::filesystem::exists(directory / "whole/checkpoints"));
  for (const std::int64_t crash : {50, 100, 101, 300, 555, 999, 1000}) {
    const auto folder = directory / fmt::format("crash{}", crash);
    for (const std::int64_t step : {crash, std::min<std::int64_t>(crash + 150, 1000)}) {  // it crashes twice
      auto agent = make_agent();
      CHECK_THROWS_WITH(run(agent, folder, step), "crash");
    }
    auto agent = make_agent();
    const auto result = run(agent, folder);
    CHECK(first_difference(agent, whole).empty());
    CHECK(first_difference(result.environment, expected.environment).empty());
    CHECK(result.best_parameters == expected.best_parameters);
    CHECK(
        std::tuple(result.steps, result.episodes, result.best_step, result.best_return, result.mean_return) ==
        std::tuple(expected.steps, expected.episodes, expected.best_step, expected.best_return, expected.mean_return));
    CHECK(rows(folder) == rows(directory / "whole"));
    CHECK(json_lines_without_seconds(folder) == json_lines_without_seconds(directory / "whole"));
    CHECK(events_without_times(folder) == events_without_times(directory / "whole"));
  }
}

TEST_CASE("A run that is stopped keeps its last step, and a longer budget prolongs it") {
  const TemporaryDirectory directory;
  auto whole = make_agent(), agent = make_agent();
  run(whole, directory / "whole");
  {
    tools::Checkpoints checkpoints(directory / "checkpoints", {.every = 1'000'000});
    struct StopAt333 {
      bool on_step(const training::RunStatus& status) { return status.step != 333; }
    } stop;
    const auto stopped =
        training::train(agent, Cart(environments::CartPole{}, 60), options, tools::Checkpoints(checkpoints), stop);
    CHECK(stopped.end == training::RunEnd::Stopped);
  }
  CHECK(std::filesystem::exists(directory / "checkpoints/checkpoint-333.safetensors"));
  auto later = make_agent();
  tools::Checkpoints checkpoints(directory / "checkpoints");
  training::train(later, Cart(environments::CartPole{}, 60), options, checkpoints);
  CHECK(first_difference(later, whole).empty());
}

TEST_CASE("The end of a run may be kept for what follows it") {
  const TemporaryDirectory directory;
  auto agent = make_agent();
  const auto train = [&](auto& trained, const training::RunOptions& chosen) {
    tools::Checkpoints checkpoints(directory.path(), {.every = 1'000'000, .keep_end = true});
    return training::train(trained, Cart(environments::CartPole{}, 60), chosen, checkpoints);
  };
  const auto first = train(agent, options);
  REQUIRE(tools::checkpoint_files(directory.path()).size() == 1);
  auto later = make_agent();
  const auto second = train(later, options);
  CHECK(first_difference(later, agent).empty());
  CHECK((second.steps == first.steps && second.best_return == first.best_return && second.end == first.end));

  auto reaching = options;
  reaching.stop_at_return = 1;  // reached already: CartPole pays 1 a step
  auto third = make_agent();
  const auto reached = train(third, reaching);
  CHECK((reached.end == training::RunEnd::ReturnReached && reached.steps == first.steps));
  tools::Checkpoints(directory.path()).finish();
  CHECK(!std::filesystem::exists(directory.path()));
}

TEST_CASE("The last two checkpoints are kept, and a damaged one is passed over") {
  const TemporaryDirectory directory;
  tools::Checkpoints checkpoints(directory.path(), {.every = 10});
  Rng rng(1);
  std::int64_t step = 0;
  std::vector<double> draws;
  auto state = std::tie(step, rng, draws);
  CHECK_FALSE(checkpoints.restore(state));
  while (step < 45) {
    draws.push_back(rng.uniform());
    checkpoints.save_when_due(++step, state);
  }
  const auto newest = directory / "checkpoint-40.safetensors", older = directory / "checkpoint-30.safetensors";
  CHECK(std::distance(std::filesystem::directory_iterator(directory.path()), {}) == 2);

  const auto taken_up = [&] {
    Rng other_rng;
    std::int64_t other_step = 0;
    std::vector<double> other_draws;
    auto other = std::tie(other_step, other_rng, other_draws);
    CHECK(checkpoints.restore(other));
    CHECK(std::ranges::equal(other_draws, draws | std::views::take(other_step)));
    while (other_step < 45) {
      other_draws.push_back(other_rng.uniform());
      ++other_step;
    }
    CHECK(other_draws == draws);
    return other_draws.size();
  };
  taken_up();
  for (std::streamoff at = 0; at < static_cast<std::streamoff>(std::filesystem::file_size(newest)); ++at) {
    flip_a_bit(newest, at);  // any byte: the length, the names, the texts, the numbers
    CHECK_THROWS_AS(tools::load_saved_state(newest), Error);
    flip_a_bit(newest, at);
  }
  flip_a_bit(newest, 100);
  taken_up();
  std::filesystem::resize_file(older, 7);
  CHECK_THROWS_WITH(checkpoints.restore(state), Contains("none is whole") && Contains("delete them"));
  checkpoints.finish();
  CHECK_FALSE(std::filesystem::exists(directory.path()));
}

TEST_CASE("A checkpoint of another run is refused, and nothing is changed") {
  const TemporaryDirectory directory;
  auto agent = make_agent();
  CHECK_THROWS_WITH(run(agent, directory.path(), 250), "crash");

  auto fresh = make_agent();
  auto numbers = options;
  numbers.seed = 6;
  CHECK_THROWS_WITH(run(fresh, directory.path(), -1, numbers), Contains("its seed is 5, here it is 6"));
  numbers = options;
  numbers.evaluate_every = 0;
  CHECK_THROWS_WITH(run(fresh, directory.path(), -1, numbers), Contains("its evaluate_every is 300, here it is 0"));
  CHECK(first_difference(fresh, make_agent()).empty());

  value::Dqn other(nn::Mlp({4, 8, 2}), {.batch_size = 8}, value::Polyak{});
  CHECK_THROWS_WITH(run(other, directory.path()), Contains("type of state") && Contains("Polyak"));
  value::Dqn wider(nn::Mlp({4, 9, 2}), {.batch_size = 8}, data::UniformReplay{.capacity = 500});
  CHECK_THROWS_WITH(run(wider, directory.path()), Contains("agent.learner.online") && Contains("another size"));

  const auto state = std::tuple(1.0);
  tools::Checkpoints first(directory / "settings", {.settings = {{"learning_rate", "0.1"}}});
  first.save(1, state);
  auto there = state;
  tools::Checkpoints second(directory / "settings", {.settings = {{"learning_rate", "0.2"}}});
  CHECK_THROWS_WITH(second.restore(there), Contains("its learning_rate is 0.1, here it is 0.2"));
  tools::Checkpoints third(directory / "settings");
  CHECK_THROWS_WITH(third.restore(there), Contains("its learning_rate is 0.1, here it is none"));
  tools::Checkpoints anew(directory / "settings", {.resume = false});
  CHECK_FALSE(anew.restore(there));
  CHECK_THROWS_AS(tools::Checkpoints(directory.path(), {.every = 0}), Error);
}

TEST_CASE("A checkpoint of another version is refused, one of another processor is taken up") {
  const TemporaryDirectory directory;
  tools::Checkpoints checkpoints(directory.path());
  auto state = std::tuple(1.0);
  checkpoints.save(1, state);
  const auto path = directory / "checkpoint-1.safetensors";
  const auto rewrite = [&](const char* key, const char* text) {
    auto metadata = tools::load_saved_state(path).metadata;
    CHECK(metadata.contains(key));
    metadata[key] = text;
    tools::save_state(path, state, metadata);
  };
  rewrite("processor", "abacus");
  std::get<0>(state) = 2.0;
  CHECK(checkpoints.restore(state));
  CHECK(state == std::tuple(1.0));
  rewrite("mellow.version", "0.0.1");
  CHECK_THROWS_WITH(checkpoints.restore(state), Contains("version of mellow is 0.0.1"));
}

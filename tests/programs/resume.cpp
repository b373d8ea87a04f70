// SPDX-License-Identifier: Apache-2.0
// Kills campaigns at moments that nobody chose, starts them again, and compares what they leave with undisturbed ones.
// MELLOW_KILLS says how often (5).
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include <mellow/tools/event_file.hpp>

#include "support/program.hpp"

namespace fs = std::filesystem;

namespace {

using Seconds = std::chrono::duration<double>;

/// A command line for each way in which an agent keeps state.
const std::vector<std::string> campaigns{
    "--agent dqn --env CartPole-v1 --steps 4000 --set replay=prioritized --set replay.steps=3 --set tracking=polyak",
    "--agent dqn --env MountainCar-v0 --steps 4000 --set optimizer=rmsprop --set exploration=boltzmann "
    "--set optimizer.square=centred --set optimizer.debias=true --set optimizer.momentum=0.5 "
    "--set env.normalize_observations=true --set env.normalize_rewards=true --set learning_starts=200",
    "--agent dqn --env Pendulum-v1 --steps 3000 --set env.action_levels=5 --set env.action_repeat=2 "
    "--set optimizer=sgd --set backup=double_q --set env.action_copies=2 --set head=similarity --set head.copies=2 "
    "--set tracking=replicate --set tracking.every=100 --set tracking.steps=10",
    "--agent dqn --env MinAtar/Breakout-v1 --steps 2000 --set network=minatar_linear --set observations=bits "
    "--set head=quantile --set head.quantiles=8 --set update_every=4 --set pull=proximal --set pull.c=0.05 "
    "--set reset=target_change --set tracking.every=40 --set learning_starts=100 --set initializer=glorot",
    "--agent rainbow --env CartPole-v1 --steps 2000 --set hidden=16 --set head.v_max=100 --set tracking=replicate "
    "--set tracking.every=50 --set tracking.steps=10 --set reset=random --set target_noise=0.5 --set pull=penalty",
    "--agent q_learning --env FrozenLake-v1 --steps 300000 --set traces=replacing",
    "--agent sarsa --env passenger-taxi --steps 200000 --set traces=dutch --set exploration=mellowmax",
    "--agent expected_sarsa --env cliff-walking --steps 200000 --set traces=accumulating",
    "--agent reinforce --env CartPole-v1 --steps 60000 --set head=mellowmax",
    "--agent double_q_learning --env FrozenLake8x8-v1 --steps 300000",
    "--agent supervised --env long-addition --steps 400 --evaluate-every 90 --checkpoint-every 40 --set env.digits=1 "
    "--set env.examples=300 --set model.context=12 --set model.width=16 --set micro_batch_size=10",
    "--agent preference --data PAIRS --steps 400 --evaluate-every 90 --checkpoint-every 40 --set loss=orpo "
    "--set model=llama --set model.context=12 --set model.width=16 --set batch_size=4 --set lora.rank=2 "
    "--set record_pairs=30",
};

/// `PAIRS` stands for a file of preference pairs beside the output.
std::string command(std::string campaign, const fs::path& output) {
  if (const auto at = campaign.find("PAIRS"); at != campaign.npos) {
    const fs::path pairs = output.parent_path() / "pairs.jsonl";
    if (!fs::exists(pairs))
      for (std::ofstream file(pairs); const char letter : std::string("abcdefghijkl"))
        file << fmt::format(R"({{"prompt": "{0}", "chosen": "{0}{0}", "rejected": "z"}})", letter) << '\n';
    campaign.replace(at, 5, pairs.string());
  }
  return "mellow_bench train --seeds 2 --sinks csv,jsonl" +
         std::string(mellow::tools::EventFile::is_available() ? ",tensorboard" : "") +
         " --evaluate-every 1000 --evaluation-episodes 2 --test-episodes 3 --checkpoint-every 700 " + campaign +
         " --output " + output.string();
}

/// Starts a campaign and kills it after a while; says whether it was still running.
bool is_killed(const std::string& campaign, Seconds after) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (std::freopen("/dev/null", "w", stdout) == nullptr || std::freopen("/dev/null", "w", stderr) == nullptr)
      std::_Exit(99);
    become("exec " + campaign);
  }
  std::this_thread::sleep_for(after);
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status);
}

}  // namespace

TEST_CASE("A campaign that is killed and started again leaves what an undisturbed one leaves") {
  const char* const wanted = std::getenv("MELLOW_KILLS");
  const int kills = wanted != nullptr ? std::atoi(wanted) : 5;
  std::mt19937 random(std::random_device{}());
  int killed = 0;
  for (std::size_t i = 0; killed < kills || i < campaigns.size(); ++i) {
    const TemporaryDirectory directory;
    const std::string& campaign = campaigns[i % campaigns.size()];
    CAPTURE(campaign);
    const auto start = std::chrono::steady_clock::now();
    REQUIRE(run(command(campaign, directory / "whole")).status == 0);
    const Seconds whole = std::chrono::steady_clock::now() - start;
    for (int times = 0; times < 2 && killed < kills; ++times)
      killed +=
          is_killed(command(campaign, directory / "killed"), whole * std::uniform_real_distribution(0.1, 0.9)(random));
    const auto last = run(command(campaign, directory / "killed"));
    CAPTURE(last.error);
    REQUIRE(last.status == 0);
    check_same_results(directory / "whole", directory / "killed");
  }
  WARN("killed " << killed << " times");
}

TEST_CASE("Every agent of the suite is among those that are killed") {
  std::istringstream text(run("mellow_bench list").out);
  bool agents = false;
  for (std::string line; std::getline(text, line);) {
    if (line.empty() || line.back() == ':') agents = line.starts_with("Agents");
    if (!agents || !line.starts_with("  ")) continue;
    const std::string name = line.substr(2, line.find(' ', 2) - 2);
    CAPTURE(name);
    CHECK(std::ranges::any_of(
        campaigns, [&](const std::string& campaign) { return campaign.starts_with("--agent " + name + " "); }));
  }
}

// SPDX-License-Identifier: Apache-2.0
// Runs bin/mellow_bench as a user would.
#include <nlohmann/json.hpp>

#include <fstream>
#include <regex>
#include <sstream>
#include <vector>

#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/nn/rmsprop.hpp>
#include <mellow/tools/csv_table.hpp>
#include <mellow/tools/weights.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/dqn.hpp>

#include "support/program.hpp"

using namespace mellow;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {
const std::string small = " --evaluate-every 400 --evaluation-episodes 2 --test-episodes 3 --output ";
}  // namespace

TEST_CASE("The results of a campaign do not depend on how many runs go on at a time") {
  const TemporaryDirectory directory;
  const std::string campaign = "mellow_bench train --agent dqn --env CartPole-v1 --steps 1500 --seeds 3" + small;
  REQUIRE(run(campaign + (directory / "one").string() + " --jobs 1").status == 0);
  REQUIRE(run(campaign + (directory / "two").string() + " --jobs 2").status == 0);
  check_same_results(directory / "one", directory / "two");
  const auto files = results_in(directory / "one");
  for (const char* file : {"results.csv", "summary.json", "learning_curve.svg", "seed-2/config.json",
                           "seed-2/metrics.csv", "seed-2/weights.safetensors", "seed-2/summary.json"})
    CHECK(files.contains(file));
}

TEST_CASE("An agent that is put together at run time gives the bits of the plain one") {
  for (const char* preset :
       {"cartpole", "acrobot", "mountain-car", "mountain-car-continuous", "pendulum", "puddle-world"}) {
    CAPTURE(preset);
    const TemporaryDirectory directory;
    const auto options = fmt::format(" --preset {} --steps 2500 --output ", preset);
    const auto plain = run("dqn_presets --seed 0" + options + (directory / "plain").string());
    const auto suite = run("mellow_bench train" + options + (directory / "suite").string());
    CAPTURE(plain.error, suite.error);
    REQUIRE((plain.status == 0 && suite.status == 0));
    for (const char* file : {"weights.safetensors", "metrics.csv"}) {
      CAPTURE(file);
      CHECK((without_seconds(directory / "plain" / file) == without_seconds(directory / "suite/seed-0" / file)));
    }
  }
}

TEST_CASE("A policy that is put together at run time gives the bits of the plain one") {
  for (const char* head : {"softmax", "mellowmax"}) {
    CAPTURE(head);
    const TemporaryDirectory directory;
    const auto plain =
        run(fmt::format("reinforce --steps 6000 --head {} --output {}", head, (directory / "plain").string()));
    const auto suite = run(
        fmt::format("mellow_bench train --agent reinforce --env CartPole-v1 --steps 6000 --evaluate-every 5000 --set "
                    "head={} --output {}",
                    head, (directory / "suite").string()));
    CAPTURE(plain.error, suite.error);
    REQUIRE((plain.status == 0 && suite.status == 0));
    for (const char* file : {"weights.safetensors", "metrics.csv"}) {
      CAPTURE(file);
      CHECK((without_seconds(directory / "plain" / file) == without_seconds(directory / "suite/seed-0" / file)));
    }
  }
}

TEST_CASE("RMSProp's choices reach the optimiser") {
  using nn::RMSProp;
  const std::vector<std::pair<std::string, RMSProp>> cases{
      {"", {}},
      {" --set optimizer.square=centred", {.square = RMSProp::Square::Centred}},
      {" --set optimizer.epsilon_place=inside_root", {.epsilon_place = RMSProp::Epsilon::InsideRoot}},
      {" --set optimizer.debias=true", {.debias = true}}};
  for (const auto& [settings, optimizer] : cases) {
    CAPTURE(settings);
    const TemporaryDirectory directory;
    const auto suite = run(
        "mellow_bench train --agent dqn --env CartPole-v1 --steps 1200 --evaluate-every 1200 --set optimizer=rmsprop" +
        settings + " --output " + directory.path().string());
    CAPTURE(suite.error);
    REQUIRE(suite.status == 0);
    value::Dqn agent(nn::Mlp{{4, 64, 64, 2}}, optimizer);
    training::train(agent, environments::TimeLimit(environments::CartPole{}, 500),
                    {.steps = 1200, .evaluate_every = 0});
    const auto kept = tools::load_weights(directory / "seed-0/weights.safetensors", agent.network());
    CHECK(agent.parameters() == kept);
  }
}

TEST_CASE("Runs may be spread over MPI's ranks") {
  if (run("mellow_bench --version").out.find("MPI") == std::string::npos || run("command -v mpirun").status != 0) {
    WARN("SKIPPED: built without MPI, or mpirun is not installed");
    return;
  }
  const TemporaryDirectory directory;
  const std::string campaign = "mellow_bench train --agent sarsa --env FrozenLake-v1 --steps 3000 --seeds 3" + small;
  REQUIRE(run(campaign + (directory / "one").string()).status == 0);
  const auto ranks = run("mpirun --allow-run-as-root --oversubscribe -n 2 " + campaign + (directory / "two").string());
  CAPTURE(ranks.error);
  REQUIRE(ranks.status == 0);
  check_same_results(directory / "one", directory / "two");
}

TEST_CASE("What is finished is not run again, and a folder of other settings is refused") {
  const TemporaryDirectory directory;
  const std::string output = directory.path().string();
  const std::string base = "mellow_bench train --agent q_learning --env FrozenLake-v1 --steps 2000" + small + output;
  REQUIRE(run(base).status == 0);
  const auto before = fs::last_write_time(directory / "seed-0/metrics.csv");
  REQUIRE(run(base + " --seeds 2").status == 0);  // one more
  CHECK(fs::last_write_time(directory / "seed-0/metrics.csv") == before);
  CHECK(fs::exists(directory / "seed-1/summary.json"));
  const auto other = run(base + " --set learning_rate=0.2");
  CHECK(other.status == 1);
  CHECK_THAT(other.error, Contains("settings/learning_rate") && Contains("0.1") && Contains("0.2"));
}

TEST_CASE("All folders of a campaign are looked at before its first run") {
  const TemporaryDirectory directory;
  const std::string command =
      "mellow_bench train --agent q_learning --env FrozenLake-v1 --steps 2000" + small + directory.path().string();
  REQUIRE(run(command + " --first-seed 1").status == 0);
  const auto child = run(command + " --seeds 2 --set discount=0.5");
  CHECK(child.status == 1);
  CHECK_THAT(child.error, Contains("seed-1/config.json: is of another campaign"));
  CHECK_FALSE(fs::exists(directory / "seed-0"));
}

TEST_CASE("Nobody else's table is overwritten, and a reproduction that is refused leaves no folder") {
  const TemporaryDirectory directory;
  const std::string output = directory.path().string();
  std::ofstream(directory / "results.csv") << "mine";
  for (const std::string& command :
       {"mellow_bench train --agent q_learning --env FrozenLake-v1 --steps 2000" + small + output,
        "mellow_bench reproduce td_convergence --output " + output}) {
    const auto child = run(command);
    CHECK(child.status == 1);
    CHECK_THAT(child.error, Contains(output + "/results.csv: is not of this command"));
    CHECK(directory.size() == 1);
    CHECK(read_file(directory / "results.csv") == "mine");
  }
  fs::rename(directory / "results.csv", directory / "claims.md");
  CHECK_THAT(run("mellow_bench reproduce td_convergence --output " + output).error,
             Contains(output + "/claims.md: is not of this command"));
  CHECK(read_file(directory / "claims.md") == "mine");
  fs::remove(directory / "claims.md");
  std::ofstream(directory / "learning_curve.png") << "mine";
  const auto drawn = run("mellow_bench train --agent q_learning --env FrozenLake-v1 --steps 2000" + small + output);
  CHECK_THAT(drawn.error, Contains(output + "/learning_curve.png: is not of this command"));
  CHECK(directory.size() == 1);
  for (const char* const table : {"none.csv", "learning_curve.png"}) {
    CHECK(run("cd '" + output + "'; mellow_bench reproduce c2_dpo --output a/b --results " + table).status == 1);
    CHECK(directory.size() == 1);
  }
}

TEST_CASE("Without --output a campaign is in a folder of its preset's name, or of its agent's and environment's") {
  const TemporaryDirectory directory;
  const std::string base = "cd '" + directory.path().string() + "'; mellow_bench train --steps 200 --evaluate-every 0 ";
  REQUIRE(run(base + "--preset cliff").status == 0);
  REQUIRE(run(base + "--agent q_learning --env cliff-walking").status == 0);
  for (const char* name : {"cliff", "q_learning-cliff-walking"})
    CHECK(fs::exists(directory / "results" / name / "results.csv"));
}

TEST_CASE("A run in which no episode ends, and nothing is evaluated, has a table without rows") {
  const TemporaryDirectory directory;
  const auto done =
      run("mellow_bench train --agent dqn --env Acrobot-v1 --steps 50 --evaluate-every 0 "
          "--test-episodes 1 --output " +
          directory.path().string());
  CHECK(done.status == 0);
  CHECK(done.error == "");
  CHECK(tools::CsvTable(directory / "seed-0/metrics.csv").rows() == 0);
}

TEST_CASE("A run that diverges is named") {
  const TemporaryDirectory directory;
  const std::string output = (directory / "out").string();
  const auto child = run("mellow_bench train --agent dqn --env CartPole-v1 --steps 3000 --first-seed 7" + small +
                         output + " --set optimizer=sgd --set optimizer.learning_rate=1e30");
  CHECK(child.status == 1);
  CHECK_THAT(child.error, Contains(output + "/seed-7: value::Dqn: ") && Contains("is not finite"));
}

TEST_CASE("What is not known is refused with what was meant") {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"tran", "did you mean train?"},
      {"train --agent dqm --env CartPole-v1", "did you mean dqn?"},
      {"train --agent dqn --env CartPole", "did you mean CartPole-v"},
      {"train --agent dqn --env cart-pole", "did you mean CartPole-v1?"},
      {"train --agent dqn --env CartPole-v1 --set learning_rate=1", "did you mean optimizer.learning_rate?"},
      {"train --preset cartpol", "did you mean cartpole?"},
      {"train --preset cartpole --env Acrobot-v1", "the preset cartpole is for CartPole-v1"},
      {"train --agent dqn --env CartPole-v1 --set discont=1", "did you mean discount?"},
      {"train --agent dqn --env CartPole-v1 --set discount=2", "discount must lie in [0, 1]"},
      {"train --agent dqn --env CartPole-v1 --set discount=much", "discount must be a number"},
      {"train --agent dqn --env CartPole-v1 --set backup=doubleq", "did you mean double_q?"},
      {"train --agent dqn --env CartPole-v1 --set tracking.tau=0.1", "belongs to tracking=polyak"},
      {"train --agent rainbow --env CartPole-v1 --set loss=huber", "loss belongs to head=scalar or similarity"},
      {"train --agent dqn --env MinAtar/Breakout-v1 --set network=minatar --set hidden=8", "belongs to network=mlp"},
      {"train --agent sarsa --env chain --set traces.lambda=0.5", "belongs to traces=accumulating or replacing"},
      {"train --agent dqn --env CartPole-v1 --set optimizer.square=centred", "belongs to optimizer=rmsprop"},
      {"train --agent dqn --env CartPole-v1 --set optimizer=rmsprop --set optimizer.square=centered", "mean centred?"},
      {"train --agent dqn --env CartPole-v1 --set exploration.epsilon=linear:1:0", "SHAPE:FROM:TO:STEPS"},
      {"train --agent dqn --env CartPole-v1 --set exploration.epsilon=hold:5:hold:7:0.1", "held already"},
      {"train --agent dqn --env CartPole-v1 --set head=similarity --set head.copies=3",
       "copies must divide the 2 actions"},
      {"train --agent dqn --env CartPole-v1 --set observations=bits", "bounds are 0 and 1"},
      {"train --agent dqn --env CartPole-v1 --set reset=every --set reset.every=0", "reset.every: must be positive"},
      {"train --agent dqn --env Pendulum-v1 --set env.action_levels=-1", "must not be negative"},
      {"train --agent supervised --env long-addition --set model.context=100000000", "must have at most 2147483648"},
      {"train --agent supervised --env long-addition --set lora.rank=1000", "at most the model's width of 64"},
      {"train --agent supervised --data a.jsonl --set env.file=b.jsonl", "give one of them"},
      {"train --agent dqn --env CartPole-v1 --set env.action_copies=0", "copies must be positive"},
      {"train --agent reinforce --env Pendulum-v1 --set env.action_copies=2", "set action_levels"},
      {"train --agent dqn --env FrozenLake-v1", "observations that are vectors"},
      {"train --agent dqn --env Pendulum-v1", "discrete actions"},
      {"train --agent sarsa --env CartPole-v1", "indices"},
      {"train --agent dqn --env CartPole-v1 --set env.action_levels=3", "discrete already"},
      {"train --agent q_learning --env chain --set env.states=1000000000", "env.states: must be at most"},
      {"train --agent q_learning --env chain --set traces=accumulating traces.lambda=nan", "lambda must lie in [0, 1]"},
      {"train --agent sarsa --env chain --set traces=replacing traces.lambda=3", "lambda must lie in [0, 1]"},
      {"train --agent sarsa --env chain --set traces=replacing traces.lambda=abc", "traces.lambda must be a number"},
      {"train --agent sarsa --env chain --seeds 2 --first-seed 18446744073709551615", "leaves no room for 2 seeds"},
      {"watch results --gif weights.safetensors", "--gif: must end in .gif"},
      {"reproduce td_convergenc", "did you mean td_convergence?"},
      {"reproduce", "PAPER: missing"},
      {"reproduce c2_dpo --results r.csv --full", "whose number and scale are given"},
      {"reproduce c2_dpo --results no.csv", "no.csv"},
      {"reproduce td_convergence --output /proc/nowhere", "/proc/nowhere"},
      {"trace CartPole-v1", "either --actions FILE or --random"},
  };
  const TemporaryDirectory directory;
  for (const auto& [arguments, message] : cases) {
    const auto child = run("cd " + directory.path().string() + "; mellow_bench " + arguments);
    CAPTURE(arguments, child.error);
    CHECK(child.status > 0);
    CHECK_THAT(child.error, Contains(message));
    CHECK(std::ranges::count(child.error, '\n') == 1);
  }
}

TEST_CASE("A trace follows given actions, and episodes begin with a row of their own") {
  const TemporaryDirectory directory;
  const auto actions = directory / "actions.csv";
  std::ofstream(actions) << "a0\n"
                         << [] {
                              std::string rows;
                              for (int i = 0; i < 30; ++i)
                                rows += "1\n";  // a pole that is pushed one way falls in about ten steps
                              return rows;
                            }();
  const auto child = run("mellow_bench trace CartPole-v1 --seed 7 --actions " + actions.string());
  REQUIRE(child.status == 0);
  std::istringstream table(child.out);
  std::string line, before;
  std::getline(table, line);
  CHECK(line == "kind,episode,step,a0,o0,o1,o2,o3,reward,terminated,truncated");
  int steps = 0, resets = 0;
  for (; std::getline(table, line); before = line) {
    const bool reset = line.starts_with("reset," + std::to_string(resets) + ",0,,");
    CHECK(reset != line.starts_with("step," + std::to_string(resets - 1) + ","));
    CHECK(reset == (before.empty() || before.ends_with(",1,0")));  // after each end, and only there
    steps += !reset;
    resets += reset;
    if (reset) CHECK(line.ends_with(",,,"));
  }
  CHECK(steps == 30);
  CHECK(resets >= 3);
  CHECK(run("mellow_bench trace Pendulum-v1 --seed 1 --random --steps 50").out ==
        run("mellow_bench trace Pendulum-v1 --seed 1 --random --steps 50").out);

  std::ofstream(directory / "bad.csv") << "a0\n0\n2\n";
  CHECK_THAT(run("mellow_bench trace CartPole-v1 --actions " + (directory / "bad.csv").string()).error,
             Contains("bad.csv:3") && Contains("a whole number from 0 to 1"));
  std::ofstream(directory / "nan.csv") << "a0\n1\nnan\n";
  CHECK_THAT(run("mellow_bench trace Pendulum-v1 --actions " + (directory / "nan.csv").string()).error,
             Contains("nan.csv:3") && Contains("finite numbers"));
}

TEST_CASE("Everything that is listed has a line, and every environment makes steps") {
  const auto child = run("mellow_bench list");
  REQUIRE(child.status == 0);
  std::istringstream text(child.out);
  bool environments = false;
  int traced = 0;
  for (std::string line; std::getline(text, line);) {
    if (line.empty() || line.back() == ':') environments = line.starts_with("Environments");
    if (!environments || !line.starts_with("  ")) continue;
    const std::string name = line.substr(2, line.find(' ', 2) - 2);
    CAPTURE(name);
    const auto trace = run("mellow_bench trace " + name + " --random --steps 20");
    CHECK(trace.status == 0);
    CHECK(std::ranges::count(trace.out, '\n') >= 22);
    ++traced;
  }
  CHECK(traced >= 15);
}

TEST_CASE("A reproduction judges every claim of its paper") {
  const TemporaryDirectory directory;
  const auto child = run("mellow_bench reproduce td_convergence --quick --output " + directory.path().string());
  CAPTURE(child.error);
  REQUIRE(child.status == 0);
  const auto summary = nlohmann::json::parse(read_file(directory / "summary.json"));
  REQUIRE(summary.at("claims").size() == 11);
  const std::string printed = "In the linear case F_theta is the largest eigenvalue of M_theta";  // a slip of the paper
  for (const auto& claim : summary.at("claims")) {
    CAPTURE(claim.dump());
    CHECK(claim.at("verdict") == (claim.at("claim") == printed ? "does not hold" : "holds"));
    CHECK_FALSE(claim.at("paper").get<std::string>().empty());
    CHECK(claim.at("interval").at(0) <= claim.at("ours"));
    CHECK(claim.at("ours") <= claim.at("interval").at(1));
    CHECK_THAT(child.out, Contains(claim.at("claim").get<std::string>()));
  }
  for (const char* key : {"processor", "compiler", "flags", "version"}) CHECK(summary.at("build").contains(key));
  CHECK(fs::exists(directory / "results.csv"));
}

/// Checks that a paper's page has all rows of a table of claims.
void expect_on_page(const std::string& paper, const fs::path& claims_of) {
  const std::string page = read_file(fs::path(MELLOW_SOURCE_DIR) / "docs/papers" / (paper + ".md"));
  std::istringstream table(read_file(claims_of));
  int claims = 0;
  for (std::string row; std::getline(table, row);)
    if (row.starts_with(fmt::format("| {} |", claims + 1))) {
      ++claims;
      CHECK_THAT(page, Contains(row + "\n"));
    }
  CHECK(claims >= 3);
}

TEST_CASE("The page of TD convergence says what its study finds, which takes seconds") {
  const TemporaryDirectory directory;
  const auto child = run("mellow_bench reproduce td_convergence --full --output " + directory.path().string());
  CAPTURE(child.error);
  REQUIRE(child.status == 0);
  expect_on_page("td_convergence", directory / "claims.md");
}

TEST_CASE("The page of a paper says what its figures say") {
  for (const auto& [paper, plot] : {std::pair<std::string, const char*>("action_generalization", "chain.png"),
                                    {"c2_dpo", "addition_right.png"},
                                    {"dqn_pro", "lake_errors.png"},
                                    {"lookahead_replicate", "two_states.png"},
                                    {"mellowmax", "sweeps.png"},
                                    {"minatar", "Breakout.png"},
                                    {"optimizer_reset", "jumps.png"},
                                    {"squared_po", "addition_right.png"}}) {
    CAPTURE(paper);
    const fs::path docs = fs::path(MELLOW_SOURCE_DIR) / "docs", figures = docs / "results" / (paper + ".csv");
    const TemporaryDirectory directory;
    const auto child = run(fmt::format("mellow_bench reproduce {} --results {} --output {}", paper, figures.string(),
                                       directory.path().string()));
    CAPTURE(child.error);
    REQUIRE(child.status == 0);
    expect_on_page(paper, directory / "claims.md");
    for (const auto& file : fs::directory_iterator(directory.path()))
      if (file.path().extension() == ".md" && file.path().filename() != "claims.md")
        CHECK_THAT(read_file(docs / "papers" / (paper + ".md")), Contains(read_file(file.path())));
    CHECK(fs::exists(directory / plot));
    const auto without_optima = [](const fs::path& path) {  // which are worked out each time
      return std::regex_replace(read_file(path), std::regex("optima,[^\n]*\n"), "");
    };
    CHECK(without_optima(directory / "results.csv") == without_optima(figures));
  }
}

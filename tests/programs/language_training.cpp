// SPDX-License-Identifier: Apache-2.0
// Trains language models by bin/mellow_bench as a user would.
#include <nlohmann/json.hpp>

#include <array>
#include <chrono>
#include <fstream>
#include <sstream>
#include <vector>

#include <mellow/core/rng.hpp>
#include <mellow/language/transformer.hpp>
#include <mellow/tools/csv_table.hpp>
#include <mellow/tools/weights.hpp>

#include "support/program.hpp"

using Catch::Contains;
namespace fs = std::filesystem;

namespace {

/// Runs `mellow_bench train` in a folder.
ChildResult train(const fs::path& folder, const std::string& options, const std::string& before = "") {
  return run("cd '" + folder.string() + "'; " + before + " mellow_bench train --jobs 1 " + options);
}

nlohmann::json summary_of(const fs::path& folder) { return nlohmann::json::parse(read_file(folder / "summary.json")); }

/// Repeats a letter, rightly in half of the examples; of pairs the right one is preferred.
void write_letters(const fs::path& folder) {
  std::ofstream examples(folder / "examples.jsonl"), pairs(folder / "pairs.jsonl");
  mellow::Rng rng(0);
  for (int i = 0; i < 200; ++i) {
    const auto letter = static_cast<char>('a' + rng.below(10)), other = static_cast<char>('a' + rng.below(10));
    const std::string right(3, letter), wrong(3, other);
    examples << fmt::format(R"({{"prompt": "{}>", "completion": "{}"}})", letter, i % 2 == 0 ? right : wrong) << '\n';
    if (right != wrong)
      pairs << fmt::format(R"({{"prompt": "{}>", "chosen": "{}", "rejected": "{}"}})", letter, right, wrong) << '\n';
  }
}

/// A small model of characters that reads its data from examples.jsonl or pairs.jsonl.
const std::string small =
    " --set env.tokenizer=character --set model.context=8 --set model.width=16 --set model.heads=2 --set "
    "batch_size=16 ";
const std::string weights = " --set model.weights=results/supervised-examples/seed-{seed}/weights.safetensors ";

/// Plain gradient descent, which takes rounding for what it is; AdamW divides it by the gradient's own size.
const std::string descent = " --set optimizer=sgd --set optimizer.learning_rate=0.1 ";

bool has_mpi() {
  if (run("mellow_bench --version").out.find("MPI") != std::string::npos && run("command -v mpirun").status == 0)
    return true;
  WARN("SKIPPED: built without MPI, or mpirun is not installed");
  return false;
}
const std::string two_ranks = "mpirun --allow-run-as-root --oversubscribe -n 2";

/// The largest difference between the parameters of two runs' weights.
double difference(const fs::path& a, const fs::path& b, mellow::Index vocabulary, mellow::Index context) {
  const mellow::language::Transformer model(
      {.vocabulary = vocabulary, .context = context, .width = 16, .layers = 2, .heads = 2});
  return (mellow::tools::load_weights(a / "weights.safetensors", model) -
          mellow::tools::load_weights(b / "weights.safetensors", model))
      .cwiseAbs()
      .maxCoeff();
}

}  // namespace

TEST_CASE("A model imitates a file of completions, and is aligned by pairs of another") {
  const TemporaryDirectory directory;
  write_letters(directory.path());
  const auto first = train(directory.path(), "--agent supervised --data examples.jsonl --steps 150 --seeds 2" + small +
                                                 "--set optimizer.learning_rate=warm_up:10:cosine:5e-3:5e-4:140");
  CAPTURE(first.error);
  REQUIRE(first.status == 0);
  CHECK_THAT(first.out, Contains("tokens/s") && Contains("held_out_loss") && Contains("Minus the loss of held-out"));
  const fs::path supervised = directory / "results/supervised-examples";
  const double loss = summary_of(supervised / "seed-0").at("figures").at("held_out_loss");
  CHECK(loss < 0.8);  // half of the letters cannot be known; without knowledge it is log 14 = 2.6
  CHECK(summary_of(supervised / "seed-0").at("best_weights") == -loss);
  CHECK(nlohmann::json::parse(read_file(supervised / "seed-1/tokenizer.json")).at("alphabet") == ">abcdefghij");

  for (const char* const loss_name : {"dpo", "c2_dpo", "squared_po", "ipo"}) {
    CAPTURE(loss_name);
    const auto then =
        train(directory.path(), "--agent preference --data pairs.jsonl --steps 200 --seeds 2" + small + weights +
                                    "--set optimizer.learning_rate=1e-3 --set loss=" + loss_name +
                                    " --output aligned/" + loss_name);
    CAPTURE(then.error);
    REQUIRE(then.status == 0);
    for (const char* const seed : {"seed-0", "seed-1"}) {
      const auto summary = summary_of(directory / "aligned" / loss_name / seed);
      CHECK(summary.at("best_weights") > 0.7);  // of 17 pairs; half of them by chance
      CHECK(summary.at("figures").at("held_out_accuracy") == summary.at("best_weights"));
      CHECK(summary.at("figures").at("held_out_margin") > 0);
    }
  }
  const auto page = run("mellow_bench report " + (directory / "aligned").string());
  CAPTURE(page.error);
  REQUIRE(page.status == 0);
  const std::string report = read_file(directory / "aligned/report.md");
  CHECK_THAT(report, Contains("Compared: json-lines"));
  CHECK_THAT(report, Contains("share of held-out pairs in order") && Contains("held\\_out\\_margin"));
}

TEST_CASE("What would teach nothing, or cannot be read without its alphabet, is refused") {
  const TemporaryDirectory directory;
  write_letters(directory.path());
  std::ofstream(directory / "equal.jsonl") << R"({"prompt": "a", "chosen": "b", "rejected": "b"})" << '\n'
                                           << R"({"prompt": "b", "chosen": "c", "rejected": "c"})" << '\n';
  CHECK_THAT(train(directory.path(), "--agent preference --data equal.jsonl --set loss=simpo" + small).error,
             Contains("equal.jsonl: teaches nothing"));
  const std::string letters = "--agent supervised --data examples.jsonl --steps 3" + small;
  REQUIRE(train(directory.path(), letters + "--output first").status == 0);
  fs::remove(directory / "first/seed-0/tokenizer.json");
  CHECK_THAT(
      train(directory.path(), letters + "--set model.weights=first/seed-0/weights.safetensors --output second").error,
      Contains("first/seed-0/tokenizer.json: is missing"));
}

TEST_CASE("A supervised campaign leaves the weights of the same training in a program") {
  const TemporaryDirectory directory;
  run("cd '" + directory.path().string() + "'; dpo --supervised-steps 60 --digits 2 --steps 1 --prompts 20");
  const auto suite = train(directory.path(),
                           "--agent supervised --env long-addition --steps 60 --set env.digits=2 --set "
                           "env.held_out=0.01 --set optimizer.learning_rate=warm_up:50:cosine:2e-3:1e-4:11");
  CAPTURE(suite.error);
  REQUIRE(suite.status == 0);
  CHECK((read_file(directory / "results/long_addition/digits_2_steps_60_seed_0/weights.safetensors") ==
         read_file(directory / "results/supervised-long-addition/seed-0/weights.safetensors")));
}

TEST_CASE("Batches in parts, adapters and other shapes train as well") {
  const TemporaryDirectory directory;
  write_letters(directory.path());
  const std::string base = "--agent supervised --data examples.jsonl --steps 12" + small;
  REQUIRE(train(directory.path(), base + descent + "--output whole").status == 0);
  REQUIRE(train(directory.path(), base + descent + "--set micro_batch_size=5 --output parts").status == 0);
  CHECK(difference(directory / "whole/seed-0", directory / "parts/seed-0", 14, 8) < 1e-5);
  REQUIRE(train(directory.path(), base + "--set model=llama --set lora.rank=2 --output adapter").status == 0);
  CHECK(fs::exists(directory / "adapter/seed-0/adapter.safetensors"));
  const auto loss = [&](const char* folder) {
    return summary_of(directory / folder).at("figures").at("held_out_loss").get<double>();
  };
  CHECK(loss("whole/seed-0") < 2.6);
  REQUIRE(train(directory.path(), "--agent preference --data pairs.jsonl --steps 5 --set loss=orpo" + small +
                                      "--set model=llama --set model.weights=adapter/seed-0/weights.safetensors")
              .status == 0);
}

TEST_CASE("Every loss that is listed trains") {
  const TemporaryDirectory directory;
  write_letters(directory.path());
  REQUIRE(train(directory.path(), "--agent supervised --data examples.jsonl --steps 2" + small).status == 0);
  std::istringstream text(train(directory.path(), "--agent preference --env json-lines --settings").out);
  std::vector<std::string> losses;
  for (std::string line; std::getline(text, line);)
    if (line.starts_with("  loss "))
      for (std::istringstream names(line.substr(line.find(": ") + 2)); names >> line && !line.starts_with('[');)
        losses.push_back(line.back() == ',' ? line.substr(0, line.size() - 1) : line);
  CHECK(losses.size() >= 38);
  for (const std::string& loss : losses) {
    const auto child =
        train(directory.path(), "--agent preference --data pairs.jsonl --steps 3 --set optimizer.learning_rate=1e-2" +
                                    small + weights + "--output losses/" + loss + " --set loss=" + loss);
    CAPTURE(loss, child.error);
    REQUIRE(child.status == 0);
    CHECK(difference(directory / "losses" / loss / "seed-0", directory / "results/supervised-examples/seed-0", 14, 8) >
          1e-3);
  }
}

TEST_CASE("What a language model cannot be trained with is refused in a line") {
  const TemporaryDirectory directory;
  write_letters(directory.path());
  std::ofstream(directory / "empty.jsonl") << R"({"prompt": "a", "completion": ""})";
  std::ofstream(directory / "no_rejected.jsonl") << R"({"prompt": "a", "chosen": "b"})";
  REQUIRE(train(directory.path(), "--agent supervised --data examples.jsonl --steps 2" + small).status == 0);
  const std::string preference = "--agent preference --data pairs.jsonl" + small;
  const std::string first = "--set model.weights=results/supervised-examples/seed-0/weights.safetensors ";
  const std::vector<std::pair<std::string, std::string>> cases{
      {"--agent supervised --data none.jsonl", "none.jsonl"},
      {"--agent supervised --env json-lines", "--data: is missing"},
      {"--agent supervised --env CartPole-v1", "a task for language models"},
      {"--agent dqn --data examples.jsonl", "observations that are vectors"},
      {"--agent supervised --data examples.jsonl --env long-addition", "must be json-lines"},
      {"--agent supervised --data empty.jsonl", "empty.jsonl:1: completion must not be empty"},
      {"--agent supervised --data pairs.jsonl", "pairs.jsonl:1: there is no field completion"},
      {"--agent preference --data no_rejected.jsonl " + first, "no_rejected.jsonl:1: there is no field rejected"},
      {"--agent supervised --data examples.jsonl --set model.context=3",
       "prompt must be shorter than the context of 3 tokens (got 3)"},
      {"--agent supervised --data examples.jsonl --set model.context=6",
       "prompt and completion together must fit into the context of 6 tokens (got 7)"},
      {"--agent supervised --env long-addition --set model.context=44", "must hold the 45 tokens"},
      {"--agent supervised --data examples.jsonl --set env.held_out=0", "leaves no example"},
      {"--agent supervised --data examples.jsonl --set env.held_out=1", "must lie in [0, 1)"},
      {"--agent supervised --data examples.jsonl --set batch_size=1000", "batch must be at most the 180 sequences"},
      {preference, "model.weights: is missing"},
      {preference + "--set model.weights=none.safetensors",
       "model.weights: there is no such file (got none.safetensors"},
      {preference + first + "--set model.width=32", "do not fit a gpt of 14 tokens, context 8, width 32"},
      {preference + first + "--set model=llama", "has no such tensor"},
      {preference + first + "--set env.tokenizer=byte", "another tokeniser"},
      {preference + first + "--set loss=c2-dpo", "did you mean c2_dpo?"},
      {preference + first + "--set loss.lambda=1", "belongs to loss=c2_dpo"},
      {preference + first + "--set loss.beta=0", "beta must be positive"},
      {preference + first + "--set lora.rank=2 --set lora.names=nothing", "nothing"},
      {"--agent dqn --env CartPole-v1 --data-parallel", "is for language models"},
  };
  for (const auto& [options, message] : cases) {
    const auto child = train(directory.path(), options + " --output refused");
    CAPTURE(options, child.error);
    CHECK(child.status > 0);
    CHECK_THAT(child.error, Contains(message));
    CHECK(std::ranges::count(child.error, '\n') == 1);
    CHECK_FALSE(fs::exists(directory / "refused"));
  }
  const auto watched = run("mellow_bench watch " + (directory / "results/supervised-examples/seed-0").string());
  CHECK(watched.status == 1);
  CHECK_THAT(watched.error, Contains("plays no episodes"));
}

TEST_CASE("A run that is refused before its first step leaves its folder to the corrected command") {
  const TemporaryDirectory directory;
  write_letters(directory.path());
  REQUIRE(train(directory.path(), "--agent supervised --data examples.jsonl --steps 2" + small).status == 0);
  const std::string pairs = "--agent preference --data pairs.jsonl --steps 2" + small;
  const std::vector<std::array<std::string, 3>> cases{
      {pairs + "--set loss=simpo", " --set loss.beta=-1", " --set loss.beta=1"},
      {pairs + "--set loss=simpo", " --set record_pairs=-1", " --set record_pairs=1"},
      {pairs + weights, " --set micro_batch_size=-1", " --set micro_batch_size=1"},
      {"--agent supervised --data examples.jsonl --steps 2" + small, " --set batch_size=1000", " --set batch_size=2"},
      {"--agent dqn --env CartPole-v1 --steps 300", " --set batch_size=0", " --set batch_size=8"},
      {"--agent reinforce --env CartPole-v1 --steps 300", " --set episodes=0", " --set episodes=2"},
      {"--agent q_learning --env FrozenLake-v1 --steps 300", " --set learning_rate=-1", " --set learning_rate=0.1"}};
  for (const auto& [command, wrong, right] : cases) {
    CAPTURE(command, wrong);
    CHECK(train(directory.path(), command + wrong + " --output corrected").status == 1);
    CHECK_FALSE(fs::exists(directory / "corrected"));
    const auto child = train(directory.path(), command + right + " --output corrected");
    CAPTURE(child.error);
    CHECK(child.status == 0);
    fs::remove_all(directory / "corrected");
  }
  // What somebody else has put there stays.
  fs::create_directories(directory / "corrected/seed-0");
  for (const char* const name : {"notes.txt", "tokenizer.json"})
    std::ofstream(directory / "corrected/seed-0" / name) << "mine";
  CHECK(train(directory.path(), cases[0][0] + cases[0][1] + " --output corrected").status == 1);
  for (const char* const name : {"notes.txt", "tokenizer.json"})
    CHECK(read_file(directory / "corrected/seed-0" / name) == "mine");
  CHECK_FALSE(fs::exists(directory / "corrected/seed-0/config.json"));
  const auto foreign = train(directory.path(), cases[0][0] + cases[0][2] + " --output corrected");
  CHECK(foreign.status == 1);
  CHECK_THAT(foreign.error, Contains("corrected/seed-0/tokenizer.json: would be overwritten"));
  fs::remove(directory / "corrected/seed-0/tokenizer.json");
  CHECK(train(directory.path(), cases[0][0] + cases[0][1] + " --output corrected").status == 1);
  CHECK(read_file(directory / "corrected/seed-0/notes.txt") == "mine");
  CHECK_FALSE(fs::exists(directory / "corrected/seed-0/config.json"));
  CHECK(train(directory.path(), cases[0][0] + cases[0][2] + " --output corrected").status == 0);
}

TEST_CASE("A run that is refused removes the folders that it made, and no other") {
  const TemporaryDirectory directory;
  const auto refuse = [&](const std::string& output, const std::string& more = {}) {
    const auto child = train(directory.path(),
                             "--agent dqn --env CartPole-v1 --steps 10 --set batch_size=0 --output " + output + more);
    CAPTURE(child.error);
    CHECK(child.status == 1);
  };
  refuse("a/b/c", " --seeds 2 --jobs 2");
  CHECK_FALSE(fs::exists(directory / "a"));
  fs::create_directories(directory / "empty/seed-0");
  refuse("empty", " --seeds 2 --jobs 2");
  CHECK((fs::is_empty(directory / "empty/seed-0") && !fs::exists(directory / "empty/seed-1")));
  fs::create_directories(directory / "elsewhere");
  for (const char* const content : {"", "note"}) {  // of the folder that a link leads to
    if (*content != '\0') std::ofstream(directory / "elsewhere" / content) << content;
    if (!fs::exists(directory / "link")) fs::create_directory_symlink("elsewhere", directory / "link");
    for (const char* const link : {"link", "link/"}) {
      refuse(link);
      CHECK((fs::is_symlink(directory / "link") && !fs::exists(directory / "elsewhere/seed-0")));
    }
  }
  CHECK(fs::exists(directory / "elsewhere/note"));
  refuse("not/there/../../d", " --seeds 2 --jobs 2");
  CHECK_FALSE((fs::exists(directory / "not") || fs::exists(directory / "d")));
  fs::create_directories(directory / "links/seed-0");
  for (const char* const name : {"tokenizer.json", "config.json"}) {
    fs::create_symlink("/not/mounted", directory / "links/seed-0" / name);
    refuse("links");
    CHECK(fs::is_symlink(directory / "links/seed-0" / name));
  }
  fs::create_directory(directory / "here");
  const auto child = run("cd " + (directory / "here").string() +
                         "; mellow_bench train --agent dqn --env CartPole-v1 --steps 10 --set batch_size=0 --output .");
  CHECK(child.status == 1);
  CHECK((fs::is_directory(directory / "here") && fs::is_empty(directory / "here")));
}

TEST_CASE("A run on pairs writes what the diagnosis reads") {
  const TemporaryDirectory directory;
  write_letters(directory.path());
  REQUIRE(train(directory.path(), "--agent supervised --data examples.jsonl --steps 20" + small).status == 0);
  const auto records = [&](const std::string& loss, const std::string& every) {
    const auto child =
        train(directory.path(), "--agent preference --data pairs.jsonl --steps 5 --set loss=" + loss + small + weights +
                                    "--output " + loss + every + " --set record_pairs=" + every);
    CAPTURE(child.error);
    REQUIRE(child.status == 0);
    return directory / (loss + every) / "seed-0";
  };
  for (const char* const loss : {"dpo", "squared_po", "aot", "wpo", "kto"})
    for (const char* const file : {"pairs.csv", "held_out_pairs.csv"}) {
      CAPTURE(loss, file);
      const auto result = run(fmt::format("mellow_bench diagnose {} --output {}", (records(loss, "2") / file).string(),
                                          (directory / "diagnosis").string()));
      CAPTURE(result.error);
      REQUIRE(result.status == 0);
      CHECK_THAT(result.out, Contains("changes of log pi since the reference"));
      for (const char* const step : {"\n   2 ", "\n   4 ", "\n   5 "}) CHECK_THAT(result.out, Contains(step));
      fs::remove_all(directory / (loss + std::string("2")));
    }
  CHECK_FALSE(fs::exists(records("dpo", "0") / "pairs.csv"));
  CHECK(read_file(records("dpo", "0") / "weights.safetensors") ==
        read_file(records("dpo", "1") / "weights.safetensors"));
  for (const auto& [loss, has_residual] : {std::pair("c2_dpo", true), std::pair("squared_po", false)}) {
    CAPTURE(loss);
    const mellow::tools::CsvTable metrics(records(loss, "1") / "metrics.csv");
    for (const char* const name : {"clipped", "pair_mass"}) CHECK_FALSE(metrics.text(0, metrics.column(name)).empty());
    CHECK(metrics.text(0, metrics.column("residual")).empty() != has_residual);
  }
}

TEST_CASE("A campaign of another file is refused, whatever the file is called") {
  const TemporaryDirectory directory;
  write_letters(directory.path());
  const std::string campaign = "--agent supervised --data examples.jsonl --steps 2" + small;
  REQUIRE(train(directory.path(), campaign).status == 0);
  REQUIRE(train(directory.path(), campaign + "--seeds 2").status == 0);
  std::ofstream(directory / "examples.jsonl", std::ios::app) << R"({"text": "abc"})" << '\n';
  const auto other = train(directory.path(), campaign + "--seeds 2");
  CHECK(other.status == 1);
  CHECK_THAT(other.error, Contains("files/env.file") && Contains("another campaign"));
}

TEST_CASE("Two ranks that share a run take the steps of one with the whole batch") {
  if (!has_mpi()) return;
  const TemporaryDirectory directory;
  write_letters(directory.path());
  const std::string supervised = "--agent supervised --data examples.jsonl --evaluate-every 10" + small;
  const auto compare = [&](const std::string& options, const fs::path& one) {
    REQUIRE(train(directory.path(), options + " --output " + one.string()).status == 0);
    const auto together =
        train(directory.path(), options + " --data-parallel --output " + one.string() + "2", two_ranks);
    CAPTURE(options, together.error);
    REQUIRE(together.status == 0);
    const fs::path first = directory / one / "seed-0", second = directory / (one.string() + "2") / "seed-0";
    CHECK(difference(first, second, 14, 8) < 1e-5);
    CHECK(results_in(first).size() == results_in(second).size());
  };
  compare(supervised + "--steps 5", "adamw");
  compare(supervised + descent + "--steps 20", "results/supervised-examples");
  for (const char* const loss : {"dpo", "c2_dpo"}) {
    compare("--agent preference --data pairs.jsonl --steps 20 --set loss=" + std::string(loss) + small + weights +
                "--set batch_size=15" + descent,
            loss);
  }

  const auto coupled = train(directory.path(),
                             "--agent preference --data pairs.jsonl --steps 1 --set loss=aot" + small + weights +
                                 "--data-parallel --output aot",
                             two_ranks);
  CHECK(coupled.status != 0);
  CHECK_THAT(coupled.error, Contains("loss: couples the pairs of a batch"));

  SECTION("and go on where they were killed, bit for bit") {
    const std::string longer = "--agent supervised --data examples.jsonl --steps 1500 --evaluate-every 100 --seeds 2 " +
                               small + "--checkpoint-every 50 --data-parallel --output ";
    const auto start = std::chrono::steady_clock::now();
    REQUIRE(train(directory.path(), longer + "whole", two_ranks).status == 0);
    const std::chrono::duration<double> whole = std::chrono::steady_clock::now() - start;
    const auto killed = train(directory.path(), longer + "killed",
                              fmt::format("{} timeout -s KILL {:.2f}", two_ranks, 0.6 * whole.count()));
    CHECK(killed.status != 0);
    CHECK_FALSE(fs::exists(directory / "killed/summary.json"));
    const auto again = train(directory.path(), longer + "killed", two_ranks);
    CAPTURE(again.error);
    REQUIRE(again.status == 0);
    check_same_results(directory / "whole", directory / "killed");
  }
  SECTION("and end together where one of them cannot go on") {
    const auto failed =
        train(directory.path(), supervised + "--data-parallel --output no --set batch_size=1", two_ranks);
    CHECK(failed.status != 0);
    CHECK_THAT(failed.error, Contains("batch must have a part for each of 2 processes"));
  }
}

// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/pair_records.hpp"

#include "../support/catch.hpp"
#include "../support/temporary_directory.hpp"
#include "mellow/core/error.hpp"
#include "mellow/core/rng.hpp"
#include "mellow/tools/atomic_file.hpp"

using namespace mellow;
using namespace mellow::tools;
using Catch::Contains;
using Catch::Matchers::Message;

namespace {

std::vector<preference::PairRecord> load(const TemporaryDirectory& directory, const std::string& text) {
  write_file_atomically(directory / "l.txt", text);
  return load_pair_records(directory / "l.txt");
}

}  // namespace

TEST_CASE("Log-probabilities are read from CSV and from JSON lines alike") {
  const TemporaryDirectory directory;
  const auto check = [](const std::vector<preference::PairRecord>& records) {
    REQUIRE(records.size() == 2);
    CHECK(records[0].step == 0);
    CHECK(records[1].step == 3'000);
    CHECK(records[0].pair == "7");
    CHECK(records[1].pair == "a, b");
    CHECK(records[0].chosen == -12.25);
    CHECK(records[1].rejected == -1e-5);
    CHECK(records[0].reference_chosen == -11);
    CHECK(records[1].reference_rejected == -3);
    CHECK(records[0].chosen_tokens == 4);
    CHECK(records[1].rejected_tokens == 6);
    CHECK(records[0].clipped == true);
    CHECK(records[1].clipped == false);
    CHECK_FALSE(records[0].out_of_sample);
  };
  check(load(directory,
             "note,rejected,step,pair,chosen,reference_chosen,reference_rejected,chosen_tokens,rejected_tokens,clipped,"
             "out_of_sample\r\n"
             "x,-14.5,0,7,-12.25,-11,-13,4,5,1,\r\n"
             "y,-1e-5,3e3,\"a, b\",-20,-2,-3,5,6,False,\r\n"));
  check(load(directory,
             "\n{\"step\": 0, \"pair\": 7, \"chosen\": -12.25, \"rejected\": -14.5, \"reference_chosen\": -11, "
             "\"reference_rejected\": -13, \"chosen_tokens\": 4, \"rejected_tokens\": 5, \"clipped\": true, "
             "\"out_of_sample\": null, \"note\": [1]}\n"
             "{\"pair\": \"a, b\", \"step\": 3000.0, \"chosen\": -20, \"rejected\": -1e-5, \"reference_chosen\": -2, "
             "\"reference_rejected\": -3.0, \"chosen_tokens\": 5, \"rejected_tokens\": 6, \"clipped\": 0}\n"));
}

TEST_CASE("Log-probabilities that are saved are loaded again, bit for bit") {
  const TemporaryDirectory directory;
  Rng rng(1);
  for (int form = 0; form < 16; ++form) {
    std::vector<preference::PairRecord> records;
    for (int i = 0; i < 20; ++i) {
      preference::PairRecord record{.step = i / 5,
                                    .pair = fmt::format("p\"{},", i % 5),
                                    .chosen = -rng.uniform(),
                                    .rejected = -20 - 1e4 * rng.uniform()};
      if ((form & 1) != 0) record.reference_chosen = record.reference_rejected = -rng.uniform();
      if ((form & 2) != 0) record.chosen_tokens = record.rejected_tokens = 1 + i % 5;
      if ((form & 4) != 0) record.clipped = rng.below(2) == 1;
      if ((form & 8) != 0) record.out_of_sample = rng.uniform();
      records.push_back(record);
    }
    save_pair_records(directory / "l.csv", records);
    const auto loaded = load_pair_records(directory / "l.csv");
    REQUIRE(loaded.size() == records.size());
    for (std::size_t i = 0; i < records.size(); ++i) {
      REQUIRE(loaded[i].step == records[i].step);
      REQUIRE(loaded[i].pair == records[i].pair);
      REQUIRE(loaded[i].chosen == records[i].chosen);
      REQUIRE(loaded[i].rejected == records[i].rejected);
      REQUIRE(loaded[i].reference_chosen == records[i].reference_chosen);
      REQUIRE(loaded[i].reference_rejected == records[i].reference_rejected);
      REQUIRE(loaded[i].chosen_tokens == records[i].chosen_tokens);
      REQUIRE(loaded[i].rejected_tokens == records[i].rejected_tokens);
      REQUIRE(loaded[i].clipped == records[i].clipped);
      REQUIRE(loaded[i].out_of_sample == records[i].out_of_sample);
    }
  }
}

TEST_CASE("A bad row of log-probabilities is named in both forms: file, line, field") {
  const TemporaryDirectory directory;
  const auto path = (directory / "l.txt").string();
  const auto csv = [&](const std::string& row, const std::string& message) {
    CAPTURE(row);
    CHECK_THROWS_MATCHES(
        load(directory, "step,pair,chosen,rejected,chosen_tokens,rejected_tokens,clipped,out_of_sample\n" +
                            std::string("0,a,-1,-2,3,4,0,0.5\n") + row + "\n"),
        Error, Message(path + ":3: " + message));
  };
  csv("1,a,nan,-2,3,4,0,0.5", "chosen must be finite (got nan)");
  csv("1,a,-1,-inf,3,4,0,0.5", "rejected must be finite (got -inf)");
  csv("1,a,,-2,3,4,0,0.5", "chosen must be a number (got nothing)");
  csv("1,a,-1,x,3,4,0,0.5", "rejected must be a number (got x)");
  csv("1,a,0.7,-2,3,4,0,0.5", "chosen must not be positive, being a log-probability (got 0.7)");
  csv("1,a,-0.5,-0.6,3,4,0,0.5",
      "two responses cannot have more probability than 1: log-probabilities are sums over tokens, not means");
  csv("1.5,a,-1,-2,3,4,0,0.5", "step must be a whole number of at least 0 (got 1.5)");
  csv("-1,a,-1,-2,3,4,0,0.5", "step must be a whole number of at least 0 (got -1)");
  csv("1,,-1,-2,3,4,0,0.5", "pair must not be empty");
  csv("1,a,-1,-2,0,4,0,0.5", "chosen_tokens must be at least 1 (got 0)");
  csv("1,a,-1,-2,3,,0,0.5", "rejected_tokens must be given in every row or in none");
  csv("1,a,-1,-2,3,5,0,0.5", "chosen_tokens and rejected_tokens must be the same at all steps (got a)");
  csv("1,a,-1,-2,3,4,2,0.5", "clipped must be 0 or 1, true or false (got 2)");
  csv("1,a,-1,-2,3,4,0,1.5", "out_of_sample must be from 0 to 1 (got 1.5)");
  csv("0,a,-1,-2,3,4,0,0.5", "pair 'a' has a row at step 0 before, " + path + ":2");
  csv("1,a,-1", "a row must have 8 cells, as the heading has (got 3)");

  const std::string good = R"({"step": 0, "pair": "a", "chosen": -1, "rejected": -2})";
  const auto json = [&](const std::string& row, const std::string& message) {
    CAPTURE(row);
    CHECK_THROWS_MATCHES(load(directory, good + "\n\n" + row), Error, Message(path + ":3: " + message));
  };
  json(R"({"step": 1, "pair": "a", "chosen": -1})", "there is no field rejected");
  json(R"({"step": 1, "pair": "a", "chosen": null, "rejected": -2})", "chosen must be a number (got null)");
  json(R"({"step": 1, "pair": "a", "chosen": "-1", "rejected": -2})", "chosen must be a number (got \"-1\")");
  json(R"({"step": 1, "pair": "a", "chosen": 1, "rejected": -2})",
       "chosen must not be positive, being a log-probability (got 1)");
  json(R"({"step": "1", "pair": "a", "chosen": -1, "rejected": -2})",
       "step must be a whole number of at least 0 (got \"1\")");
  json(R"({"step": 1, "pair": ["a"], "chosen": -1, "rejected": -2})", "pair must not be empty");
  json(R"({"step": 1, "pair": "a", "chosen": -1, "rejected": -2, "clipped": "yes"})",
       "clipped must be 0 or 1, true or false (got \"yes\")");
  json(R"({"step": 1, "pair": "a", "chosen": -1, "rejected": -2, "clipped": true})",
       "clipped must be given in every row or in none");
  CHECK_THROWS_WITH(load(directory, good + "\n" + R"({"step": 1, "pair": "a", "chosen": NaN, "rejected": -2})"),
                    Contains(path + ":2: is not JSON: column 36: ") && Contains("(JSON has neither NaN nor Infinity)"));
  json(R"({"step": 1, "pair": "a", "chosen": -1e999, "rejected": -2})",
       "a number is beyond what a double can hold (got -1e999)");
  json("[1, 2]", "a line must hold an object (got a list)");
  for (const std::string& whole : {std::string("[1,2]"), "\n [" + good + ",\n" + good + "]", "[\n" + good + "\n]"})
    CHECK_THROWS_WITH(load(directory, whole),
                      Contains(path + ":") && Contains(": a line must hold an object (got a list)"));

  CHECK_THROWS_MATCHES(load(directory, "step,pair,chosen\n0,a,-1\n"), Error,
                       Message(path + ": there is no column \"rejected\"; it has step, pair, chosen"));
  CHECK_THROWS_MATCHES(load(directory, "step,pair,chosen,rejected,reference_chosen\n0,a,-1,-1,-1\n"), Error,
                       Message(path + ":2: reference_chosen and reference_rejected must both be given or neither"));
  CHECK_THROWS_MATCHES(load(directory, "step,pair,chosen,rejected\n"), Error, Message(path + ": holds no rows"));
  CHECK_THROWS_MATCHES(load(directory, ""), Error, Message(path + ": a table needs a heading"));
}

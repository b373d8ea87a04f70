// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/preference_pairs.hpp"

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

std::vector<data::PreferencePair> load(const TemporaryDirectory& directory, const std::string& text) {
  write_file_atomically(directory / "p.jsonl", text);
  return load_preference_pairs(directory / "p.jsonl");
}

const std::string good = R"({"prompt": "a", "chosen": "b", "rejected": "c"})";

}  // namespace

TEST_CASE("Pairs are read as trl writes them: any order, other fields, empty lines, a mark, CR") {
  const TemporaryDirectory directory;
  const auto pairs =
      load(directory,
           "\xef\xbb\xbf{\"prompt\": \"The sky is\", \"chosen\": \" blue.\", \"rejected\": \" green.\"}\r\n"
           "\n  \r\n"
           "{\"rejected\": \"\\u00e9\\n\", \"score\": [1, {}], \"chosen\": \"\xe2\x82\xac\", \"prompt\": \"\"}");
  REQUIRE(pairs.size() == 2);
  CHECK(pairs[0].prompt == "The sky is");
  CHECK(pairs[0].chosen == " blue.");
  CHECK(pairs[0].rejected == " green.");
  CHECK(pairs[0].where == (directory / "p.jsonl").string() + ":1");
  CHECK(pairs[1].prompt.empty());
  CHECK(pairs[1].chosen == "\xe2\x82\xac");
  CHECK(pairs[1].rejected == "\xc3\xa9\n");
  CHECK(pairs[1].where == (directory / "p.jsonl").string() + ":4");
}

TEST_CASE("What is saved is loaded again") {
  const TemporaryDirectory directory;
  const std::vector<std::string> characters{
      "\"", "\\", "\n", "a", std::string(1, '\0'), "\xc3\xa9", "\xf0\x9f\x8e\xb2", "\x7f"};
  Rng rng(1);
  const auto text = [&](std::int64_t least) {
    std::string result;
    for (auto n = least + rng.below(8); n > 0; --n) result += characters[static_cast<std::size_t>(rng.below(8))];
    return result;
  };
  std::vector<data::PreferencePair> pairs;
  for (int i = 0; i < 100; ++i) pairs.push_back({.prompt = text(0), .chosen = text(1), .rejected = text(1)});
  save_preference_pairs(directory / "p.jsonl", pairs);
  const auto loaded = load_preference_pairs(directory / "p.jsonl");
  REQUIRE(loaded.size() == pairs.size());
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    REQUIRE(loaded[i].prompt == pairs[i].prompt);
    REQUIRE(loaded[i].chosen == pairs[i].chosen);
    REQUIRE(loaded[i].rejected == pairs[i].rejected);
  }
  const std::vector<data::PreferencePair> empty{{.prompt = "a", .chosen = "", .rejected = "b"}},
      broken{{.prompt = "a\xff", .chosen = "c", .rejected = "b"}};
  CHECK_THROWS_MATCHES(save_preference_pairs("x.jsonl", empty), Error,
                       Message("x.jsonl: pair 0: chosen must not be empty"));
  CHECK_THROWS_MATCHES(save_preference_pairs("x.jsonl", broken), Error,
                       Message("x.jsonl: pair 0: byte 2 of prompt is not UTF-8"));
}

TEST_CASE("A bad line of pairs is named, with what is wrong") {
  const TemporaryDirectory directory;
  const auto path = (directory / "p.jsonl").string();
  const auto refused = [&](const std::string& line, const std::string& message) {
    CAPTURE(line);
    CHECK_THROWS_MATCHES(load(directory, good + "\n\n" + line + "\n" + good), Error, Message(path + ":3: " + message));
  };
  refused(R"({"prompt": "a", "chosen": "b"})", "there is no field rejected");
  refused(R"({"prompt": "a", "chosen": "b", "reject": "c"})", "there is no field rejected; did you mean reject?");
  refused(R"({"chosen": "b", "rejected": "c"})", "there is no field prompt");
  refused(R"({"prompt": "a", "chosen": "", "rejected": "c"})", "chosen must not be empty");
  refused(R"({"prompt": "a", "chosen": "b", "rejected": ""})", "rejected must not be empty");
  refused(R"({"prompt": 7, "chosen": "b", "rejected": "c"})", "prompt must be a text (got 7)");
  refused(R"({"prompt": "a", "chosen": null, "rejected": "c"})", "chosen must be a text (got null)");
  refused(R"({"prompt": "a", "chosen": {}, "rejected": "c"})", "chosen must be a text (got an object)");
  refused(R"({"prompt": "a", "chosen": [{"role": "assistant", "content": "b"}], "rejected": "c"})",
          "chosen is a list of messages, trl's conversational form; make it a text by the model's chat template first");
  refused(R"({"prompt": "a", "prompt": "a", "chosen": "b", "rejected": "c"})", R"(a field comes twice (got "prompt"))");
  refused("{\"prompt\": \"a\xff\", \"chosen\": \"b\", \"rejected\": \"c\"}",
          "byte 14 of the line is not UTF-8 (got 0xff)");
  refused("[1]", "a line must hold an object (got a list)");
  CHECK_THROWS_WITH(load(directory, good + "\n" + good + good),
                    Contains(path + ":2: is not JSON: column 48: syntax error"));
  CHECK_THROWS_WITH(load(directory, R"({"prompt": "\ud800"})"), Contains(":1: is not JSON: column"));
  CHECK_THROWS_WITH(load(directory, R"({"prompt": 1e999})"),
                    Contains(":1: a number is beyond what a double can hold (got 1e999)"));
  CHECK_THROWS_WITH(load(directory, "[\n" + std::string(R"({"prompt": "a"}])")),
                    Contains(":1: a line must hold an object (got a list)"));
  CHECK_THROWS_MATCHES(load(directory, " \n\n"), Error, Message(path + ": holds no pair"));
  CHECK_THROWS_MATCHES(load_preference_pairs("nowhere.jsonl"), Error,
                       Message("nowhere.jsonl: cannot be read: No such file or directory"));
}

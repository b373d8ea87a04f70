// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/supervised_examples.hpp"

#include "../support/catch.hpp"
#include "../support/temporary_directory.hpp"
#include "mellow/core/error.hpp"
#include "mellow/tools/atomic_file.hpp"

using namespace mellow;
using namespace mellow::tools;
using Catch::Contains;

TEST_CASE("Examples are prompts and completions, or texts, as trl writes them") {
  const TemporaryDirectory directory;
  const auto path = directory / "e.jsonl";
  write_file_atomically(path,
                        "{\"prompt\": \"The sky is\", \"completion\": \" blue.\", \"score\": 1}\r\n\n"
                        "{\"completion\": \"\\u00e9\", \"prompt\": \"\"}\n{\"text\": \"all of it\"}");
  const auto examples = load_supervised_examples(path);
  REQUIRE(examples.size() == 3);
  CHECK(examples[0].prompt == "The sky is");
  CHECK(examples[0].completion == " blue.");
  CHECK(examples[0].where == path.string() + ":1");
  CHECK(examples[1].prompt.empty());
  CHECK(examples[1].completion == "\xc3\xa9");
  CHECK(examples[2].prompt.empty());
  CHECK(examples[2].completion == "all of it");
  CHECK(examples[2].where == path.string() + ":4");
}

TEST_CASE("What is no example is refused with its line") {
  const TemporaryDirectory directory;
  const auto path = directory / "e.jsonl";
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "holds no example"},
      {"\n \n", "holds no example"},
      {R"({"prompt": "a"})", ":1: there is no field completion"},
      {R"({"prompt": "a", "completions": "b"})", ":1: there is no field completion; did you mean completions?"},
      {"\n{\"prompt\": \"a\", \"completion\": \"\"}", ":2: completion must not be empty"},
      {R"({"text": ""})", ":1: text must not be empty"},
      {R"({"text": 3})", ":1: text must be a text (got 3)"},
      {R"({"text": "a", "prompt": "b"})", ":1: has text and prompt"},
      {R"({"prompt": [], "completion": []})", ":1: prompt is a list of messages"},
      {R"({"messages": [{"role": "user", "content": "a"}]})", ":1: messages is a list of messages"},
      {R"(["a"])", ":1: a line must hold an object"},
      {R"({"text": "a)", ":1: is not JSON"},
      {"{\"text\": \"\xff\"}", "is not UTF-8"},
  };
  for (const auto& [text, message] : cases) {
    CAPTURE(text);
    write_file_atomically(path, text);
    CHECK_THROWS_WITH(load_supervised_examples(path), Contains(path.string()) && Contains(message));
  }
  CHECK_THROWS_AS(load_supervised_examples(directory / "none.jsonl"), Error);
}

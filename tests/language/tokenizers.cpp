// SPDX-License-Identifier: Apache-2.0
#include <mellow/core/rng.hpp>
#include <mellow/language/byte_tokenizer.hpp>
#include <mellow/language/character_tokenizer.hpp>
#include <mellow/language/tokenized_examples.hpp>
#include <mellow/language/tokenized_pairs.hpp>

#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::language;
using Catch::Matchers::Message;

static_assert(Tokenizer<ByteTokenizer> && Tokenizer<CharacterTokenizer>);

TEST_CASE("Any bytes come back from their tokens") {
  const ByteTokenizer tokenizer;
  Rng rng(1);
  for (int i = 0; i < 200; ++i) {
    std::string text(static_cast<std::size_t>(rng.below(50)), '\0');
    for (char& c : text) c = static_cast<char>(rng.below(256));
    const auto tokens = encode(tokenizer, text);
    REQUIRE(tokens.size() == text.size());
    for (std::size_t k = 0; k < tokens.size(); ++k) REQUIRE(tokens[k] == static_cast<unsigned char>(text[k]));
    REQUIRE(tokenizer.decode(tokens) == text);
  }
}

TEST_CASE("Special tokens have no text, and text gives none") {
  const ByteTokenizer by_byte;
  const CharacterTokenizer by_character("ab<>ospd/e");
  const auto check = [](const auto& tokenizer) {
    std::vector<Token> tokens{tokenizer.bos()};
    tokenizer.encode("ab", tokens);  // appends
    tokens.insert(tokens.end(), {tokenizer.eos(), tokenizer.pad(), tokenizer.pad()});
    CHECK(tokens.size() == 6);
    CHECK(tokenizer.decode(tokens) == "ab");
    for (const Token token : encode(tokenizer, "<bos></pad>")) {
      CHECK(token != tokenizer.bos());
      CHECK(token < tokenizer.vocabulary_size() - 3);
    }
    CHECK(tokenizer.bos() == tokenizer.vocabulary_size() - 3);
    CHECK(tokenizer.eos() == tokenizer.vocabulary_size() - 2);
    CHECK(tokenizer.pad() == tokenizer.vocabulary_size() - 1);
  };
  check(by_byte);
  check(by_character);
  CHECK_THROWS_MATCHES(by_byte.decode(std::vector<Token>{3, 259}), Error,
                       Message("language::ByteTokenizer: token 1 must be from 0 to 258 (got 259)"));
  CHECK_THROWS_MATCHES(by_character.decode(std::vector<Token>{-1}), Error,
                       Message("language::CharacterTokenizer: token 0 must be from 0 to 12 (got -1)"));
}

TEST_CASE("Any text over its alphabet comes back from a character tokeniser") {
  const std::vector<std::string> characters{"a", "z", " ", "\n", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x8e\xb2"};
  std::string alphabet;
  for (const auto& character : characters) alphabet += character;
  const CharacterTokenizer tokenizer(alphabet);
  CHECK(tokenizer.vocabulary_size() == 10);
  CHECK(tokenizer.alphabet() == alphabet);
  Rng rng(2);
  for (int i = 0; i < 200; ++i) {
    std::string text;
    std::vector<Token> wanted(static_cast<std::size_t>(rng.below(30)));
    for (Token& token : wanted) {
      token = static_cast<Token>(rng.below(7));
      text += characters[static_cast<std::size_t>(token)];
    }
    REQUIRE(encode(tokenizer, text) == wanted);
    REQUIRE(tokenizer.decode(wanted) == text);
  }
}

TEST_CASE("The alphabet of texts is all their characters, in order") {
  const std::vector<std::string> texts{"cab", "",
                                       "b\xc3\xa9"
                                       "a"};
  const auto tokenizer = CharacterTokenizer::of(texts);
  CHECK(tokenizer.alphabet() == "abc\xc3\xa9");
  for (const auto& text : texts) CHECK(tokenizer.decode(encode(tokenizer, text)) == text);
}

TEST_CASE("A character tokeniser names what it does not know, and where") {
  const CharacterTokenizer tokenizer("ab\xc3\xa9");
  std::vector<Token> tokens{1};
  const auto encoding = [&](std::string_view text) { return [&tokenizer, text] { encode(tokenizer, text); }; };
  CHECK_THROWS_MATCHES(encoding("\xc3\xa9"
                                "a\xe2\x82\xac")(),
                       Error,
                       Message("language::CharacterTokenizer: character 2 of the text is not of the alphabet (got "
                               "'\xe2\x82\xac', U+20AC)"));
  CHECK_THROWS_MATCHES(
      encoding("a\n")(), Error,
      Message("language::CharacterTokenizer: character 1 of the text is not of the alphabet (got U+000A)"));
  CHECK_THROWS_MATCHES(encoding("ab\xff")(), Error,
                       Message("language::CharacterTokenizer: byte 2 of the text is not UTF-8 (got 0xff)"));
  CHECK_THROWS_AS(tokenizer.encode("abX", tokens), Error);
  CHECK(tokens == std::vector<Token>{1});
  CHECK_THROWS_MATCHES(
      CharacterTokenizer("aba"), Error,
      Message("language::CharacterTokenizer: character 2 of the alphabet is there before (got 'a', U+0061)"));
  CHECK_THROWS_MATCHES(CharacterTokenizer(""), Error,
                       Message("language::CharacterTokenizer: the alphabet must have a character (got 0)"));
  CHECK_THROWS_MATCHES(CharacterTokenizer("a\xc3"), Error,
                       Message("language::CharacterTokenizer: byte 1 of the alphabet is not UTF-8 (got 0xc3)"));
}

TEST_CASE("Pairs as tokens begin with BOS and end with EOS") {
  const CharacterTokenizer tokenizer("abc");
  const Token bos = tokenizer.bos(), eos = tokenizer.eos();
  const std::vector<data::PreferencePair> pairs{{.prompt = "a", .chosen = "bc", .rejected = "c"},
                                                {.prompt = "", .chosen = "a", .rejected = "b"}};
  const auto tokens = tokenize_pairs(pairs, tokenizer, 5);
  REQUIRE(tokens.size() == 2);
  CHECK(tokens[0].prompt == std::vector<Token>{bos, 0});
  CHECK(tokens[0].chosen == std::vector<Token>{1, 2, eos});
  CHECK(tokens[0].rejected == std::vector<Token>{2, eos});
  CHECK(tokens[1].prompt == std::vector<Token>{bos});
}

TEST_CASE("A pair that has no tokens, or too many, is named") {
  const CharacterTokenizer tokenizer("abc");
  const auto tokenizing = [&](data::PreferencePair pair, Index context) {
    return [=, &tokenizer] { tokenize_pairs(std::vector{pair}, tokenizer, context); };
  };
  const data::PreferencePair pair{.prompt = "abc", .chosen = "a", .rejected = "bb", .where = "p.jsonl:7"};
  CHECK_NOTHROW(tokenizing(pair, 7)());
  CHECK_THROWS_MATCHES(
      tokenizing(pair, 6)(), Error,
      Message("p.jsonl:7: prompt and rejected together must fit into the context of 6 tokens (got 7)"));
  CHECK_THROWS_MATCHES(tokenizing(pair, 5)(), Error,
                       Message("p.jsonl:7: prompt and chosen together must fit into the context of 5 tokens (got 6)"));
  CHECK_THROWS_MATCHES(tokenizing(pair, 4)(), Error,
                       Message("p.jsonl:7: prompt must be shorter than the context of 4 tokens (got 4)"));
  CHECK_THROWS_MATCHES(tokenizing({.prompt = "a", .chosen = "b", .rejected = ""}, 9)(), Error,
                       Message("language::tokenize_pairs: pair 0: rejected must not be empty"));
  CHECK_THROWS_MATCHES(tokenizing({.prompt = "aX", .chosen = "b", .rejected = "b", .where = "p.jsonl:7"}, 9)(), Error,
                       Message("p.jsonl:7: prompt: language::CharacterTokenizer: character 1 of the text is not of the "
                               "alphabet (got 'X', U+0058)"));
  CHECK_THROWS_MATCHES(tokenizing(pair, 0)(), Error,
                       Message("language::tokenize_pairs: context must be positive (got 0)"));
}

TEST_CASE("Examples as tokens are given a BOS and the prompt, and end with EOS") {
  const CharacterTokenizer tokenizer("abc");
  const Token bos = tokenizer.bos(), eos = tokenizer.eos();
  const std::vector<data::SupervisedExample> examples{{.prompt = "a", .completion = "bc"},
                                                      {.prompt = "", .completion = "a"}};
  const TokenSequences tokens = tokenize_examples(examples, tokenizer, 5);
  const PackedTokens packed = tokens.packed();
  CHECK(std::vector(packed.tokens.begin(), packed.tokens.end()) == std::vector<Token>{bos, 0, 1, 2, eos, bos, 0, eos});
  CHECK((packed.prompt(0) == 2 && packed.prompt(1) == 1));
  CHECK((packed.length(0) == 5 && packed.length(1) == 3));
  const auto tokenizing = [&](data::SupervisedExample example, Index context) {
    return [=, &tokenizer] { tokenize_examples(std::vector{example}, tokenizer, context); };
  };
  CHECK_THROWS_MATCHES(
      tokenizing(examples[0], 4)(), Error,
      Message("language::tokenize_examples: example 0: prompt and completion together must fit into the context of 4 "
              "tokens (got 5)"));
  CHECK_THROWS_MATCHES(tokenizing({.prompt = "abc", .completion = "a", .where = "e.jsonl:3"}, 4)(), Error,
                       Message("e.jsonl:3: prompt must be shorter than the context of 4 tokens (got 4)"));
  CHECK_THROWS_MATCHES(tokenizing({.prompt = "a", .completion = ""}, 9)(), Error,
                       Message("language::tokenize_examples: example 0: completion must not be empty"));
}

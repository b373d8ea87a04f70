// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <mellow/data/preference_pair.hpp>
#include <mellow/language/tokenizer.hpp>

namespace mellow::language {

/// A preference pair as tokens: BOS and the prompt's; each completion's and EOS.
struct TokenizedPair {
  std::vector<Token> prompt;    ///< what is given, without a loss
  std::vector<Token> chosen;    ///< the preferred completion
  std::vector<Token> rejected;  ///< the other one
};

/// Turns pairs into tokens. `context` is the most tokens that the model reads at once.
///
/// Throws Error, naming the pair by where it was read or by its number, for an empty completion, text that the
/// tokeniser has no tokens for, and a prompt that is too long for the context, alone or with one of its completions:
/// nothing is cut off.
template <Tokenizer T>
std::vector<TokenizedPair> tokenize_pairs(std::span<const data::PreferencePair> pairs, const T& tokenizer,
                                          Index context = std::numeric_limits<Index>::max()) {
  require(context > 0, "language::tokenize_pairs", "context must be positive", context);
  std::vector<TokenizedPair> result;
  result.reserve(pairs.size());
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const data::PreferencePair& pair = pairs[i];
    const std::string where = pair.where.empty() ? fmt::format("language::tokenize_pairs: pair {}", i) : pair.where;
    const auto tokens = [&](std::string_view text, std::string_view field, std::vector<Token> into) {
      try {
        tokenizer.encode(text, into);
      } catch (const Error& error) {
        throw Error(where, fmt::format("{}: {}", field, error.what()));
      }
      return into;
    };
    const auto completion = [&](std::string_view text, std::string_view field) {
      if (text.empty()) throw Error(where, fmt::format("{} must not be empty", field));
      auto made = tokens(text, field, {});
      made.push_back(tokenizer.eos());
      return made;
    };
    TokenizedPair made{.prompt = tokens(pair.prompt, "prompt", {tokenizer.bos()}),
                       .chosen = completion(pair.chosen, "chosen"),
                       .rejected = completion(pair.rejected, "rejected")};
    const Index prompt = std::ssize(made.prompt);
    if (prompt >= context)
      throw Error(where, fmt::format("prompt must be shorter than the context of {} tokens", context), prompt);
    for (const auto* one : {&made.chosen, &made.rejected})
      if (prompt + std::ssize(*one) > context)
        throw Error(where,
                    fmt::format("prompt and {} together must fit into the context of {} tokens",
                                one == &made.chosen ? "chosen" : "rejected", context),
                    prompt + std::ssize(*one));
    result.push_back(std::move(made));
  }
  return result;
}

}  // namespace mellow::language

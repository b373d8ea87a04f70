// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>
#include <span>
#include <utility>
#include <vector>

#include <mellow/data/preference_pair.hpp>
#include <mellow/language/encode_text.hpp>

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
    detail::TextEncoder encoder(tokenizer, context,
                                pair.where.empty() ? fmt::format("language::tokenize_pairs: pair {}", i) : pair.where);
    TokenizedPair made;  // in this order: the prompt must be known for the others
    made.prompt = encoder.prompt(pair.prompt);
    made.chosen = encoder.completion(pair.chosen, "chosen");
    made.rejected = encoder.completion(pair.rejected, "rejected");
    result.push_back(std::move(made));
  }
  return result;
}

}  // namespace mellow::language

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>
#include <span>

#include <mellow/data/supervised_example.hpp>
#include <mellow/language/encode_text.hpp>
#include <mellow/language/token_sequences.hpp>

namespace mellow::language {

/// Turns examples into tokens: BOS and the prompt's, which are given; the completion's and EOS, which are scored.
/// `context` is the most tokens that the model reads at once.
///
/// Throws Error, naming the example by where it was read or by its number, for an empty completion, text that the
/// tokeniser has no tokens for, and what is too long for the context: nothing is cut off.
template <Tokenizer T>
TokenSequences tokenize_examples(std::span<const data::SupervisedExample> examples, const T& tokenizer,
                                 Index context = std::numeric_limits<Index>::max()) {
  require(context > 0, "language::tokenize_examples", "context must be positive", context);
  TokenSequences result;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    const data::SupervisedExample& example = examples[i];
    detail::TextEncoder encoder(
        tokenizer, context,
        example.where.empty() ? fmt::format("language::tokenize_examples: example {}", i) : example.where);
    const auto prompt = encoder.prompt(example.prompt);
    result.add(prompt, encoder.completion(example.completion, "completion"));
  }
  return result;
}

}  // namespace mellow::language

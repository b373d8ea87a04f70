// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <span>
#include <vector>

#include <mellow/core/error.hpp>
#include <mellow/core/language_model.hpp>
#include <mellow/core/types.hpp>

namespace mellow::language {

/// Prompts with their completions, one after the other as models read them: the data of a training, or a batch of it.
///
///     language::TokenSequences data;
///     data.add(prompt, completion);
///     model.log_probabilities(theta, data.packed(), tape);
class TokenSequences {
 public:
  /// Adds one. Throws Error for a prompt or a completion without tokens.
  void add(std::span<const Token> prompt, std::span<const Token> completion) {
    constexpr auto where = "language::TokenSequences";
    if (prompt.empty()) throw Error(where, "a prompt must have a token; that of this sequence has none", size());
    if (completion.empty())
      throw Error(where, "a completion must have a token; that of this sequence has none", size());
    tokens_.insert(tokens_.end(), prompt.begin(), prompt.end());
    tokens_.insert(tokens_.end(), completion.begin(), completion.end());
    starts_.push_back(std::ssize(tokens_));
    given_.push_back(std::ssize(prompt));
  }
  /// Adds sequence i of others.
  void add(const TokenSequences& other, Index i) {
    const auto all = std::span(other.tokens_)
                         .subspan(static_cast<std::size_t>(other.starts_[static_cast<std::size_t>(i)]),
                                  static_cast<std::size_t>(other.packed().length(i)));
    const auto prompt = static_cast<std::size_t>(other.packed().prompt(i));
    add(all.first(prompt), all.subspan(prompt));
  }
  /// Forgets all; keeps the memory.
  void clear() {
    tokens_.clear();
    starts_.assign(1, 0);
    given_.clear();
  }

  Index size() const { return std::ssize(given_); }                   ///< sequences
  Index tokens() const { return std::ssize(tokens_); }                ///< of prompts and completions
  PackedTokens packed() const { return {tokens_, starts_, given_}; }  ///< a view
  /// Tokens of completion i.
  Index completion_length(Index i) const { return packed().length(i) - packed().prompt(i); }

 private:
  std::vector<Token> tokens_;
  std::vector<Index> starts_{0}, given_;
};

}  // namespace mellow::language

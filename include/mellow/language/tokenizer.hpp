// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <mellow/core/error.hpp>
#include <mellow/core/token.hpp>
#include <mellow/core/types.hpp>

namespace mellow::language {

/// Turns text into tokens and back, decode(encode(text)) == text. A type with
///
///     vocabulary_size() -> Index               tokens there are, numbered from 0
///     encode(text, std::vector<Token>& to)     appends; throws Error for text that has no tokens
///     decode(std::span<const Token>)           the text, without special tokens; throws Error for what is no token
///     bos(), eos(), pad() -> Token             special tokens: a text's beginning and end, filling
///
/// Text never gives a special token, whatever is written in it.
template <class T>
concept Tokenizer =
    requires(const T tokenizer, std::string_view text, std::vector<Token>& to, std::span<const Token> tokens) {
      { tokenizer.vocabulary_size() } -> std::convertible_to<Index>;
      tokenizer.encode(text, to);
      { tokenizer.decode(tokens) } -> std::convertible_to<std::string>;
      { tokenizer.bos() } -> std::same_as<Token>;
      { tokenizer.eos() } -> std::same_as<Token>;
      { tokenizer.pad() } -> std::same_as<Token>;
    };

/// The tokens of a text. Throws Error as the tokeniser does.
template <Tokenizer T>
std::vector<Token> encode(const T& tokenizer, std::string_view text) {
  std::vector<Token> tokens;
  tokenizer.encode(text, tokens);
  return tokens;
}

namespace detail {
[[noreturn]] inline void refuse_token(std::string_view where, std::size_t place, Index size, Token token) {
  throw Error(where, fmt::format("token {} must be from 0 to {}", place, size - 1), token);
}
}  // namespace detail

}  // namespace mellow::language

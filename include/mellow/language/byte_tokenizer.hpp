// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/language/tokenizer.hpp>

namespace mellow::language {

/// A token a byte: 0 to 255 are the bytes, 256 to 258 the special tokens. Any text has tokens, UTF-8 or not; those of
/// other languages than English are long.
struct ByteTokenizer {
  Index vocabulary_size() const { return 259; }  ///< 256 bytes and three special tokens
  Token bos() const { return 256; }              ///< a text's beginning
  Token eos() const { return 257; }              ///< its end
  Token pad() const { return 258; }              ///< filling

  /// Appends the tokens of a text, as many as it has bytes.
  void encode(std::string_view text, std::vector<Token>& to) const {
    for (const char c : text) to.push_back(static_cast<unsigned char>(c));
  }

  /// The text of tokens, special ones left out. Throws Error, with the place, for a number that is no token.
  std::string decode(std::span<const Token> tokens) const {
    std::string text;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (tokens[i] < 0 || tokens[i] >= vocabulary_size())
        detail::refuse_token("language::ByteTokenizer", i, vocabulary_size(), tokens[i]);
      if (tokens[i] < 256) text += static_cast<char>(tokens[i]);
    }
    return text;
  }
};

}  // namespace mellow::language

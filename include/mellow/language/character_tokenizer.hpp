// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include <mellow/core/utf8.hpp>
#include <mellow/language/tokenizer.hpp>

namespace mellow::language {

/// A token a character of an alphabet; after them the special tokens. For small models of texts with few characters.
///
///     const CharacterTokenizer tokenizer("0123456789+=");
///     encode(tokenizer, "1+2");   // 1, 10, 2
///
/// A character is a code point of UTF-8; what looks like one letter may be several (e and an accent).
class CharacterTokenizer {
 public:
  /// Token i is the i-th character of the alphabet. Throws Error, with the place, where the alphabet is empty, not
  /// UTF-8, or has a character twice.
  explicit CharacterTokenizer(std::string_view alphabet) {
    for (std::size_t at = 0; at < alphabet.size();) {
      const std::string_view character = next(alphabet, at, "the alphabet");
      if (!numbers_.emplace(character, static_cast<Token>(characters_.size())).second)
        throw Error(where, fmt::format("character {} of the alphabet is there before", characters_.size()),
                    shown(character));
      characters_.emplace_back(character);
      at += character.size();
    }
    require(!characters_.empty(), where, "the alphabet must have a character", characters_.size());
  }

  /// The alphabet of all characters of some texts, in the order of their code points. Throws Error as above.
  static CharacterTokenizer of(std::span<const std::string> texts) {
    std::set<std::string_view> found;  // bytes of UTF-8 sort as code points do
    for (const std::string& text : texts)
      for (std::size_t at = 0; at < text.size(); at += found.insert(next(text, at, "the text")).first->size()) {}
    std::string alphabet;
    for (const std::string_view character : found) alphabet += character;
    return CharacterTokenizer(alphabet);
  }

  /// All characters by their tokens; makes the same tokeniser again.
  std::string alphabet() const {
    std::string text;
    for (const std::string& character : characters_) text += character;
    return text;
  }

  Index vocabulary_size() const { return std::ssize(characters_) + 3; }  ///< characters and special tokens
  Token bos() const { return static_cast<Token>(characters_.size()); }   ///< a text's beginning
  Token eos() const { return bos() + 1; }                                ///< its end
  Token pad() const { return bos() + 2; }                                ///< filling

  /// Appends the tokens of a text, one a character. Throws Error for a character that is not of the alphabet, naming it
  /// and its place, and for text that is not UTF-8; `to` is then as before.
  void encode(std::string_view text, std::vector<Token>& to) const {
    const std::size_t before = to.size();
    try {
      for (std::size_t at = 0; at < text.size();) {
        const std::string_view character = next(text, at, "the text");
        const auto token = numbers_.find(character);
        if (token == numbers_.end())
          throw Error(where, fmt::format("character {} of the text is not of the alphabet", to.size() - before),
                      shown(character));
        to.push_back(token->second);
        at += character.size();
      }
    } catch (...) {
      to.resize(before);
      throw;
    }
  }

  /// The text of tokens, special ones left out. Throws Error, with the place, for a number that is no token.
  std::string decode(std::span<const Token> tokens) const {
    std::string text;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (tokens[i] < 0 || tokens[i] >= vocabulary_size()) detail::refuse_token(where, i, vocabulary_size(), tokens[i]);
      if (tokens[i] < bos()) text += characters_[static_cast<std::size_t>(tokens[i])];
    }
    return text;
  }

 private:
  static constexpr auto where = "language::CharacterTokenizer";

  /// The character of a text at a byte.
  static std::string_view next(std::string_view text, std::size_t at, std::string_view name) {
    const std::size_t length = utf8_length(text.substr(at));
    if (length == 0)
      throw Error(where, fmt::format("byte {} of {} is not UTF-8", at, name),
                  fmt::format("{:#04x}", static_cast<unsigned char>(text[at])));
    return text.substr(at, length);
  }

  /// A character as a message can bear it: itself and its code point.
  static std::string shown(std::string_view character) {
    const auto byte = [&](std::size_t i) {
      return static_cast<std::uint32_t>(static_cast<unsigned char>(character[i]));
    };
    std::uint32_t point = character.size() == 1 ? byte(0) : byte(0) & (0x7fu >> character.size());
    for (std::size_t i = 1; i < character.size(); ++i) point = (point << 6) | (byte(i) & 0x3f);
    return point < 0x20 || point == 0x7f ? fmt::format("U+{:04X}", point)
                                         : fmt::format("'{}', U+{:04X}", character, point);
  }

  std::vector<std::string> characters_;
  std::map<std::string, Token, std::less<>> numbers_;
};

}  // namespace mellow::language

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include <mellow/core/token.hpp>
#include <mellow/core/types.hpp>

namespace mellow::language::detail {

/// The form of a completion of `LongAddition`: its thoughts, or an answer without any, as tokens.
struct AdditionForm {
  static constexpr Token carry_0 = 10, carry_1 = 11, separator = 13, answer = 14, eos = 16, filler = 18;
  static constexpr Token index(Index i) { return static_cast<Token>(19 + i); }

  bool fillers;  // whether fillers may stand before a thought
  bool answers;  // whether an answer without thoughts has the right form

  static int at(std::span<const Token> tokens, Index i) { return tokens[static_cast<std::size_t>(i)]; }
  static bool is_digit(int token) { return token >= 0 && token < 10; }
  static bool is_carry(int token) { return token == carry_0 || token == carry_1; }

  /// Whether the tokens at a place are thought i.
  static bool is_thought(std::span<const Token> tokens, Index place, Index i) {
    return std::ssize(tokens) >= place + 4 && at(tokens, place) == index(i) && is_digit(at(tokens, place + 1)) &&
           is_carry(at(tokens, place + 2)) && at(tokens, place + 3) == separator;
  }

  /// How many thoughts of the right form there are at the beginning, and where they end.
  struct Thoughts {
    Index formed, end;
  };
  /// Calls body(i, begin, place) for each of these, n at most: fillers from `begin` on, its index at `place`.
  template <class Body>
  Thoughts read_thoughts(std::span<const Token> completion, Index n, const Body& body) const {
    Index end = 0;
    for (Index i = 0; i < n; ++i) {
      Index place = end;
      while (fillers && place < std::ssize(completion) && at(completion, place) == filler) ++place;
      if (!is_thought(completion, place, i)) return {i, end};
      body(i, end, place);
      end = place + 4;
    }
    return {n, end};
  }

  /// Whether a completion has the form of an answer without thoughts.
  bool is_answer(std::span<const Token> completion, Index n) const {
    if (!answers || std::ssize(completion) != n + 3 || completion.front() != answer || completion.back() != eos)
      return false;
    return std::ranges::all_of(completion.subspan(1, static_cast<std::size_t>(n)), is_digit) &&
           is_carry(at(completion, n + 1));
  }
  /// What a chain of thoughts without fillers ends with.
  static std::vector<Token> answer_of(std::span<const Token> thoughts) {
    std::vector<Token> tokens{answer};
    for (std::size_t place = 0; place + 4 < thoughts.size(); place += 4) tokens.push_back(thoughts[place + 1]);
    tokens.insert(tokens.end(), {thoughts[thoughts.size() - 3], eos});
    return tokens;
  }
};

}  // namespace mellow::language::detail

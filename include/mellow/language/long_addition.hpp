// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <array>
#include <cassert>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <mellow/core/error.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/core/token.hpp>
#include <mellow/core/types.hpp>

namespace mellow::language {

/// The size of a `LongAddition`, and how uncertain its teacher is.
struct LongAdditionOptions {
  Index digits = 6;         ///< of each number, from 1 to 1000
  double hard_share = 0.3;  ///< probability that an entry of the table of additions is hard, in [0, 1]

  /// Throws Error for a number out of range.
  void validate() const {
    constexpr auto where = "language::LongAddition";
    require(digits >= 1 && digits <= 1'000, where, "digits must be from 1 to 1000", digits);
    require(hard_share >= 0 && hard_share <= 1, where, "hard_share must be from 0 to 1", hard_share);
  }
};

/// Addition of two numbers digit by digit, the least significant first, written out as a chain of thoughts of which
/// each can be checked: t_i = a_i + b_i + c_(i-1), d_i = t_i mod 10, c_i = t_i div 10, c_(-1) = 0. With n digits:
///
///     prompt       BOS (I_i a_i b_i) for i = 0..n-1, =          2 + 3 n tokens
///     completion   (I_i d_i c_i ;)   for i = 0..n-1, EOS        4 n + 1 tokens
///
/// Its teacher is imperfect. Of the 200 entries (a, b, c) of the table of additions some are hard: their result is
/// drawn from three candidates, the truth and two wrong values in 0..19 that are fixed for each entry, and the chain
/// goes on from the carry that was drawn. With the defaults a model that imitates the teacher perfectly makes
/// 0.7 + 0.3 / 3 = 0.8 of its steps rightly, and 0.8^6 = 0.26 of its chains.
///
/// The test bed of the methods for language models: a wrong step nearly always makes the answer wrong, and where the
/// first one stands is known exactly.
class LongAddition {
 public:
  /// @{
  /// Tokens. The digits are 0 to 9; the index of digit i is `index(i)`.
  static constexpr Token carry_0 = 10, carry_1 = 11, equals = 12, separator = 13, answer = 14, bos = 15, eos = 16,
                         pad = 17, filler = 18;
  /// @}
  static constexpr Token index(Index i) { return static_cast<Token>(19 + i); }  ///< I_i

  /// Draws which entries are hard, and their candidates. Throws Error for a number out of range.
  explicit LongAddition(Rng& rng, const LongAdditionOptions& options = {}) : options_(options) {
    options_.validate();
    for (std::size_t entry = 0; entry < candidates_.size(); ++entry) {
      const auto truth = static_cast<int>(entry / 20 + entry / 2 % 10 + entry % 2);
      auto& values = candidates_[entry];
      values.fill(truth);
      if (rng.uniform() >= options_.hard_share) continue;
      do values[1] = static_cast<int>(rng.below(20));
      while (values[1] == truth);
      do values[2] = static_cast<int>(rng.below(20));
      while (values[2] == truth || values[2] == values[1]);
    }
  }

  Index digits() const { return options_.digits; }              ///< n
  Index vocabulary_size() const { return 19 + digits(); }       ///< tokens there are
  Index prompt_length() const { return 2 + 3 * digits(); }      ///< tokens of a prompt
  Index completion_length() const { return 4 * digits() + 1; }  ///< tokens of a completion of the right form
  /// The three results that the teacher gives to an entry with the same probability: the truth first; all the truth
  /// where it is not hard.
  const std::array<int, 3>& candidates(int a, int b, int carry) const {
    assert(a >= 0 && a < 10 && b >= 0 && b < 10 && (carry == 0 || carry == 1));
    const int entry = 20 * a + 2 * b + carry;
    return candidates_[static_cast<std::size_t>(entry)];
  }

  /// Two numbers of uniformly random digits.
  std::vector<Token> prompt(Rng& rng) const {
    std::vector<Token> tokens{bos};
    for (Index i = 0; i < digits(); ++i) {
      tokens.push_back(index(i));
      tokens.push_back(static_cast<Token>(rng.below(10)));
      tokens.push_back(static_cast<Token>(rng.below(10)));
    }
    tokens.push_back(equals);
    return tokens;
  }

  /// The right completion. Throws Error for what is no prompt.
  std::vector<Token> completion(std::span<const Token> prompt) const {
    return chain(prompt, [](const std::array<int, 3>& values) { return values[0]; });
  }

  /// A completion as the imperfect teacher writes it: supervised data. Throws Error for what is no prompt.
  std::vector<Token> teacher_completion(std::span<const Token> prompt, Rng& rng) const {
    return chain(prompt, [&](const std::array<int, 3>& values) {
      return values[1] == values[0] ? values[0] : values[static_cast<std::size_t>(rng.below(3))];
    });
  }

  /// Whether a completion has the form of one: n thoughts with their indices in order, each a digit and a carry, and
  /// then EOS alone.
  bool is_well_formed(std::span<const Token> completion) const {
    return std::ssize(completion) == completion_length() && completion.back() == eos &&
           thoughts(completion) == digits();
  }

  /// 1 where the completion has the right form, every digit and the last carry are right, else 0. Throws Error for what
  /// is no prompt.
  double reward(std::span<const Token> prompt, std::span<const Token> completion) const {
    require_prompt(prompt);
    if (!is_well_formed(completion)) return 0.0;
    int carry = 0;
    for (Index i = 0; i < digits(); ++i) {
      const int sum = sum_at(prompt, i, carry);
      if (at(completion, 4 * i + 1) != sum % 10) return 0.0;
      carry = sum / 10;
    }
    return at(completion, 4 * digits() - 2) == carry_0 + carry ? 1.0 : 0.0;
  }

  /// The places in a completion at which its thoughts begin, and the one after the last: thought i are the tokens from
  /// [i] to [i + 1]. Counts the thoughts of the right form at the completion's beginning.
  std::vector<Index> thought_boundaries(std::span<const Token> completion) const {
    std::vector<Index> places;
    for (Index i = 0; i <= thoughts(completion); ++i) places.push_back(4 * i);
    return places;
  }

  /// The first thought that is wrong: not of the right form, or whose digit and carry are not those of a_i + b_i + c
  /// with c the completion's own carry before. n where all thoughts are right but EOS is missing or not the end;
  /// nothing where nothing is wrong. A completion without an error has reward 1; one with reward 1 may have errors that
  /// cancel (a wrong carry, and a wrong step after it). Throws Error for what is no prompt.
  std::optional<Index> first_error(std::span<const Token> prompt, std::span<const Token> completion) const {
    require_prompt(prompt);
    const Index formed = thoughts(completion);
    int carry = 0;
    for (Index i = 0; i < formed; ++i) {
      const int sum = sum_at(prompt, i, carry);
      if (at(completion, 4 * i + 1) != sum % 10 || at(completion, 4 * i + 2) != carry_0 + sum / 10) return i;
      carry = sum / 10;
    }
    if (formed < digits() || !is_well_formed(completion)) return formed;
    return std::nullopt;
  }

  /// Tokens as text: "BOS I0 3 4 =". Throws Error, with the place, for a number that is no token.
  std::string text(std::span<const Token> tokens) const {
    constexpr std::array names{"c0", "c1", "=", ";", "ANS", "BOS", "EOS", "PAD", "h"};
    std::string result;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const Token token = tokens[i];
      if (token < 0 || token >= vocabulary_size())
        throw Error(where, fmt::format("token {} must be from 0 to {}", i, vocabulary_size() - 1), token);
      if (i > 0) result += ' ';
      if (token < 10) result += fmt::format("{}", token);
      else if (token < 19) result += names[static_cast<std::size_t>(token - 10)];
      else result += fmt::format("I{}", token - 19);
    }
    return result;
  }

 private:
  static constexpr auto where = "language::LongAddition";

  static int at(std::span<const Token> tokens, Index i) { return tokens[static_cast<std::size_t>(i)]; }
  static bool is_digit(int token) { return token >= 0 && token < 10; }

  static int sum_at(std::span<const Token> prompt, Index i, int carry) {
    return at(prompt, 3 * i + 2) + at(prompt, 3 * i + 3) + carry;
  }

  /// The thoughts of the right form at the beginning, n at most.
  Index thoughts(std::span<const Token> completion) const {
    for (Index i = 0; i < digits(); ++i) {
      const Index place = 4 * i;
      if (std::ssize(completion) < place + 4 || at(completion, place) != index(i) ||
          !is_digit(at(completion, place + 1)) ||
          (at(completion, place + 2) != carry_0 && at(completion, place + 2) != carry_1) ||
          at(completion, place + 3) != separator)
        return i;
    }
    return digits();
  }

  void require_prompt(std::span<const Token> prompt) const {
    if (std::ssize(prompt) != prompt_length())
      throw Error(where, fmt::format("a prompt must have {} tokens", prompt_length()), prompt.size());
    bool formed = prompt.front() == bos && prompt.back() == equals;
    for (Index i = 0; i < digits(); ++i)
      formed = formed && at(prompt, 3 * i + 1) == index(i) && is_digit(at(prompt, 3 * i + 2)) &&
               is_digit(at(prompt, 3 * i + 3));
    if (!formed)
      throw Error(where, "a prompt must be BOS, an index and two digits for each place, =",
                  fmt::format("{}", fmt::join(prompt, " ")));
  }

  template <class Draw>
  std::vector<Token> chain(std::span<const Token> prompt, Draw&& draw) const {
    require_prompt(prompt);
    std::vector<Token> tokens;
    int carry = 0;
    for (Index i = 0; i < digits(); ++i) {
      const int result = draw(candidates(at(prompt, 3 * i + 2), at(prompt, 3 * i + 3), carry));
      carry = result / 10;
      tokens.insert(tokens.end(), {index(i), result % 10, carry_0 + carry, separator});
    }
    tokens.push_back(eos);
    return tokens;
  }

  LongAdditionOptions options_;
  std::array<std::array<int, 3>, 200> candidates_{};  // of entry 20 a + 2 b + carry
};

}  // namespace mellow::language

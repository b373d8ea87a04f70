// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
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
#include <mellow/language/long_addition_form.hpp>
#include <mellow/language/long_addition_options.hpp>

namespace mellow::language {

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
/// With the options of `LongAdditionOptions::with_fillers` numbers are of unlike lengths, and two things can be had for
/// less: any number of fillers h may stand before a thought, and the answer may come without thoughts,
///
///     completion   ANS d_0 .. d_(n-1) c_(n-1) EOS               n + 3 tokens
///
/// which is what the teacher's chain would have ended with. `reasoning_tokens` counts what was spent.
///
/// The test bed of the methods for language models: a wrong step nearly always makes the answer wrong, and where the
/// first one stands is known exactly.
class LongAddition {
  using Form = detail::AdditionForm;

 public:
  /// @{
  /// Tokens. The digits are 0 to 9; the index of digit i is `index(i)`.
  static constexpr Token carry_0 = Form::carry_0, carry_1 = Form::carry_1, equals = 12, separator = Form::separator,
                         answer = Form::answer, bos = 15, eos = Form::eos, pad = 17, filler = Form::filler;
  /// @}
  static constexpr Token index(Index i) { return Form::index(i); }  ///< I_i

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

  Index digits() const { return options_.digits; }          ///< n, the most
  Index vocabulary_size() const { return 19 + digits(); }   ///< tokens there are
  Index prompt_length() const { return 2 + 3 * digits(); }  ///< most tokens of a prompt
  /// Most tokens of a completion of the teacher's.
  Index completion_length() const { return (4 + (fillers() ? options_.most_fillers : 0)) * digits() + 1; }
  /// The three results that the teacher gives to an entry with the same probability: the truth first; all the truth
  /// where it is not hard.
  const std::array<int, 3>& candidates(int a, int b, int carry) const {
    assert(a >= 0 && a < 10 && b >= 0 && b < 10 && (carry == 0 || carry == 1));
    const int entry = 20 * a + 2 * b + carry;
    return candidates_[static_cast<std::size_t>(entry)];
  }

  /// Two numbers of uniformly random digits, and as many as the options say.
  std::vector<Token> prompt(Rng& rng) const {
    std::vector<Token> tokens{bos};
    const Index n = least_digits() + (least_digits() < digits() ? rng.below(digits() - least_digits() + 1) : 0);
    for (Index i = 0; i < n; ++i) {
      tokens.push_back(index(i));
      tokens.push_back(static_cast<Token>(rng.below(10)));
      tokens.push_back(static_cast<Token>(rng.below(10)));
    }
    tokens.push_back(equals);
    return tokens;
  }

  /// The right completion, without fillers. Throws Error for what is no prompt.
  std::vector<Token> completion(std::span<const Token> prompt) const {
    return chain(
        prompt, [](const std::array<int, 3>& values) { return values[0]; }, [] { return Index(0); });
  }

  /// A completion as the imperfect teacher writes it: supervised data. Throws Error for what is no prompt.
  std::vector<Token> teacher_completion(std::span<const Token> prompt, Rng& rng) const {
    const bool skips = options_.skip_share > 0 && rng.uniform() < options_.skip_share;
    const auto draw = [&](const std::array<int, 3>& values) {
      return values[1] == values[0] ? values[0] : values[static_cast<std::size_t>(rng.below(3))];
    };
    const auto count = [&] {
      Index n = 0;
      while (!skips && fillers() && n < options_.most_fillers && rng.uniform() < options_.filler) ++n;
      return n;
    };
    const std::vector<Token> thoughts = chain(prompt, draw, count);
    return skips ? Form::answer_of(thoughts) : thoughts;
  }

  /// Whether a completion has the form of one of the prompt's: n thoughts with their indices in order, each a digit and
  /// a carry, then EOS alone; or the answer alone, where the options have it. Throws Error for what is no prompt.
  bool is_well_formed(std::span<const Token> prompt, std::span<const Token> completion) const {
    const Index n = require_prompt(prompt);
    if (form().is_answer(completion, n)) return true;
    const auto [formed, end] = form().read_thoughts(completion, n, [](Index, Index, Index) {});
    return formed == n && end + 1 == std::ssize(completion) && completion.back() == eos;
  }

  /// 1 where form, digits and last carry are right, else 0. Throws Error for what is no prompt.
  double reward(std::span<const Token> prompt, std::span<const Token> completion) const {
    if (!is_well_formed(prompt, completion)) return 0.0;
    const Index n = require_prompt(prompt);
    bool right = true;
    int carry = 0;  // the true one
    const auto check = [&](Index i, int digit, int written_carry) {
      const int sum = sum_at(prompt, i, carry);
      carry = sum / 10;
      right = right && digit == sum % 10 && (i + 1 < n || written_carry == carry_0 + carry);
    };
    if (completion.front() == answer)
      for (Index i = 0; i < n; ++i) check(i, at(completion, 1 + i), at(completion, n + 1));
    else
      form().read_thoughts(completion, n, [&](Index i, Index, Index place) {
        check(i, at(completion, place + 1), at(completion, place + 2));
      });
    return right ? 1.0 : 0.0;
  }

  /// How many tokens are thought, sense or not: indices, digits, carries, separators, fillers before the first EOS or ANS.
  Index reasoning_tokens(std::span<const Token> completion) const {
    const auto end = std::ranges::find_if(completion, [](Token token) { return token == eos || token == answer; });
    return std::count_if(completion.begin(), end,
                         [](Token token) { return token <= carry_1 || token == separator || token >= filler; });
  }

  /// The places in a completion at which its thoughts begin, and the one after the last: thought i are the tokens from
  /// [i] to [i + 1], the fillers before it included. Counts the thoughts of the right form at the completion's beginning.
  std::vector<Index> thought_boundaries(std::span<const Token> completion) const {
    std::vector<Index> places;
    const auto [formed, end] =
        form().read_thoughts(completion, digits(), [&](Index, Index begin, Index) { places.push_back(begin); });
    places.push_back(end);
    return places;
  }

  /// The first thought that is wrong: not of the right form, or whose digit and carry are not those of a_i + b_i + c
  /// with c the completion's own carry before. n where all thoughts are right but EOS is missing or not the end;
  /// nothing where nothing is wrong. An answer without thoughts is wrong as a whole: 0, or nothing. A completion without
  /// an error has reward 1; one with reward 1 may have errors that cancel (a wrong carry, and a wrong step after it).
  /// Throws Error for what is no prompt.
  std::optional<Index> first_error(std::span<const Token> prompt, std::span<const Token> completion) const {
    const Index n = require_prompt(prompt);
    if (form().is_answer(completion, n))
      return reward(prompt, completion) == 1.0 ? std::nullopt : std::optional(Index(0));
    std::optional<Index> wrong;
    int carry = 0;
    const auto [formed, end] = form().read_thoughts(completion, n, [&](Index i, Index, Index place) {
      const int sum = sum_at(prompt, i, carry);
      if (at(completion, place + 1) != sum % 10 || at(completion, place + 2) != carry_0 + sum / 10)
        wrong = wrong.value_or(i);
      carry = at(completion, place + 2) - carry_0;
    });
    if (wrong) return wrong;
    if (formed < n || !is_well_formed(prompt, completion)) return formed;
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

  static int at(std::span<const Token> tokens, Index i) { return Form::at(tokens, i); }
  static int sum_at(std::span<const Token> prompt, Index i, int carry) {
    return at(prompt, 3 * i + 2) + at(prompt, 3 * i + 3) + carry;
  }

  Index least_digits() const { return options_.least_digits > 0 ? options_.least_digits : digits(); }
  bool fillers() const { return options_.filler > 0; }
  Form form() const { return {.fillers = fillers(), .answers = options_.skip_share > 0}; }

  /// The digits of its numbers.
  Index require_prompt(std::span<const Token> prompt) const {
    const Index n = (std::ssize(prompt) - 2) / 3;
    if (std::ssize(prompt) != 2 + 3 * n || n < least_digits() || n > digits())
      throw Error(where,
                  least_digits() == digits() ? fmt::format("a prompt must have {} tokens", prompt_length())
                                             : fmt::format("a prompt must have from {} to {} tokens, three a digit",
                                                           2 + 3 * least_digits(), prompt_length()),
                  prompt.size());
    bool formed = prompt.front() == bos && prompt.back() == equals;
    for (Index i = 0; i < n; ++i)
      formed = formed && at(prompt, 3 * i + 1) == index(i) && Form::is_digit(at(prompt, 3 * i + 2)) &&
               Form::is_digit(at(prompt, 3 * i + 3));
    if (!formed)
      throw Error(where, "a prompt must be BOS, an index and two digits for each place, =",
                  fmt::format("{}", fmt::join(prompt, " ")));
    return n;
  }

  template <class Draw, class Fillers>
  std::vector<Token> chain(std::span<const Token> prompt, const Draw& draw, const Fillers& fillers_before) const {
    const Index n = require_prompt(prompt);
    std::vector<Token> tokens;
    int carry = 0;
    for (Index i = 0; i < n; ++i) {
      tokens.insert(tokens.end(), static_cast<std::size_t>(fillers_before()), filler);
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

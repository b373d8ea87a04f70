// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <concepts>

#include <mellow/core/types.hpp>
#include <mellow/preference/dpo.hpp>
#include <mellow/preference/pair_batch.hpp>

namespace mellow::preference {

/// What a loss may know of a response's tokens: a number a token in each column, the prompt's left out. s_t is what
/// stands before token t.
struct ResponseTokens {
  Column<double> log_probs{};        ///< log pi(y_t | s_t)
  Column<double> reference{};        ///< log pi_ref(y_t | s_t); absent: 0
  Column<double> divergences{};      ///< KL(pi_ref(. | s_t) || pi(. | s_t)), for losses with `uses_divergences`
  Column<double> log_sum_squares{};  ///< log sum_v pi(v | s_t)^2, for losses with `uses_log_sum_squares`

  Index size() const { return log_probs.size(); }  ///< tokens
};

/// A pair of responses to one prompt, token by token.
struct TokenPair {
  ResponseTokens chosen{};    ///< y_w
  ResponseTokens rejected{};  ///< y_l
};

/// Where a loss of tokens writes its derivatives in the numbers of a response: as many as there are tokens, zeros at
/// first.
struct ResponseGradient {
  VectorRef<double> d_log_probs;    ///< dL / d log pi(y_t | s_t)
  VectorRef<double> d_divergences;  ///< dL / d KL_t; of no numbers for losses that do not use them
};

/// The same of a pair.
struct TokenPairGradient {
  ResponseGradient chosen;    ///< of y_w
  ResponseGradient rejected;  ///< of y_l
};

/// A loss of a pair's tokens: `loss(pair, gradient)` writes its derivatives and returns its value. It may also have
///
///     beta, validate()                            as a `PairLoss`
///     static constexpr bool uses_divergences      whether it reads the tokens' divergences: a model then gives all of
///                                                 its distributions, and takes derivatives in them
///     static constexpr bool uses_log_sum_squares  whether it reads log sum_v pi_v^2, a constant to the gradient
template <class L>
concept TokenLoss = requires(const L loss, const TokenPair pair, TokenPairGradient gradient) {
  { loss(pair, gradient) } -> std::same_as<double>;
};

/// Whether a loss of tokens reads divergences.
template <class L>
inline constexpr bool uses_divergences = [] {
  if constexpr (requires { L::uses_divergences; }) return bool(L::uses_divergences);
  else return false;
}();
/// Whether a loss of tokens reads log sum_v pi_v^2.
template <class L>
inline constexpr bool uses_log_sum_squares = [] {
  if constexpr (requires { L::uses_log_sum_squares; }) return bool(L::uses_log_sum_squares);
  else return false;
}();

namespace detail {
/// sum_t w_t x_t with w_t = 1 for the first `head` tokens, `tail` for the others.
inline double sum_of(const Column<double>& numbers, Index head, double tail) {
  double first = 0, rest = 0;
  for (Index t = 0; t < numbers.size(); ++t) (t < head ? first : rest) += numbers[t];
  return first + tail * rest;
}
/// A pair's sums over tokens, those from `head` on weighed by `tail`.
inline Pair sums_of(const TokenPair& pair, Index head, double tail) {
  return {.chosen = sum_of(pair.chosen.log_probs, head, tail),
          .rejected = sum_of(pair.rejected.log_probs, head, tail),
          .reference_chosen = sum_of(pair.chosen.reference, head, tail),
          .reference_rejected = sum_of(pair.rejected.reference, head, tail),
          .chosen_tokens = static_cast<double>(pair.chosen.size()),
          .rejected_tokens = static_cast<double>(pair.rejected.size())};
}
/// A pair's plain sums over all tokens.
inline Pair sums_of(const TokenPair& pair) {
  return sums_of(pair, std::max(pair.chosen.size(), pair.rejected.size()), 1.0);
}
}  // namespace detail

}  // namespace mellow::preference

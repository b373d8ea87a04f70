// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/core.h>

#include <concepts>
#include <span>
#include <string_view>
#include <vector>

#include <mellow/core/error.hpp>
#include <mellow/core/network.hpp>
#include <mellow/core/token.hpp>
#include <mellow/core/types.hpp>

namespace mellow {

/// Sequences of unequal length, one after the other and without padding: a view of arrays that live elsewhere.
struct PackedTokens {
  std::span<const Token> tokens;   ///< of all sequences
  std::span<const Index> starts;   ///< n + 1 offsets: sequence i is tokens[starts[i]] .. tokens[starts[i + 1] - 1]
  std::span<const Index> given{};  ///< n lengths of prompts, each at least 1; empty: 1 for every sequence

  Index sequences() const { return static_cast<Index>(starts.size()) - 1; }  ///< how many
  Index size() const { return starts.back() - starts.front(); }              ///< tokens of all sequences
  /// Where sequence i begins in `tokens`.
  Index start(Index i) const { return starts[static_cast<std::size_t>(i)]; }
  /// Tokens of sequence i.
  Index length(Index i) const { return start(i + 1) - start(i); }
  /// Tokens of sequence i that are not scored, at least the first: nothing stands before it.
  Index prompt(Index i) const { return given.empty() ? 1 : given[static_cast<std::size_t>(i)]; }
  /// Sequences first .. first + count - 1: the same tokens, seen through a part of the offsets.
  PackedTokens part(Index first, Index count) const {
    const auto at = static_cast<std::size_t>(first), n = static_cast<std::size_t>(count);
    return {tokens, starts.subspan(at, n + 1), given.empty() ? given : given.subspan(at, n)};
  }
};

/// Throws Error, from `where`, unless every token is one of the vocabulary, every sequence has between `shortest` and
/// `longest` tokens, and offsets and prompts fit the tokens.
inline void require_valid(const PackedTokens& packed, Index vocabulary, Index shortest, Index longest,
                          std::string_view where) {
  require(!packed.starts.empty(), where, "starts must hold n + 1 offsets for n sequences", packed.starts.size());
  require(packed.start(0) >= 0, where, "starts must lie within the tokens", packed.start(0));
  require(packed.starts.back() <= static_cast<Index>(packed.tokens.size()), where, "starts must lie within the tokens",
          packed.starts.back());
  require(packed.given.empty() || packed.given.size() + 1 == packed.starts.size(), where,
          "given must hold one length of a prompt for each sequence", packed.given.size());
  for (Index i = 0; i < packed.sequences(); ++i) {
    const Index length = packed.length(i);
    if (length < shortest || length > longest)
      throw Error(where, fmt::format("sequence {} must have between {} and {} tokens", i, shortest, longest), length);
    if (packed.prompt(i) < 1)
      throw Error(where, fmt::format("the prompt of sequence {} must hold at least its first token", i),
                  packed.prompt(i));
    for (Index t = packed.start(i); t < packed.start(i + 1); ++t) {
      const Token token = packed.tokens[static_cast<std::size_t>(t)];
      if (token < 0 || token >= vocabulary)
        throw Error(where,
                    fmt::format("token {} of sequence {} must lie in 0 .. {}", t - packed.start(i), i, vocabulary - 1),
                    token);
    }
  }
}

/// Keys and values of a number of sequences that a model reads token by token. What it holds belongs to the parameters
/// that it was filled with.
///
///     sequences(), length(i)     how many sequences; tokens read of sequence i
///     truncate(i, length)        forgets what sequence i read after its first `length` tokens
///     fork(from, to)             sequence `to` becomes a copy of sequence `from`
///     copy(other, from, to)      the same from another cache of the model
template <class C>
concept LanguageCache = std::copyable<C> && requires(C cache, const C& fixed, Index i) {
  { fixed.sequences() } -> std::convertible_to<Index>;
  { fixed.length(i) } -> std::convertible_to<Index>;
  cache.truncate(i, i);
  cache.fork(i, i);
  cache.copy(fixed, i, i);
};

/// A distribution over sequences of tokens that is a differentiable function of a flat parameter vector `theta`; the
/// object itself holds shapes only.
///
///     Scalar                                      of parameters and values
///     Tape                                        keeps what the backward passes need; reused, it does not allocate again
///     Cache                                       see LanguageCache
///     vocabulary(), context()                     how many tokens there are; tokens that a sequence may have
///     parameters(), segments()                    length and named pieces of theta
///     log_probabilities(theta, packed, tape)      of every token, the first sequence's first, log p(token | those before
///                                                 it in its sequence); 0 for a prompt's. A view that lives in the tape
///     backward(theta, tape, weights, gradient)    adds d (sum_t weights_t log p_t) / d theta into `gradient`; the
///                                                 weights of a prompt's tokens are not read
///     log_distributions(tape)                     vocabulary x scored tokens (all but those of prompts, in order): log p
///                                                 of every token in their places. A view that lives in the tape
///     backward_soft(theta, tape, d, gradient)     adds d f / d theta for a function f of these, whose derivatives by
///                                                 them, as if each were free, are `d`: for TDPO, entropy, distillation
///     make_cache(n)                               an empty cache of n sequences
///     next_logits(theta, packed, cache)           reads the tokens, n sequences of any length, 0 included, after what the
///                                                 cache holds; gives vocabulary x sequences that were read of, in order:
///                                                 the logits of their next token. A view that lives in the cache
template <class M>
concept LanguageModel =
    std::copyable<M> && std::default_initializable<typename M::Tape> && LanguageCache<typename M::Cache> &&
    requires(const M model, const Vector<typename M::Scalar> theta, const PackedTokens tokens, typename M::Tape tape,
             const Matrix<typename M::Scalar> matrix, Vector<typename M::Scalar> gradient, typename M::Cache cache,
             Index n) {
      { model.vocabulary() } -> std::convertible_to<Index>;
      { model.context() } -> std::convertible_to<Index>;
      { model.parameters() } -> std::convertible_to<Index>;
      { model.segments() } -> std::convertible_to<std::vector<Segment>>;
      { model.log_probabilities(theta, tokens, tape) } -> std::convertible_to<ConstVectorRef<typename M::Scalar>>;
      model.backward(theta, tape, theta, gradient);
      { model.log_distributions(tape) } -> std::convertible_to<ConstMatrixRef<typename M::Scalar>>;
      model.backward_soft(theta, tape, matrix, gradient);
      { model.make_cache(n) } -> std::convertible_to<typename M::Cache>;
      { model.next_logits(theta, tokens, cache) } -> std::convertible_to<ConstMatrixRef<typename M::Scalar>>;
    };

}  // namespace mellow

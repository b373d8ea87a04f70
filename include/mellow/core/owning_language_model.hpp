// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>

#include <mellow/core/language_model.hpp>
#include <mellow/core/types.hpp>

namespace mellow {

/// What a step of a model's own optimiser says of itself.
struct OwnStep {
  double gradient_norm = 0;  ///< before clipping
  double learning_rate = 0;  ///< of the step
};

/// A language model that keeps its parameters, its gradient and its optimiser to itself: one of another library, or on
/// another machine. It is trained by weights of tokens alone.
///
///     Scalar                             of values: float or double
///     vocabulary(), context()            how many tokens there are; tokens that a sequence may have
///     log_probabilities(packed)          of every token, the first sequence's first, log p(token | those before it in its
///                                        sequence); 0 for a prompt's
///     zero_gradient()                    forgets the gradient
///     accumulate(packed, weights)        adds the gradient of sum_t weights_t log p_t to its own, of the sequences whose
///                                        log-probabilities were asked for last; the weights of a prompt's tokens are not
///                                        to be read
///     step(max_gradient_norm)            scales a longer gradient down to it and moves the parameters against the gradient
///
/// A loss of whole distributions (TDPO) also needs, vocabulary x scored tokens (all but those of prompts, in order),
///
///     log_distributions(packed)          log p of every token in their places, of the sequences that were read last
///     accumulate_soft(packed, d)         adds the gradient of a function f of these, whose derivatives by them, as if each
///                                        were free, are `d`
///
/// Checkpoints hold what its `visit_state` names, and training on pairs keeps the best of what `parameters()` gives; it
/// may have both or neither.
template <class M>
concept OwningLanguageModel =
    requires(M model, const M& fixed, const PackedTokens tokens, const Vector<typename M::Scalar> weights) {
      { fixed.vocabulary() } -> std::convertible_to<Index>;
      { fixed.context() } -> std::convertible_to<Index>;
      { model.log_probabilities(tokens) } -> std::convertible_to<ConstVectorRef<typename M::Scalar>>;
      model.zero_gradient();
      model.accumulate(tokens, weights);
      { model.step(1.0) } -> std::convertible_to<OwnStep>;
    };

/// Whether such a model gives whole distributions, and takes derivatives in them.
template <class M>
concept OwnsDistributions =
    OwningLanguageModel<M> && requires(M model, const PackedTokens tokens, const Matrix<typename M::Scalar> matrix) {
      { model.log_distributions(tokens) } -> std::convertible_to<ConstMatrixRef<typename M::Scalar>>;
      model.accumulate_soft(tokens, matrix);
    };

}  // namespace mellow

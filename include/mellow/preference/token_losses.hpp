// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cassert>
#include <cmath>
#include <concepts>
#include <type_traits>

#include <mellow/core/numerics.hpp>
#include <mellow/preference/dpo.hpp>
#include <mellow/preference/token_loss.hpp>

namespace mellow::preference {

// What is computed of tokens: weights of log-probabilities, and losses that need whole distributions. Logits are
// vocabulary x tokens of one response, prompt left out: a column is what the next token was drawn from.

/// log sum_v pi_v^2 of a column of logits: 2 logits through log-sum-exp. WPO's normaliser.
template <class Derived>
typename Derived::Scalar log_sum_squared_probs(const Eigen::DenseBase<Derived>& logits) {
  return log_sum_exp(2 * logits.derived().array()) - 2 * log_sum_exp(logits);
}

/// WPO's weight of a response (Zhou et al. 2024, eq. 2): exp(mean_t(log pi(y_t) - log sum_v pi_v^2)), a constant to the
/// gradient. A pair's weight is the product of its two responses'; put it into `PairBatch::weights`.
///
/// Both columns have a number a token. Throws Error where they do not fit or are empty.
template <class Scalar>
double wpo_weight(const Column<Scalar>& token_log_probs, const std::type_identity_t<Column<Scalar>>& log_sum_squares) {
  constexpr auto where = "preference::wpo_weight";
  require(token_log_probs.size() > 0, where, "the response must have a token", token_log_probs.size());
  detail::require_size(log_sum_squares.size(), token_log_probs.size(), where, "log_sum_squares");
  double sum = 0;
  for (Index t = 0; t < token_log_probs.size(); ++t)
    sum += static_cast<double>(token_log_probs[t]) - static_cast<double>(log_sum_squares[t]);
  return std::exp(sum / static_cast<double>(token_log_probs.size()));
}

/// LD-DPO's weights of a response's tokens (Liu et al. 2024): 1 for those within the pair's shorter response, `alpha`
/// beyond. They weigh log-probabilities of policy and reference before summing, and the gradient of each token after.
///
/// `weights` has a number a token and is overwritten. Throws Error unless alpha lies in [0, 1] and shared_tokens is not
/// negative.
template <class Scalar>
void ld_weights(Index shared_tokens, double alpha, VectorRef<Scalar> weights) {
  constexpr auto where = "preference::ld_weights";
  require(alpha >= 0 && alpha <= 1, where, "alpha must lie in [0, 1]", alpha);
  require(shared_tokens >= 0, where, "shared_tokens must not be negative", shared_tokens);
  const Index shared = std::min(shared_tokens, weights.size());
  weights.head(shared).setOnes();
  weights.tail(weights.size() - shared).setConstant(static_cast<Scalar>(alpha));
}

/// A response's log-probability from its tokens', weighed: sum_t w_t log pi(y_t). Without weights, the plain sum.
template <class Scalar>
double sum_log_prob(const Column<Scalar>& token_log_probs, const std::type_identity_t<Column<Scalar>>& weights = {}) {
  detail::require_size_or_none(weights.size(), token_log_probs.size(), "preference::sum_log_prob", "weights");
  double sum = 0;
  for (Index t = 0; t < token_log_probs.size(); ++t)
    sum += static_cast<double>(weights.at(t, 1)) * static_cast<double>(token_log_probs[t]);
  return sum;
}

/// The sequential KL divergence of TDPO: K = sum_t KL(pi_ref(. | s_t) || pi(. | s_t)) over a response's tokens.
///
/// Both logits are vocabulary x tokens. `d_logits`, of the same shape, is overwritten with dK / d logits, which is
/// pi - pi_ref, a column a token; multiply it by the loss's `d_kl`. Throws Error where shapes differ.
template <class Scalar>
double sequential_kl(const ConstMatrixRef<Scalar>& reference_logits, const ConstMatrixRef<Scalar>& logits,
                     MatrixRef<Scalar> d_logits) {
  constexpr auto where = "preference::sequential_kl";
  const auto fits = [&](Index rows, Index cols) { return rows == logits.rows() && cols == logits.cols(); };
  if (!fits(reference_logits.rows(), reference_logits.cols()) || !fits(d_logits.rows(), d_logits.cols()))
    throw Error(where, fmt::format("reference_logits and d_logits must be {} x {}", logits.rows(), logits.cols()),
                fmt::format("{} x {} and {} x {}", reference_logits.rows(), reference_logits.cols(), d_logits.rows(),
                            d_logits.cols()));
  double sum = 0;
  for (Index t = 0; t < logits.cols(); ++t) {
    const double total = log_sum_exp(logits.col(t)), reference_total = log_sum_exp(reference_logits.col(t));
    for (Index v = 0; v < logits.rows(); ++v) {
      const double log_prob = static_cast<double>(logits(v, t)) - total;
      const double reference = static_cast<double>(reference_logits(v, t)) - reference_total;
      const double p = std::exp(reference);
      if (p > 0.0) sum += p * (reference - log_prob);
      d_logits(v, t) = static_cast<Scalar>(std::exp(log_prob) - p);
    }
  }
  return sum;
}

/// The loss of a pair with its sequential divergences, and its derivatives.
struct TdpoTerm {
  double value = 0;          ///< L
  double d_chosen = 0;       ///< dL / d log pi(y_w | x)
  double d_rejected = 0;     ///< dL / d log pi(y_l | x)
  double d_kl_chosen = 0;    ///< dL / dK_w
  double d_kl_rejected = 0;  ///< dL / dK_l
};

namespace detail {
/// A term of sums over tokens: each token has the derivative of its sum.
template <class L>
double tdpo_of_tokens(const L& loss, const TokenPair& pair, TokenPairGradient& gradient) {
  const auto kl = [](const ResponseTokens& response) { return sum_of(response.divergences, response.size(), 1.0); };
  const TdpoTerm term = loss(sums_of(pair), kl(pair.chosen), kl(pair.rejected));
  gradient.chosen.d_log_probs.setConstant(term.d_chosen);
  gradient.rejected.d_log_probs.setConstant(term.d_rejected);
  gradient.chosen.d_divergences.setConstant(term.d_kl_chosen);
  gradient.rejected.d_divergences.setConstant(term.d_kl_rejected);
  return term.value;
}
}  // namespace detail

/// Token-level DPO (Zeng et al. 2024): DPO's margin less a difference of sequential divergences (`sequential_kl`),
///
///     TDPO1:  L = -log sigma(z - beta (K_l - K_w))
///     TDPO2:  L = -log sigma(z - alpha (beta K_l - sg(beta K_w)))
///
/// sg: a constant to the gradient. Keeps the rejected response's divergence from growing. A `TokenLoss`.
struct Tdpo1 {
  static constexpr bool uses_divergences = true;  ///< of each token

  double beta = 0.1;  ///< > 0

  /// Throws Error for a number out of range.
  void validate() const { detail::require_beta("preference::Tdpo1", beta); }

  /// Value and derivatives.
  TdpoTerm operator()(const Pair& pair, double kl_chosen, double kl_rejected) const {
    const double m = beta * (pair.margin() - (kl_rejected - kl_chosen)), s = beta * sigmoid(-m);
    return {softplus(-m), -s, s, -s, s};
  }
  /// The same of a pair's tokens.
  double operator()(const TokenPair& pair, TokenPairGradient& gradient) const {
    return detail::tdpo_of_tokens(*this, pair, gradient);
  }
};

/// The second form of `Tdpo1`, whose gradient does not move the chosen response's divergence.
struct Tdpo2 {
  static constexpr bool uses_divergences = true;  ///< of each token

  double beta = 0.1;   ///< > 0
  double alpha = 0.5;  ///< weight of the divergences, >= 0

  /// Throws Error for a number out of range.
  void validate() const {
    detail::require_beta("preference::Tdpo2", beta);
    require(std::isfinite(alpha) && alpha >= 0, "preference::Tdpo2", "alpha must be finite and not negative", alpha);
  }

  /// Value and derivatives.
  TdpoTerm operator()(const Pair& pair, double kl_chosen, double kl_rejected) const {
    const double m = beta * (pair.margin() - alpha * (kl_rejected - kl_chosen)), s = beta * sigmoid(-m);
    return {softplus(-m), -s, s, 0.0, alpha * s};
  }
  /// The same of a pair's tokens.
  double operator()(const TokenPair& pair, TokenPairGradient& gradient) const {
    return detail::tdpo_of_tokens(*this, pair, gradient);
  }
};

/// Gradients of a batch of pairs with sequential divergences, overwritten: one number a pair in each.
template <class Scalar>
struct TdpoGradients {
  VectorRef<Scalar> d_chosen;       ///< in the chosen log-probabilities
  VectorRef<Scalar> d_rejected;     ///< in the rejected ones
  VectorRef<Scalar> d_kl_chosen;    ///< in K_w
  VectorRef<Scalar> d_kl_rejected;  ///< in K_l
};

/// The mean TDPO loss of a batch; its gradient overwrites `gradients`. Throws Error for columns that do not fit,
/// numbers out of range and a loss or gradient that is not finite.
template <class L, class Scalar>
  requires requires(const L loss, const Pair pair, double k) {
    { loss(pair, k, k) } -> std::same_as<TdpoTerm>;
  }
double tdpo_loss(const L& loss, const PairBatch<Scalar>& batch, const std::type_identity_t<Column<Scalar>>& kl_chosen,
                 const std::type_identity_t<Column<Scalar>>& kl_rejected, TdpoGradients<Scalar> gradients) {
  constexpr auto where = "preference::tdpo_loss";
  detail::require_gradients(where, batch, gradients.d_chosen.size(), gradients.d_rejected.size());
  detail::validate_loss(loss);
  const Index n = batch.size();
  detail::require_size(kl_chosen.size(), n, where, "kl_chosen");
  detail::require_size(kl_rejected.size(), n, where, "kl_rejected");
  detail::require_size(gradients.d_kl_chosen.size(), n, where, "d_kl_chosen");
  detail::require_size(gradients.d_kl_rejected.size(), n, where, "d_kl_rejected");
  const double share = 1.0 / static_cast<double>(n);
  double value = 0;
  for (Index i = 0; i < n; ++i) {
    const Pair pair{.chosen = batch.chosen[i],
                    .rejected = batch.rejected[i],
                    .reference_chosen = batch.reference_chosen.at(i, 0),
                    .reference_rejected = batch.reference_rejected.at(i, 0)};
    const TdpoTerm term = loss(pair, kl_chosen[i], kl_rejected[i]);
    for (const double number : {term.value, term.d_chosen, term.d_rejected, term.d_kl_chosen, term.d_kl_rejected})
      if (!std::isfinite(number))
        throw Error(where, fmt::format("the loss of pair {} and its gradient must be finite", i), number);
    value += share * term.value;
    gradients.d_chosen[i] = narrowed<Scalar>(share * term.d_chosen);
    gradients.d_rejected[i] = narrowed<Scalar>(share * term.d_rejected);
    gradients.d_kl_chosen[i] = narrowed<Scalar>(share * term.d_kl_chosen);
    gradients.d_kl_rejected[i] = narrowed<Scalar>(share * term.d_kl_rejected);
  }
  return value;
}

}  // namespace mellow::preference

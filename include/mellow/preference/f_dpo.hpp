// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include <mellow/preference/dpo.hpp>
#include <mellow/preference/generators.hpp>

namespace mellow::preference {

/// Any loss of log-ratios with the scores of a divergence in their place: of `loss` at h(a_w), h(a_l), the derivatives
/// times dh/da. With `Dpo` it is f-DPO; with `Hinge`, `Ipo`, `ExoPair` and others what trl computes for its
/// `f_divergence_type`.
template <PairLoss L, ScoreFunction G>
struct WithDivergence {
  L loss{};       ///< of the scores
  G generator{};  ///< of the divergence

  /// Throws Error for numbers out of range.
  void validate() const {
    detail::validate_loss(loss);
    detail::validate_loss(generator);
  }
  /// Whether a score is at its bound.
  bool clips(const Pair& pair) const {
    if constexpr (requires { generator.clips(0.0); })
      return generator.clips(pair.chosen_log_ratio()) || generator.clips(pair.rejected_log_ratio());
    else return false;
  }

  /// Value and derivatives.
  PairTerm operator()(const Pair& pair) const {
    const Score chosen = generator.score(pair.chosen_log_ratio()),
                rejected = generator.score(pair.rejected_log_ratio());
    const PairTerm term = loss(Pair{chosen.value, rejected.value, 0.0, 0.0, pair.chosen_tokens, pair.rejected_tokens});
    return {term.value, term.d_chosen * chosen.slope, term.d_rejected * rejected.slope};
  }
};

/// f-DPO (Wang et al. 2024): DPO with the KL penalty replaced by an f-divergence,
///
///     L = -log sigma(z),  z = beta (h(a_w) - h(a_l)),  h(a) = f'(exp(a)) - f'(1)
///     dL/dl_w = -beta sigma(-z) h'(a_w),  dL/dl_l = beta sigma(-z) h'(a_l)
///
/// f need not be convex (Pipano et al. 2026); `is_dpo_inducing` says whether the loss is that of an RLHF problem.
template <ScoreFunction G>
struct FDpo {
  double beta = 0.1;  ///< > 0
  G generator{};      ///< of the divergence

  /// Throws Error for a number out of range.
  void validate() const {
    detail::require_beta("preference::FDpo", beta);
    detail::validate_loss(generator);
  }
  /// Whether a score is at its bound.
  bool clips(const Pair& pair) const { return WithDivergence<Dpo, G>{{}, generator}.clips(pair); }
  /// Value and derivatives.
  PairTerm operator()(const Pair& pair) const { return WithDivergence<Dpo, G>{{.beta = beta}, generator}(pair); }
};

/// SquaredPO (Pipano et al. 2026), f-DPO with f = (log t)^2 / 2: DPO with the temperature beta pi_ref / pi of each
/// response. z = beta (a_w exp(-a_w) - a_l exp(-a_l)).
///
/// The pull on the chosen response ends at a_w = 1 and turns beyond; a displaced pair saturates after some 2 nats,
/// which is why training for long does less harm than with DPO. A pair in the wrong order and displaced has a gradient
/// of size exp(-a): clip the gradient's norm.
using SquaredPo = FDpo<SquaredLog>;

/// chiPO (Huang et al. 2025): L = -log sigma(z) with z = beta (h(a_w) - h(a_l)), h(a) = exp(a) - 1 + a, clipped to
/// [-2 reward_limit, 2 reward_limit]; the gradient is 0 beyond.
struct ChiPo {
  double beta = 0.1;                                              ///< > 0
  double reward_limit = std::numeric_limits<double>::infinity();  ///< > 0; bound of a reward's size

  /// Throws Error for a number out of range.
  void validate() const {
    detail::require_beta("preference::ChiPo", beta);
    require(reward_limit > 0, "preference::ChiPo", "reward_limit must be positive", reward_limit);
  }
  /// Whether an exponent or the rewards' difference is at its bound.
  bool clips(const Pair& pair) const {
    const ChiSquareKl g;
    const double chosen = pair.chosen_log_ratio(), rejected = pair.rejected_log_ratio();
    const double z = beta * (g.score(chosen).value - g.score(rejected).value);
    return std::max(chosen, rejected) > g.exponent_limit || std::abs(z) > 2.0 * reward_limit;
  }
  /// Value and derivatives.
  PairTerm operator()(const Pair& pair) const {
    const ChiSquareKl g;
    const Score chosen = g.score(pair.chosen_log_ratio()), rejected = g.score(pair.rejected_log_ratio());
    const double z = beta * (chosen.value - rejected.value), limit = 2.0 * reward_limit;
    const double clipped = std::max(std::min(z, limit), -limit);
    const double s = std::abs(z) > limit ? 0.0 : beta * sigmoid(-clipped);
    return {softplus(-clipped), -s * chosen.slope, s * rejected.slope};
  }
};

/// f-DPO's mean loss of a batch with its gradient: `pair_loss` under its own name.
template <ScoreFunction G, class Scalar>
PairLossGradient<Scalar> f_dpo(const PairBatch<Scalar>& log_probs, const FDpo<G>& loss) {
  return pair_loss(loss, log_probs);
}

/// SquaredPO's mean loss of a batch with its gradient.
template <class Scalar>
PairLossGradient<Scalar> squared_po(const PairBatch<Scalar>& log_probs, const SquaredPo& loss = {}) {
  return pair_loss(loss, log_probs);
}

}  // namespace mellow::preference

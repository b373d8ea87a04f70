// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>

#include <mellow/preference/dpo.hpp>

namespace mellow::preference {

// Losses without a reference policy: of the log-probabilities l_w, l_l, summed or a token. References in the batch are
// not read by them (metrics take rewards against those that are there).

/// The negative log-likelihood of the chosen response a token: L = -l_w / n_w, dL/dl_w = -1 / n_w. A term of sums; for
/// the mean over a batch's tokens see `TokenMeanNll`.
struct Nll {
  /// Value and derivatives.
  PairTerm operator()(const Pair& pair) const {
    return {-pair.chosen / pair.chosen_tokens, -1.0 / pair.chosen_tokens, 0.0};
  }
};

/// DPO with the chosen response's likelihood (RPO; Pang et al. 2024): L = -log sigma(z) - alpha l_w / n_w. Has a
/// reference; stands here beside its NLL term. Keeps the chosen response from falling.
struct Rpo {
  double beta = 0.1;   ///< > 0
  double alpha = 1.0;  ///< weight of the likelihood, >= 0

  /// Throws Error for a number out of range.
  void validate() const {
    detail::require_beta("preference::Rpo", beta);
    require(std::isfinite(alpha) && alpha >= 0, "preference::Rpo", "alpha must be finite and not negative", alpha);
  }

  /// Value and derivatives.
  PairTerm operator()(const Pair& pair) const {
    const PairTerm dpo = Dpo{.beta = beta}(pair), nll = Nll{}(pair);
    return {dpo.value + alpha * nll.value, dpo.d_chosen + alpha * nll.d_chosen, dpo.d_rejected};
  }
};

/// Contrastive preference optimisation (Xu et al. 2024): L = -log sigma(beta (l_w - l_l)) + alpha NLL(y_w), the NLL a
/// token of each pair. trl takes the mean over the batch's tokens: alpha = 0 and a `TokenMeanNll` beside it.
struct Cpo {
  double beta = 0.1;   ///< > 0
  double alpha = 1.0;  ///< weight of the likelihood, >= 0

  /// Throws Error for a number out of range.
  void validate() const {
    detail::require_beta("preference::Cpo", beta);
    require(std::isfinite(alpha) && alpha >= 0, "preference::Cpo", "alpha must be finite and not negative", alpha);
  }

  /// Value and derivatives.
  PairTerm operator()(const Pair& pair) const {
    const double z = beta * (pair.chosen - pair.rejected), s = sigmoid(-z);
    const PairTerm nll = Nll{}(pair);
    return {softplus(-z) + alpha * nll.value, alpha * nll.d_chosen - beta * s, beta * s};
  }
};

/// Simple preference optimisation (Meng et al. 2024): L = -log sigma(m) with m = beta (l_w / n_w - l_l / n_l) - gamma,
/// dL/dl_w = -beta sigma(-m) / n_w, dL/dl_l = beta sigma(-m) / n_l. Likelihood a token decides, as it does in sampling;
/// no reference to be stored.
struct SimPo {
  double beta = 2.0;   ///< > 0; the paper's 2 to 2.5
  double gamma = 0.5;  ///< margin that is asked for, finite

  /// Throws Error for a number out of range.
  void validate() const {
    detail::require_beta("preference::SimPo", beta);
    require(std::isfinite(gamma), "preference::SimPo", "gamma must be finite", gamma);
  }

  /// Value and derivatives.
  PairTerm operator()(const Pair& pair) const {
    const double chosen = beta / pair.chosen_tokens, rejected = beta / pair.rejected_tokens;
    const double m = chosen * pair.chosen - rejected * pair.rejected - gamma, s = sigmoid(-m);
    return {softplus(-m), -chosen * s, rejected * s};
  }
};

/// AlphaPO (Gupta et al. 2025): SimPO with the reward r = (1 - exp(-alpha l / n)) / alpha in place of l / n, whose
/// slope is exp(-alpha l / n): L = -log sigma(beta (r_w - r_l) - gamma). Without token counts in the batch: of the
/// sums, as with CPO. alpha = 0 is SimPO.
///
/// -alpha l / n is bounded at 80; the derivative is 0 there.
struct AlphaPo {
  double beta = 2.0;    ///< > 0
  double gamma = 0.5;   ///< margin that is asked for, finite
  double alpha = 0.25;  ///< bends the reward, finite; the paper's -1 to 1

  /// Throws Error for a number out of range.
  void validate() const {
    detail::require_beta("preference::AlphaPo", beta);
    require(std::isfinite(gamma), "preference::AlphaPo", "gamma must be finite", gamma);
    require(std::isfinite(alpha), "preference::AlphaPo", "alpha must be finite", alpha);
  }

  /// Whether an exponent is at its bound.
  bool clips(const Pair& pair) const {
    return std::max(-alpha * pair.chosen / pair.chosen_tokens, -alpha * pair.rejected / pair.rejected_tokens) > 80.0;
  }

  /// Value and derivatives.
  PairTerm operator()(const Pair& pair) const {
    const double chosen = pair.chosen / pair.chosen_tokens, rejected = pair.rejected / pair.rejected_tokens;
    const double rising = exponential(std::min(-alpha * chosen, 80.0));
    const double falling = exponential(std::min(-alpha * rejected, 80.0));
    const bool plain = std::abs(alpha) < 1e-6;  // where the difference cancels
    const double difference = plain ? chosen - rejected : (falling - rising) / alpha;
    const double m = beta * difference - gamma, s = beta * sigmoid(-m);
    return {softplus(-m), -alpha * chosen > 80.0 ? 0.0 : -s * (plain ? 1.0 : rising) / pair.chosen_tokens,
            -alpha * rejected > 80.0 ? 0.0 : s * (plain ? 1.0 : falling) / pair.rejected_tokens};
  }
};

/// The odds-ratio loss of ORPO (Hong et al. 2024) without its likelihood: L = -beta log sigma(o) with the difference of
/// the log odds of the mean probabilities of a token, m = l / n:
///
///     o = (m_w - log(1 - exp(m_w))) - (m_l - log(1 - exp(m_l)))
///     dL/dl_w = -beta sigma(-o) / ((1 - exp(m_w)) n_w),  dL/dl_l = beta sigma(-o) / ((1 - exp(m_l)) n_l)
///
/// Mean log-probabilities above -1e-10 count as -1e-10.
struct OddsRatio {
  double beta = 0.1;  ///< weight, > 0

  /// Throws Error for a number out of range.
  void validate() const { detail::require_beta("preference::OddsRatio", beta); }

  /// Value and derivatives.
  PairTerm operator()(const Pair& pair) const {
    const double chosen = std::min(pair.chosen / pair.chosen_tokens, -1e-10);
    const double rejected = std::min(pair.rejected / pair.rejected_tokens, -1e-10);
    const double not_chosen = -std::expm1(chosen), not_rejected = -std::expm1(rejected);
    const double o = (chosen - std::log(not_chosen)) - (rejected - std::log(not_rejected)), s = beta * sigmoid(-o);
    return {beta * softplus(-o), -s / (not_chosen * pair.chosen_tokens), s / (not_rejected * pair.rejected_tokens)};
  }
};

/// Odds-ratio preference optimisation (Hong et al. 2024): NLL(y_w) - beta log sigma(o), see `OddsRatio`; the NLL a
/// token of each pair. Supervised tuning and preferences in one stage, no reference. trl takes the mean over the
/// batch's tokens: `OddsRatio` and a `TokenMeanNll` beside it.
struct Orpo {
  double beta = 0.1;  ///< weight of the odds ratio, > 0

  /// Throws Error for a number out of range.
  void validate() const { detail::require_beta("preference::Orpo", beta); }

  /// Value and derivatives.
  PairTerm operator()(const Pair& pair) const {
    const PairTerm odds = OddsRatio{.beta = beta}(pair), nll = Nll{}(pair);
    return {odds.value + nll.value, odds.d_chosen + nll.d_chosen, odds.d_rejected};
  }
};

/// Sequence likelihood calibration (SLiC-HF, Zhao et al. 2023), its rank loss: L = max(0, delta - l_w + l_l). The paper
/// adds lambda times the NLL of a target response: a `Weighted<Nll>` beside it where the target is the chosen one.
struct Slic {
  double delta = 1.0;  ///< margin that is asked for, > 0

  /// Throws Error for a number out of range.
  void validate() const {
    require(std::isfinite(delta) && delta > 0, "preference::Slic", "delta must be positive and finite", delta);
  }

  /// Value and derivatives.
  PairTerm operator()(const Pair& pair) const {
    const double missing = delta - pair.chosen + pair.rejected;
    return margin_term(std::max(missing, 0.0), missing > 0.0 ? -1.0 : 0.0);
  }
};

}  // namespace mellow::preference

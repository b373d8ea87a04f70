// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/preference/dpo.hpp>

namespace mellow::preference {

// Losses that see the two log-ratios a_w and a_l apart, not their difference alone: what a response's own probability
// does matters. r = beta a are the rewards, p = sigma(r).

/// Noise-contrastive alignment of pairs (Chen et al. 2024): L = -log sigma(r_w) - 1/2 log sigma(-r_w) -
/// 1/2 log sigma(-r_l), dL/dl_w = -beta sigma(-r_w) + beta / 2 sigma(r_w), dL/dl_l = beta / 2 sigma(r_l). The chosen
/// reward is drawn to log 2.
struct NcaPair {
  double beta = 0.1;  ///< > 0

  /// Throws Error for a number out of range.
  void validate() const { detail::require_beta("preference::NcaPair", beta); }

  /// Value and derivatives.
  PairTerm operator()(const Pair& pair) const {
    const double chosen = beta * pair.chosen_log_ratio(), rejected = beta * pair.rejected_log_ratio();
    return {softplus(-chosen) + 0.5 * softplus(chosen) + 0.5 * softplus(rejected),
            beta * (0.5 * sigmoid(chosen) - sigmoid(-chosen)), 0.5 * beta * sigmoid(rejected)};
  }
};

/// Binary classifier optimisation of pairs (Jung et al. 2024), without its running shift: L = -log sigma(r_w) -
/// log sigma(-r_l), dL/dl_w = -beta sigma(-r_w), dL/dl_l = beta sigma(r_l).
struct BcoPair {
  double beta = 0.1;  ///< > 0

  /// Throws Error for a number out of range.
  void validate() const { detail::require_beta("preference::BcoPair", beta); }

  /// Value and derivatives.
  PairTerm operator()(const Pair& pair) const {
    const double chosen = beta * pair.chosen_log_ratio(), rejected = beta * pair.rejected_log_ratio();
    return {softplus(-chosen) + softplus(rejected), -beta * sigmoid(-chosen), beta * sigmoid(rejected)};
  }
};

/// Self-play preference optimisation with hard labels (Wu et al. 2024): L = (a_w - c)^2 + (a_l + c)^2 with
/// c = 1 / (2 beta): a target for each log-ratio.
struct SppoHard {
  double beta = 0.1;  ///< > 0

  /// Throws Error for a number out of range.
  void validate() const { detail::require_beta("preference::SppoHard", beta); }

  /// Value and derivatives.
  PairTerm operator()(const Pair& pair) const {
    const double target = 0.5 / beta;
    const double chosen = pair.chosen_log_ratio() - target, rejected = pair.rejected_log_ratio() + target;
    return {chosen * chosen + rejected * rejected, 2.0 * chosen, 2.0 * rejected};
  }
};

/// Anchored preference optimisation, zero (D'Oosterlinck et al. 2024, eq. 7): L = 1 - p_w + p_l, dL/dl_w =
/// -beta p_w (1 - p_w), dL/dl_l = beta p_l (1 - p_l). For chosen responses that are better than the model's own: the
/// chosen goes up and the rejected down.
struct ApoZero {
  double beta = 0.1;  ///< > 0

  /// Throws Error for a number out of range.
  void validate() const { detail::require_beta("preference::ApoZero", beta); }

  /// Value and derivatives.
  PairTerm operator()(const Pair& pair) const {
    const double chosen = beta * pair.chosen_log_ratio(), rejected = beta * pair.rejected_log_ratio();
    const double not_chosen = sigmoid(-chosen), p_rejected = sigmoid(rejected);
    return {not_chosen + p_rejected, -beta * not_chosen * sigmoid(chosen), beta * p_rejected * sigmoid(-rejected)};
  }
};

/// Anchored preference optimisation, down (eq. 8): L = p_w + 1 - sigma(r_w - r_l). For chosen responses that are worse
/// than the model's own: both go down, the rejected more.
struct ApoDown {
  double beta = 0.1;  ///< > 0

  /// Throws Error for a number out of range.
  void validate() const { detail::require_beta("preference::ApoDown", beta); }

  /// Value and derivatives.
  PairTerm operator()(const Pair& pair) const {
    const double chosen = beta * pair.chosen_log_ratio(), z = beta * pair.margin();
    const double p = sigmoid(chosen), s = sigmoid(-z), d_margin = beta * s * sigmoid(z);
    return {p + s, beta * p * sigmoid(-chosen) - d_margin, d_margin};
  }
};

}  // namespace mellow::preference

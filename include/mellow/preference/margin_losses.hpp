// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>

#include <mellow/preference/dpo.hpp>

namespace mellow::preference {

// Losses of the margin that are not logistic. z = beta (a_w - a_l), the scaled difference of the log-ratios.

/// The hinge loss (SLiC's with a reference, Zhao et al. 2023; Liu et al. 2024): L = max(0, 1 - z), dL/dl_w = -beta
/// where z < 1, else 0. Stops at a margin of 1 / beta. Without a reference in the batch: CPO's hinge form.
struct Hinge {
  double beta = 0.1;  ///< > 0

  /// Throws Error for a number out of range.
  void validate() const { detail::require_beta("preference::Hinge", beta); }

  /// Value and derivatives.
  PairTerm operator()(const Pair& pair) const {
    const double missing = 1.0 - beta * pair.margin();
    return margin_term(std::max(missing, 0.0), missing > 0.0 ? -beta : 0.0);
  }
};

/// Identity preference optimisation (Azar et al. 2024, eq. 17): L = (a_w - a_l - 1 / (2 beta))^2, dL/dl_w = 2 times the
/// residual. Gives the margin a target, so that it does not grow without bounds. Without a reference in the batch:
/// CPO's ipo form.
struct Ipo {
  double beta = 0.1;  ///< the paper's tau, > 0

  /// Throws Error for a number out of range.
  void validate() const { detail::require_beta("preference::Ipo", beta); }

  /// Value and derivatives.
  PairTerm operator()(const Pair& pair) const {
    const double residual = pair.margin() - 0.5 / beta;
    return margin_term(residual * residual, 2.0 * residual);
  }
};

/// IPO of log-ratios a token, as trl has it and its authors confirmed: L = (a_w / n_w - a_l / n_l - 1 / (2 beta))^2,
/// dL/dl_w = 2 q / n_w, dL/dl_l = -2 q / n_l with the residual q.
struct LengthNormalizedIpo {
  double beta = 0.1;  ///< > 0

  /// Throws Error for a number out of range.
  void validate() const { detail::require_beta("preference::LengthNormalizedIpo", beta); }

  /// Value and derivatives.
  PairTerm operator()(const Pair& pair) const {
    const double residual =
        pair.chosen_log_ratio() / pair.chosen_tokens - pair.rejected_log_ratio() / pair.rejected_tokens - 0.5 / beta;
    return {residual * residual, 2.0 * residual / pair.chosen_tokens, -2.0 * residual / pair.rejected_tokens};
  }
};

/// Efficient exact optimisation for pairs (EXO, Ji et al. 2024, eq. 16): the reverse KL divergence of (q, 1 - q),
/// q = sigma(z), from the smoothed label (1 - eps, eps).
///
///     L = q (log q - log(1 - eps)) + (1 - q) (log(1 - q) - log eps)
///     dL/dz = q (1 - q) (z - log((1 - eps) / eps))
struct ExoPair {
  double beta = 0.1;              ///< > 0
  double label_smoothing = 1e-3;  ///< epsilon, in (0, 0.5)

  /// Throws Error for a number out of range.
  void validate() const {
    detail::require_beta("preference::ExoPair", beta);
    require(label_smoothing > 0 && label_smoothing < 0.5, "preference::ExoPair", "label_smoothing must lie in (0, 0.5)",
            label_smoothing);
  }

  /// Value and derivatives.
  PairTerm operator()(const Pair& pair) const {
    const double z = beta * pair.margin(), q = sigmoid(z), other = sigmoid(-z);
    const double log_one = std::log1p(-label_smoothing), log_other = std::log(label_smoothing);
    return margin_term(q * (log_sigmoid(z) - log_one) + other * (log_sigmoid(-z) - log_other),
                       beta * q * other * (z - (log_one - log_other)));
  }
};

/// DiscoPOP, a loss found by search (Lu et al. 2024, eq. 5): L = -(1 - m) log sigma(z) + m exp(-z) with the mixture
/// m = sigma(z / tau), which is differentiated too. Not convex: between z = 0 and some 2 tau it pushes apart.
///
/// exp(-z) is bounded at exp(80); its part of the derivative is 0 there.
struct DiscoPop {
  double beta = 0.1;  ///< > 0
  double tau = 0.05;  ///< > 0

  /// Throws Error for a number out of range.
  void validate() const {
    detail::require_beta("preference::DiscoPop", beta);
    require(std::isfinite(tau) && tau > 0, "preference::DiscoPop", "tau must be positive and finite", tau);
  }

  /// Whether exp(-z) is at its bound.
  bool clips(const Pair& pair) const { return -beta * pair.margin() > 80.0; }

  /// Value and derivatives.
  PairTerm operator()(const Pair& pair) const {
    const double z = beta * pair.margin(), m = sigmoid(z / tau), d_m = m * sigmoid(-z / tau) / tau;
    const double logistic = softplus(-z), falling = exponential(std::min(-z, 80.0));
    const double d_falling = -z > 80.0 ? 0.0 : -falling;
    return margin_term((1.0 - m) * logistic + m * falling,
                       beta * (d_m * (falling - logistic) - (1.0 - m) * sigmoid(-z) + m * d_falling));
  }
};

}  // namespace mellow::preference

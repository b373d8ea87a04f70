// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include <mellow/preference/elementary.hpp>
#include <mellow/preference/pair.hpp>
#include <mellow/preference/pair_loss.hpp>

namespace mellow::preference {

namespace detail {
inline void require_beta(std::string_view where, double beta) {
  require(std::isfinite(beta) && beta > 0, where, "beta must be positive and finite", beta);
}
inline void require_smoothing(std::string_view where, double label_smoothing) {
  require(label_smoothing >= 0 && label_smoothing < 0.5, where, "label_smoothing must lie in [0, 0.5)",
          label_smoothing);
}
}  // namespace detail

// DPO and its kin with a logistic loss of the margin. a_w, a_l: log-ratios of the chosen and the rejected response; z =
// beta (a_w - a_l), s = sigma(-z). Where a loss has a gradient of the margin alone, that of the rejected response is
// minus that of the chosen.

/// Direct preference optimisation (Rafailov et al. 2023, eq. 7): L = -log sigma(z), dL/dl_w = -beta s.
///
/// The first choice, and the one to compare with. It fixes the margin alone, so that both responses may lose their
/// probability: where they do, see `C2Dpo` and `SquaredPo`.
struct Dpo {
  double beta = 0.1;  ///< strength of the KL penalty, > 0

  /// Throws Error for a number out of range.
  void validate() const { detail::require_beta("preference::Dpo", beta); }

  /// Value and derivatives.
  PairTerm operator()(const Pair& pair) const {
    const double z = beta * pair.margin();
    return margin_term(softplus(-z), -beta * sigmoid(-z));
  }
};

/// DPO with labels that are wrong with probability epsilon (cDPO): L = -(1 - eps) log sigma(z) - eps log sigma(-z),
/// dL/dl_w = -beta (s - eps). Its optimal margin is finite: z = log((1 - eps) / eps).
struct ConservativeDpo {
  double beta = 0.1;             ///< > 0
  double label_smoothing = 0.1;  ///< epsilon, in [0, 0.5)

  /// Throws Error for a number out of range.
  void validate() const {
    detail::require_beta("preference::ConservativeDpo", beta);
    detail::require_smoothing("preference::ConservativeDpo", label_smoothing);
  }

  /// Value and derivatives.
  PairTerm operator()(const Pair& pair) const {
    const double z = beta * pair.margin();  // log sigma(-z) = log sigma(z) - z
    return margin_term(softplus(-z) + label_smoothing * z, -beta * (sigmoid(-z) - label_smoothing));
  }
};

/// DPO made unbiased for labels that are wrong with probability epsilon (rDPO, Chowdhury et al. 2024):
///
///     L = (-(1 - eps) log sigma(z) + eps log sigma(-z)) / (1 - 2 eps)
///     dL/dl_w = -beta ((1 - eps) s + eps (1 - s)) / (1 - 2 eps)
///
/// It may be negative.
struct RobustDpo {
  double beta = 0.1;             ///< > 0
  double label_smoothing = 0.1;  ///< epsilon, in [0, 0.5)

  /// Throws Error for a number out of range.
  void validate() const {
    detail::require_beta("preference::RobustDpo", beta);
    detail::require_smoothing("preference::RobustDpo", label_smoothing);
  }

  /// Value and derivatives.
  PairTerm operator()(const Pair& pair) const {
    const double z = beta * pair.margin(), s = sigmoid(-z), e = label_smoothing, share = 1.0 / (1.0 - 2.0 * e);
    return margin_term(share * ((1.0 - e) * softplus(-z) - e * softplus(z)),
                       -beta * share * ((1.0 - e) * s + e * (1.0 - s)));
  }
};

/// DPO of log-ratios a token (trl's sigmoid_norm): L = -log sigma(m) with m = beta (a_w / n_w - a_l / n_l),
/// dL/dl_w = -beta sigma(-m) / n_w, dL/dl_l = beta sigma(-m) / n_l. For responses of very unlike lengths.
struct LengthNormalizedDpo {
  double beta = 0.1;  ///< > 0; since the ratios are those of a token, some 10 to 100 times DPO's

  /// Throws Error for a number out of range.
  void validate() const { detail::require_beta("preference::LengthNormalizedDpo", beta); }

  /// Value and derivatives.
  PairTerm operator()(const Pair& pair) const {
    const double chosen = beta / pair.chosen_tokens, rejected = beta / pair.rejected_tokens;
    const double m = chosen * pair.chosen_log_ratio() - rejected * pair.rejected_log_ratio(), s = sigmoid(-m);
    return {softplus(-m), -chosen * s, rejected * s};
  }
};

/// DPO-Positive (Pal et al. 2024): L = -log sigma(m) with m = beta (a_w - a_l - lambda max(0, -a_w)); the chosen
/// response's derivative is (1 + lambda) times DPO's where a_w < 0. Keeps the chosen response from falling.
struct DpoPositive {
  double beta = 0.3;     ///< > 0
  double lambda = 50.0;  ///< weight of a falling chosen response, >= 0; the paper's range is 5 to 500

  /// Throws Error for a number out of range.
  void validate() const {
    detail::require_beta("preference::DpoPositive", beta);
    require(std::isfinite(lambda) && lambda >= 0, "preference::DpoPositive", "lambda must be finite and not negative",
            lambda);
  }

  /// Value and derivatives.
  PairTerm operator()(const Pair& pair) const {
    const double a = pair.chosen_log_ratio();
    const double m = beta * (pair.margin() - lambda * std::max(0.0, -a)), s = sigmoid(-m);
    return {softplus(-m), -beta * s * (a < 0.0 ? 1.0 + lambda : 1.0), beta * s};
  }
};

/// Calibrated DPO (Xiao et al. 2024): L = -log sigma(a_w - a_l) + (a_w - c)^2 + (a_l + c)^2 with c = 1 / (2 beta). The
/// margin is not scaled by beta; the squares give each reward a place.
struct CalDpo {
  double beta = 0.1;  ///< > 0

  /// Throws Error for a number out of range.
  void validate() const { detail::require_beta("preference::CalDpo", beta); }

  /// Value and derivatives.
  PairTerm operator()(const Pair& pair) const {
    const double margin = pair.margin(), s = sigmoid(-margin), target = 0.5 / beta;
    const double chosen = pair.chosen_log_ratio() - target, rejected = pair.rejected_log_ratio() + target;
    return {softplus(-margin) + chosen * chosen + rejected * rejected, -s + 2.0 * chosen, s + 2.0 * rejected};
  }
};

/// DPO's mean loss of a batch with its gradient: `pair_loss` under its own name.
template <class Scalar>
PairLossGradient<Scalar> dpo(const PairBatch<Scalar>& log_probs, const Dpo& loss = {}) {
  return pair_loss(loss, log_probs);
}

}  // namespace mellow::preference

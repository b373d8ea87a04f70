// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <mellow/preference/dpo.hpp>

namespace mellow::preference {

/// What C2-DPO holds at its value under the reference.
enum class Constraint {
  Log,      ///< the product of the pair's probabilities: g = a_w + a_l
  Identity  ///< their sum: g = log(pi_w + pi_l) - log(ref_w + ref_l)
};

/// How C2-DPO punishes a residual g.
enum class Norm {
  L1,  ///< |g|
  L2   ///< g^2
};

/// Constrained controlled DPO (Asadi et al. 2026): DPO with a penalty on what happens to the pair's probability mass.
///
///     L = -log sigma(beta (a_w - a_l)) + lambda |g|^p
///     h = lambda p |g|^(p - 1) sign(g),   q = sigma(l_w - l_l)
///     Log:      dL/dl_w = -beta s + h,     dL/dl_l = beta s + h
///     Identity: dL/dl_w = -beta s + h q,   dL/dl_l = beta s + h (1 - q)
///
/// Where both responses have sunk the penalty lifts both, while DPO keeps them apart. With the constraint held, a
/// chosen response that gains on the rejected one gains probability itself. lambda = 0 is DPO, bit for bit. The
/// identity form is taken in logarithms, since probabilities of sequences underflow.
struct C2Dpo {
  double beta = 0.1;     ///< > 0
  double lambda = 2e-4;  ///< weight of the penalty, >= 0; small models, whose |g| is small, want up to 1e-2
  Constraint constraint = Constraint::Log;  ///< what is held
  Norm norm = Norm::L2;                     ///< of the residual

  /// Throws Error for a number out of range.
  void validate() const {
    detail::require_beta("preference::C2Dpo", beta);
    require(std::isfinite(lambda) && lambda >= 0, "preference::C2Dpo", "lambda must be finite and not negative",
            lambda);
  }

  /// g, by how much the constraint is broken.
  double residual(const Pair& pair) const {
    return constraint == Constraint::Log ? residual_of<Constraint::Log>(pair) : residual_of<Constraint::Identity>(pair);
  }

  /// Value and derivatives.
  PairTerm operator()(const Pair& pair) const {
    return constraint == Constraint::Log ? term<Constraint::Log>(pair) : term<Constraint::Identity>(pair);
  }

  /// Calls use(loss) with this loss for its one constraint, for loops: the Log form needs fewer exponentials.
  template <class Use>
  void specialised(const Use& use) const {
    if (constraint == Constraint::Log) use([*this](const Pair& pair) { return term<Constraint::Log>(pair); });
    else use([*this](const Pair& pair) { return term<Constraint::Identity>(pair); });
  }

 private:
  template <Constraint held>
  static double residual_of(const Pair& pair) {
    if constexpr (held == Constraint::Log) return pair.chosen_log_ratio() + pair.rejected_log_ratio();
    else return log_add_exp(pair.chosen, pair.rejected) - log_add_exp(pair.reference_chosen, pair.reference_rejected);
  }

  template <Constraint held>
  PairTerm term(const Pair& pair) const {
    const PairTerm dpo = Dpo{.beta = beta}(pair);
    const double g = residual_of<held>(pair), sign = g > 0.0 ? 1.0 : g < 0.0 ? -1.0 : 0.0;
    const double penalty = norm == Norm::L2 ? g * g : std::abs(g);
    const double h = lambda * (norm == Norm::L2 ? 2.0 * g : sign);
    double share = 1.0, other = 1.0;
    if constexpr (held == Constraint::Identity) {
      share = sigmoid(pair.chosen - pair.rejected);
      other = sigmoid(pair.rejected - pair.chosen);
    }
    return {dpo.value + lambda * penalty, dpo.d_chosen + h * share, dpo.d_rejected + h * other};
  }
};

/// C2-DPO's mean loss of a batch with its gradient: `pair_loss` under its own name.
template <class Scalar>
PairLossGradient<Scalar> c2_dpo(const PairBatch<Scalar>& log_probs, const C2Dpo& loss = {}) {
  return pair_loss(loss, log_probs);
}

}  // namespace mellow::preference

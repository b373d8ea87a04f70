// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <string_view>

#include <mellow/preference/dpo.hpp>
#include <mellow/preference/pair.hpp>

namespace mellow::preference {

/// Single responses with a thumb up or down, and what the baseline needs, as columns.
template <class Scalar = float>
struct UnpairedBatch {
  Column<Scalar> log_probs{};             ///< log pi(y | x), summed over tokens, one a response
  Column<Scalar> reference{};             ///< log pi_ref(y | x); absent: 0
  Column<Scalar> desirable{};             ///< 1 for a desirable response, 0 for an undesirable one
  Column<Scalar> mismatched{};            ///< log pi(y' | x) of another prompt's response y'; for a baseline
  Column<Scalar> reference_mismatched{};  ///< log pi_ref(y' | x)

  Index size() const { return log_probs.size(); }  ///< responses

  /// Throws Error for a batch of none, for columns of different lengths and for a label that is neither 0 nor 1.
  void validate(std::string_view where) const {
    require(size() > 0, where, "the batch must have a response", size());
    detail::require_size_or_none(reference.size(), size(), where, "reference");
    detail::require_size(desirable.size(), size(), where, "desirable");
    for (Index i = 0; i < size(); ++i)
      require(desirable[i] == 0 || desirable[i] == 1, where, "desirable must be 0 or 1", desirable[i]);
    detail::require_size(reference_mismatched.size(), mismatched.size(), where, "reference_mismatched");
  }
};

/// The loss of a single response and its derivative in the policy's log-probability.
struct UnpairedTerm {
  double value = 0;  ///< L
  double d = 0;      ///< dL / d log pi(y | x)
};

/// A loss of a single response: `loss(a, desirable, baseline)` of its log-ratio; `uses_baseline` says whether the last
/// is looked at. It may have `validate()` and `beta`, as a `PairLoss`.
template <class L>
concept UnpairedLoss = requires(const L loss, double x, bool desirable) {
  { loss(x, desirable, x) } -> std::same_as<UnpairedTerm>;
  { L::uses_baseline } -> std::convertible_to<bool>;
};

/// Kahneman-Tversky optimisation (Ethayarajh et al. 2024, eq. 7), with the baseline z0 a constant:
///
///     desirable:    w_D (1 - sigma(beta (a - z0))),  d = -beta w_D p (1 - p),  p = sigma(beta (a - z0))
///     undesirable:  w_U (1 - sigma(beta (z0 - a))),  d = +beta w_U p (1 - p)
///
/// For labels of single responses. With n_D desirable and n_U undesirable ones keep w_D n_D / (w_U n_U) in [1, 4/3].
struct Kto {
  static constexpr bool uses_baseline = true;  ///< `kto_baseline`

  double beta = 0.1;                ///< > 0
  double desirable_weight = 1.0;    ///< w_D, >= 0
  double undesirable_weight = 1.0;  ///< w_U, >= 0

  /// Throws Error for a number out of range.
  void validate() const {
    detail::require_beta("preference::Kto", beta);
    require(std::isfinite(desirable_weight) && desirable_weight >= 0, "preference::Kto",
            "desirable_weight must be finite and not negative", desirable_weight);
    require(std::isfinite(undesirable_weight) && undesirable_weight >= 0, "preference::Kto",
            "undesirable_weight must be finite and not negative", undesirable_weight);
  }
  /// Value and derivative.
  UnpairedTerm operator()(double log_ratio, bool desirable, double baseline) const {
    const double r = beta * (log_ratio - baseline), slope = beta * sigmoid(r) * sigmoid(-r);
    return desirable ? UnpairedTerm{desirable_weight * sigmoid(-r), -desirable_weight * slope}
                     : UnpairedTerm{undesirable_weight * sigmoid(r), undesirable_weight * slope};
  }
};

/// Anchored preference optimisation, zero, of single responses (D'Oosterlinck et al. 2024, eq. 7): desirable
/// 1 - sigma(beta a), undesirable sigma(beta a). KTO without a baseline.
struct ApoZeroUnpaired {
  static constexpr bool uses_baseline = false;  ///< none

  double beta = 0.1;                ///< > 0
  double desirable_weight = 1.0;    ///< >= 0
  double undesirable_weight = 1.0;  ///< >= 0

  /// Throws Error for a number out of range.
  void validate() const { as_kto().validate(); }
  /// Value and derivative.
  UnpairedTerm operator()(double log_ratio, bool desirable, double) const {
    return as_kto()(log_ratio, desirable, 0.0);
  }

 private:
  Kto as_kto() const { return {beta, desirable_weight, undesirable_weight}; }
};

/// Both responses of a pair as single ones, the chosen one desirable and the rejected one not: half the sum of their
/// losses, so that the mean over pairs is the mean over responses. A `PairLoss`, for a given baseline.
template <UnpairedLoss L>
struct TakenApart {
  L loss{};             ///< of a single response
  double baseline = 0;  ///< z0

  /// Throws Error for numbers out of range.
  void validate() const { detail::validate_loss(loss); }
  /// Value and derivatives.
  PairTerm operator()(const Pair& pair) const {
    const UnpairedTerm chosen = loss(pair.chosen_log_ratio(), true, baseline);
    const UnpairedTerm rejected = loss(pair.rejected_log_ratio(), false, baseline);
    return {0.5 * (chosen.value + rejected.value), 0.5 * chosen.d, 0.5 * rejected.d};
  }
};

/// Which response stands for "another prompt's" beside prompt i: the batch cycled by one, as in trl. Throws Error for a
/// batch of fewer than two.
inline Index mismatched_response(Index i, Index batch) {
  require(batch > 1, "preference::mismatched_response", "the batch must have at least two responses", batch);
  return (i + batch - 1) % batch;
}

/// KTO's z0 from the sum of the mismatched responses' log-ratios and their number. Throws Error where the sum is not
/// finite.
inline double kto_baseline(double sum_of_log_ratios, double responses) {
  require(std::isfinite(sum_of_log_ratios), "preference::kto_baseline",
          "the log-ratios must be finite; their sum is not", sum_of_log_ratios);
  return std::max(0.0, sum_of_log_ratios / responses);
}

/// KTO's z0 = max(0, mean_i log(pi / pi_ref)(y'_i | x_i)) over responses y' of other prompts: an estimate of the KL
/// divergence, a constant to the gradient. Throws Error for columns that are empty or do not fit, and where it is not
/// finite.
template <class Scalar>
double kto_baseline(const Column<Scalar>& mismatched, const Column<Scalar>& reference_mismatched) {
  constexpr auto where = "preference::kto_baseline";
  require(mismatched.size() > 0, where, "there must be mismatched responses", mismatched.size());
  detail::require_size(reference_mismatched.size(), mismatched.size(), where, "reference_mismatched");
  double sum = 0;
  for (Index i = 0; i < mismatched.size(); ++i)
    sum += static_cast<double>(mismatched[i]) - static_cast<double>(reference_mismatched[i]);
  return kto_baseline(sum, static_cast<double>(mismatched.size()));
}

/// What one watches, by trl's conventions: rewards beta a. A mean over none is 0.
struct UnpairedMetrics {
  double desirable_reward = 0;    ///< mean of beta a over the desirable
  double undesirable_reward = 0;  ///< over the undesirable
  double baseline = 0;            ///< z0

  double margin() const { return desirable_reward - undesirable_reward; }  ///< between the two means
};

/// The mean loss of single responses, with its metrics.
struct UnpairedLossValue {
  double value = 0;           ///< mean over the batch
  UnpairedMetrics metrics{};  ///< of the same batch
};

/// The mean loss of a batch of single responses; its gradient overwrites `d_log_probs`, one number a response. Throws
/// Error for columns that do not fit, numbers out of range and a loss or gradient that is not finite, naming the
/// response.
template <UnpairedLoss L, class Scalar>
UnpairedLossValue unpaired_loss(const L& loss, const UnpairedBatch<Scalar>& batch, VectorRef<Scalar> d_log_probs) {
  constexpr auto where = "preference::unpaired_loss";
  batch.validate(where);
  detail::validate_loss(loss);
  detail::require_size(d_log_probs.size(), batch.size(), where, "d_log_probs");
  UnpairedLossValue found;
  if (L::uses_baseline) found.metrics.baseline = kto_baseline(batch.mismatched, batch.reference_mismatched);
  const double share = 1.0 / static_cast<double>(batch.size()), beta = detail::reward_scale(loss);
  double sums[2] = {0, 0}, counts[2] = {0, 0};
  for (Index i = 0; i < batch.size(); ++i) {
    const bool desirable = batch.desirable[i] == 1;
    const double a = static_cast<double>(batch.log_probs[i]) - static_cast<double>(batch.reference.at(i, 0));
    const UnpairedTerm term = loss(a, desirable, found.metrics.baseline);
    if (!std::isfinite(term.value) || !std::isfinite(term.d))
      throw Error(where,
                  fmt::format("the loss of response {} and its gradient must be finite; its log-ratio is {}", i, a),
                  std::isfinite(term.value) ? term.d : term.value);
    found.value += share * term.value;
    d_log_probs[i] = narrowed<Scalar>(share * term.d);
    sums[desirable] += beta * a;
    counts[desirable] += 1;
  }
  found.metrics.desirable_reward = sums[1] / std::max(1.0, counts[1]);
  found.metrics.undesirable_reward = sums[0] / std::max(1.0, counts[0]);
  return found;
}

}  // namespace mellow::preference

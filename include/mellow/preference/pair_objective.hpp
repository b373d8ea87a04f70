// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>

#include <mellow/preference/batch_losses.hpp>
#include <mellow/preference/pair_loss.hpp>
#include <mellow/preference/token_loss.hpp>
#include <mellow/preference/unpaired.hpp>

namespace mellow::preference {

/// A loss of a batch whose rows it couples: `add(batch, scale, d_chosen, d_rejected, scratch)`, which adds `scale` times
/// the gradient of the batch's loss and returns the loss; without `scratch`, or with `d_chosen` alone, where it needs no
/// more. It may have `beta` and `validate()` as a `PairLoss` does.
template <class L>
concept BatchLoss =
    requires(const L loss, const PairBatch<double> batch, Vector<double> d, SortScratch<double> scratch) {
      { loss.add(batch, 1.0, d, d, scratch) } -> std::convertible_to<double>;
    } || requires(const L loss, const PairBatch<double> batch, Vector<double> d) {
      { loss.add(batch, 1.0, d, d) } -> std::convertible_to<double>;
    } || requires(const L loss, const PairBatch<double> batch, Vector<double> d) {
      { loss.add(batch, 1.0, d) } -> std::convertible_to<double>;
    };

/// A loss of pairs' summed log-probabilities: of a pair, or of a batch.
template <class L>
concept PairObjective = PairLoss<L> || BatchLoss<L>;

/// What a training on pairs can minimise: a loss of a pair, of a batch, of single responses, or of tokens.
template <class L>
concept PreferenceObjective = PairObjective<L> || UnpairedLoss<L> || TokenLoss<L>;

namespace detail {

/// Says in words what a loss lacks.
template <class L>
consteval bool require_objective() {
  constexpr bool is_one = PreferenceObjective<L>;
  static_assert(is_one,
                "mellow: a preference loss must have `preference::PairTerm operator()(const preference::Pair&) const`, "
                "or, where it couples rows, `double add(batch, scale, d_chosen, d_rejected) const`, or be an "
                "UnpairedLoss, or, where it sees tokens, have `double operator()(const preference::TokenPair&, "
                "preference::TokenPairGradient&) const`");
  return is_one;
}

/// The metrics of a batch, for losses that give none.
template <class L>
PairMetrics pair_metrics(const L& loss, const PairBatch<double>& batch) {
  const double share = 1.0 / static_cast<double>(batch.size()), beta = reward_scale(loss);
  PairMetrics mean;
  for (Index i = 0; i < batch.size(); ++i) {
    const double chosen = batch.chosen[i] - batch.reference_chosen.at(i, 0);
    const double rejected = batch.rejected[i] - batch.reference_rejected.at(i, 0);
    mean.chosen_reward += share * beta * chosen;
    mean.rejected_reward += share * beta * rejected;
    mean.accuracy += chosen > rejected ? share : 0.0;
    mean.chosen_log_prob += share * batch.chosen[i];
    mean.rejected_log_prob += share * batch.rejected[i];
  }
  return mean;
}

}  // namespace detail

/// The mean loss of a batch with its metrics; adds `scale` times its gradient, whatever kind of loss it is. Throws Error
/// for columns that do not fit, numbers of the loss out of range, and what is not finite.
template <PairObjective L>
PairLossValue add_objective(const L& loss, const PairBatch<double>& batch, double scale, VectorRef<double> d_chosen,
                            VectorRef<double> d_rejected, SortScratch<double>& scratch) {
  if constexpr (PairLoss<L>) return add_pair_loss(loss, batch, scale, d_chosen, d_rejected);
  else {
    PairLossValue found{.metrics = detail::pair_metrics(loss, batch)};
    if constexpr (requires { loss.add(batch, scale, d_chosen, d_rejected, scratch); })
      found.value = loss.add(batch, scale, d_chosen, d_rejected, scratch);
    else if constexpr (requires { loss.add(batch, scale, d_chosen, d_rejected); })
      found.value = loss.add(batch, scale, d_chosen, d_rejected);
    else found.value = loss.add(batch, scale, d_chosen);
    return found;
  }
}

}  // namespace mellow::preference

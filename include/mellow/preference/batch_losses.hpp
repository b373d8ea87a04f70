// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <mellow/preference/dpo.hpp>

namespace mellow::preference {

// Losses of pairs that couple the rows of a batch. Each has `add`, which adds `scale` times its gradient to what is
// there and returns its value, so that they sum with losses of pairs (`add_pair_loss`).

namespace detail {
/// Adds to a gradient, which stays finite.
template <class Scalar>
void add_to(Scalar& gradient, double d) {
  gradient = narrowed<Scalar>(static_cast<double>(gradient) + d);
}
}  // namespace detail

/// What sorting takes, kept between batches so that none allocates.
template <class Scalar>
struct SortScratch {
  std::vector<double> chosen;         ///< what is sorted
  std::vector<double> rejected;       ///< what it is compared with
  std::vector<Index> chosen_order;    ///< rows by rising `chosen`
  std::vector<Index> rejected_order;  ///< rows by rising `rejected`

  /// Makes room for a batch.
  void resize(Index batch) {
    const auto n = static_cast<std::size_t>(batch);
    for (auto* numbers : {&chosen, &rejected}) numbers->resize(n);
    for (auto* order : {&chosen_order, &rejected_order}) order->resize(n);
  }
  /// Finds both orders.
  void sort() {
    const auto by = [](std::vector<Index>& order, const std::vector<double>& numbers) {
      std::iota(order.begin(), order.end(), Index(0));
      std::sort(order.begin(), order.end(), [&](Index i, Index j) {
        const double x = numbers[static_cast<std::size_t>(i)], y = numbers[static_cast<std::size_t>(j)];
        return x < y || (x == y && i < j);
      });
    };
    by(chosen_order, chosen);
    by(rejected_order, rejected);
  }
};

/// Distributional preference alignment by optimal transport (AOT, Melnyk et al. 2024): the k-th smallest number of one
/// side is compared with the k-th smallest of the other,
///
///     paired:    chosen side l_w - l_l,  other side r_w - r_l (log-probabilities of the policy, of the reference)
///     unpaired:  chosen side a_w,        other side a_l (log-ratios)
///     L = mean_k -(1 - eps) log sigma(beta delta_k) - eps log sigma(-beta delta_k),  delta_k the k-th difference
///
/// The gradient flows through the order. Asks that the whole distribution of one side dominates the other's.
struct Aot {
  double beta = 0.1;             ///< > 0
  double label_smoothing = 0.0;  ///< epsilon, in [0, 0.5)
  bool unpaired = false;         ///< whether responses rather than pairs are compared

  /// Throws Error for a number out of range.
  void validate() const {
    detail::require_beta("preference::Aot", beta);
    detail::require_smoothing("preference::Aot", label_smoothing);
  }

  /// Adds `scale` times the gradient of the mean over the batch, which is returned. Weights of pairs are not used.
  /// Throws Error for columns that do not fit, numbers out of range, and a loss that is not finite.
  template <class Scalar>
  double add(const PairBatch<Scalar>& batch, double scale, VectorRef<Scalar> d_chosen, VectorRef<Scalar> d_rejected,
             SortScratch<Scalar>& scratch) const {
    detail::require_gradients("preference::Aot", batch, d_chosen.size(), d_rejected.size());
    validate();
    scratch.resize(batch.size());
    for (Index i = 0; i < batch.size(); ++i) {
      const double chosen = batch.chosen[i], rejected = batch.rejected[i];
      const double reference_chosen = batch.reference_chosen.at(i, 0);
      const double reference_rejected = batch.reference_rejected.at(i, 0);
      const auto k = static_cast<std::size_t>(i);
      scratch.chosen[k] = unpaired ? chosen - reference_chosen : chosen - rejected;
      scratch.rejected[k] = unpaired ? rejected - reference_rejected : reference_chosen - reference_rejected;
      require(std::isfinite(scratch.chosen[k]) && std::isfinite(scratch.rejected[k]), "preference::Aot",
              "log-probabilities must be finite; those are not of pair", i);
    }
    scratch.sort();
    const double share = scale / static_cast<double>(batch.size());
    double value = 0;
    for (std::size_t k = 0; k < scratch.chosen.size(); ++k) {
      const Index i = scratch.chosen_order[k], j = scratch.rejected_order[k];
      const double z =
          beta * (scratch.chosen[static_cast<std::size_t>(i)] - scratch.rejected[static_cast<std::size_t>(j)]);
      value += softplus(-z) + label_smoothing * z;
      const double d = share * beta * (label_smoothing - sigmoid(-z));
      detail::add_to(d_chosen[i], d);
      detail::add_to(d_rejected[unpaired ? j : i], -d);
    }
    require(std::isfinite(value), "preference::Aot", "the loss must be finite", value);
    return value / static_cast<double>(batch.size());
  }
};

/// The negative log-likelihood of the chosen responses, the mean over all their tokens in the batch (trl's `sft`):
/// L = -sum_i l_w,i / sum_i n_w,i. Long responses count for more than with the mean of `Nll`.
struct TokenMeanNll {
  /// Adds `scale` times the gradient of the mean, which is returned. Throws Error for columns that do not fit and for a
  /// loss that is not finite.
  template <class Scalar>
  double add(const PairBatch<Scalar>& batch, double scale, VectorRef<Scalar> d_chosen) const {
    constexpr auto where = "preference::TokenMeanNll";
    batch.validate(where);
    detail::require_size(d_chosen.size(), batch.size(), where, "d_chosen");
    double log_prob = 0, tokens = 0;
    for (Index i = 0; i < batch.size(); ++i) {
      log_prob += batch.chosen[i];
      tokens += batch.chosen_tokens.at(i, 1);
    }
    const double value = -log_prob / tokens;
    require(std::isfinite(value), where, "the loss must be finite", value);
    for (Index i = 0; i < batch.size(); ++i) detail::add_to(d_chosen[i], -scale / tokens);
    return value;
  }
};

}  // namespace mellow::preference

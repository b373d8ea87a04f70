// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include <mellow/preference/dpo.hpp>
#include <mellow/preference/token_loss.hpp>
#include <mellow/preference/token_losses.hpp>

namespace mellow::preference {

// Losses of pairs whose tokens, or whose pairs, are weighed by what the tokens are: losses of tokens around a loss of a
// pair.

/// LD-DPO (Liu et al. 2024) around any loss of a pair: tokens beyond the pair's shorter response weigh `alpha`, in the
/// log-probabilities of policy and reference and in the gradient (`ld_weights`). alpha = 1 is the loss itself. For
/// preferences that go with length. Token counts stay what they are.
template <PairLoss L = Dpo>
struct LengthDesensitized {
  double alpha = 0.5;  ///< in [0, 1]
  L loss{};            ///< of the weighed sums

  /// Throws Error for numbers out of range.
  void validate() const {
    require(alpha >= 0 && alpha <= 1, "preference::LengthDesensitized", "alpha must lie in [0, 1]", alpha);
    detail::validate_loss(loss);
  }
  /// Value and derivatives.
  double operator()(const TokenPair& pair, TokenPairGradient& gradient) const {
    const Index shared = std::min(pair.chosen.size(), pair.rejected.size());
    const PairTerm term = loss(detail::sums_of(pair, shared, alpha));
    const auto spread = [&](VectorRef<double> d, double of_sum) {
      d.head(shared).setConstant(of_sum);
      d.tail(d.size() - shared).setConstant(alpha * of_sum);
    };
    spread(gradient.chosen.d_log_probs, term.d_chosen);
    spread(gradient.rejected.d_log_probs, term.d_rejected);
    return term.value;
  }
};

/// WPO (Zhou et al. 2024) around any loss of a pair: the loss times w_w w_l, the responses' `wpo_weight`, a constant to
/// the gradient. Pairs that the policy would hardly write count for less, so that pairs of another policy act as its own.
template <PairLoss L = Dpo>
struct Wpo {
  static constexpr bool uses_log_sum_squares = true;  ///< of each token

  L loss{};  ///< of the sums

  /// Throws Error for numbers out of range.
  void validate() const { detail::validate_loss(loss); }
  /// Value and derivatives.
  double operator()(const TokenPair& pair, TokenPairGradient& gradient) const {
    const double weight = wpo_weight(pair.chosen.log_probs, pair.chosen.log_sum_squares) *
                          wpo_weight(pair.rejected.log_probs, pair.rejected.log_sum_squares);
    const PairTerm term = loss(detail::sums_of(pair));
    gradient.chosen.d_log_probs.setConstant(weight * term.d_chosen);
    gradient.rejected.d_log_probs.setConstant(weight * term.d_rejected);
    return weight * term.value;
  }
};

}  // namespace mellow::preference

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/preference/pair_loss.hpp>

namespace mellow::preference {

/// Any loss of log-probabilities a token: of l / n and r / n in place of l and r, the derivatives divided by n. With
/// `Dpo` it is `LengthNormalizedDpo`; `PerToken<C2Dpo>` is C2-DPO with normalised lengths.
template <PairLoss L>
struct PerToken {
  L loss{};  ///< of the means

  /// Throws Error for numbers out of range.
  void validate() const { detail::validate_loss(loss); }
  /// Whether a bound of the loss is at work.
  bool clips(const Pair& pair) const { return detail::clips(loss, means(pair)); }
  /// Value and derivatives.
  PairTerm operator()(const Pair& pair) const {
    const PairTerm term = loss(means(pair));
    return {term.value, term.d_chosen / pair.chosen_tokens, term.d_rejected / pair.rejected_tokens};
  }

 private:
  static Pair means(const Pair& pair) {
    return {pair.chosen / pair.chosen_tokens, pair.rejected / pair.rejected_tokens,
            pair.reference_chosen / pair.chosen_tokens, pair.reference_rejected / pair.rejected_tokens};
  }
};

}  // namespace mellow::preference

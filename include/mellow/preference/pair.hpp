// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>

namespace mellow::preference {

/// What a loss may know of a pair of responses to one prompt: log-probabilities summed over the tokens of the response,
/// the prompt's left out.
struct Pair {
  double chosen = 0;              ///< log pi(y_w | x) of the policy
  double rejected = 0;            ///< log pi(y_l | x)
  double reference_chosen = 0;    ///< log pi_ref(y_w | x); 0 for a loss that has no reference
  double reference_rejected = 0;  ///< log pi_ref(y_l | x)
  double chosen_tokens = 1;       ///< tokens of y_w, for losses that divide by them
  double rejected_tokens = 1;     ///< tokens of y_l

  double chosen_log_ratio() const { return chosen - reference_chosen; }        ///< a_w = log(pi / pi_ref) of y_w
  double rejected_log_ratio() const { return rejected - reference_rejected; }  ///< a_l
  double margin() const { return chosen_log_ratio() - rejected_log_ratio(); }  ///< a_w - a_l
};

/// The loss of a pair, and its derivatives in the policy's two log-probabilities.
struct PairTerm {
  double value = 0;       ///< L
  double d_chosen = 0;    ///< dL / d log pi(y_w | x)
  double d_rejected = 0;  ///< dL / d log pi(y_l | x)
};

/// A loss of a pair: `loss(pair)` gives its value and derivatives. A struct with a few numbers; written without
/// branches and with the functions of preference/elementary.hpp it runs as fast as the built-in ones. It may also have
///
///     beta                  the scale of the rewards that metrics report; 1 where it has none
///     validate()            throws Error for numbers out of range; called once a batch
///     clips(pair) -> bool   whether a bound that keeps the loss finite is at work; metrics report the share
///     residual(pair)        by how much a constraint that it holds is broken; a training's metrics report the mean size
///     specialised(use)      calls use(loss) with a loss of this concept in which a choice that its settings make is
///                           made; for loops over pairs
template <class L>
concept PairLoss = requires(const L loss, const Pair pair) {
  { loss(pair) } -> std::same_as<PairTerm>;
};

/// The term of a loss that depends on the margin alone, from the derivative in it.
inline PairTerm margin_term(double value, double d_margin) { return {value, d_margin, -d_margin}; }

}  // namespace mellow::preference

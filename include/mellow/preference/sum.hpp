// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <tuple>
#include <utility>

#include <mellow/preference/pair_loss.hpp>

namespace mellow::preference {

/// A loss times a weight.
template <PairLoss L>
struct Weighted {
  double weight = 1.0;  ///< finite
  L loss{};             ///< of a pair

  /// Throws Error for numbers out of range.
  void validate() const {
    require(std::isfinite(weight), "preference::Weighted", "weight must be finite", weight);
    detail::validate_loss(loss);
  }
  /// Whether a bound of the loss is at work.
  bool clips(const Pair& pair) const { return detail::clips(loss, pair); }
  /// Value and derivatives.
  PairTerm operator()(const Pair& pair) const {
    const PairTerm term = loss(pair);
    return {weight * term.value, weight * term.d_chosen, weight * term.d_rejected};
  }
};

/// The sum of losses of a pair, itself one: `Sum{Weighted<Dpo>{.weight = 1.0}, Weighted<Nll>{.weight = 0.2}}`. Metrics
/// take the beta of the first loss that has one. A loss of a whole batch is added by its own `add` or `add_pair_loss`.
template <PairLoss... Ls>
struct Sum {
  std::tuple<Ls...> losses;  ///< the terms
  double beta;               ///< of the rewards that metrics report

  /// Of the given losses.
  explicit Sum(const Ls&... terms) : losses(terms...), beta(first_beta(terms...)) {}

  /// Throws Error for numbers out of range.
  void validate() const {
    std::apply([](const Ls&... terms) { (detail::validate_loss(terms), ...); }, losses);
  }
  /// Whether a bound of a loss is at work.
  bool clips(const Pair& pair) const {
    return std::apply([&](const Ls&... terms) { return (detail::clips(terms, pair) || ...); }, losses);
  }
  /// Value and derivatives.
  PairTerm operator()(const Pair& pair) const {
    PairTerm sum;
    const auto add = [&](const PairTerm& term) {
      sum.value += term.value;
      sum.d_chosen += term.d_chosen;
      sum.d_rejected += term.d_rejected;
    };
    std::apply([&](const Ls&... terms) { (add(terms(pair)), ...); }, losses);
    return sum;
  }

 private:
  template <class First, class... Rest>
  static double first_beta(const First& first, const Rest&... rest) {
    if constexpr (
        requires { first.beta; } || requires { first.loss.beta; })
      return detail::reward_scale(first);
    else if constexpr (sizeof...(Rest) > 0) return first_beta(rest...);
    else return 1.0;
  }
};

}  // namespace mellow::preference

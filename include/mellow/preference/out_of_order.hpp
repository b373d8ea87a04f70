// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <mellow/core/error.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/core/types.hpp>
#include <mellow/nn/clip.hpp>
#include <mellow/preference/displacement_toy.hpp>
#include <mellow/preference/pair_loss.hpp>
#include <mellow/statistics/aggregates.hpp>

namespace mellow::preference {

/// Pairs that cannot all be put in order: random responses, more pairs than features; and the descent on them.
struct OutOfOrder {
  Index prompts = 64;              ///< pairs, > 0
  Index features = 24;             ///< > 0
  Index steps = 128;               ///< of gradient descent, >= 0
  double learning_rate = 5.0;      ///< > 0
  double max_gradient_norm = 0.1;  ///< longer gradients are scaled down to it, > 0; infinity: none

  /// Throws Error for a number out of range.
  void validate() const {
    constexpr auto where = "preference::OutOfOrder";
    require(steps >= 0, where, "steps must not be negative", steps);
    require(std::isfinite(learning_rate) && learning_rate > 0, where, "learning_rate must be positive and finite",
            learning_rate);
    require(max_gradient_norm > 0, where, "max_gradient_norm must be positive", max_gradient_norm);
  }
};

/// The median of the winners' log-ratios a_w after full-batch gradient descent on the mean of a loss, on a
/// `DisplacementToy` of such pairs. A loss whose gradient grows with the displacement of a pair in the
/// wrong order, as SquaredPO's does by exp(-a), ends lower than DPO, and diverges where the gradient is not clipped.
/// Throws Error for numbers out of range and a loss that is not finite.
template <PairLoss L>
double median_out_of_order(const L& loss, Rng& rng, const OutOfOrder& setting = {}) {
  setting.validate();
  const DisplacementToy toy(rng,
                            {.prompts = setting.prompts, .features = setting.features, .scale = 0.0, .noise = 1.0});
  const Index n = toy.prompts();
  Vector<double> w = Vector<double>::Zero(toy.parameters()), d_w = w, d_chosen(n), d_rejected(n), chosen, rejected;
  Matrix<double> log_probs;
  for (Index step = 0;; ++step) {
    toy.log_probs(w, log_probs);
    chosen = log_probs.row(0);
    rejected = log_probs.row(1);
    if (step == setting.steps) return statistics::Median{}(chosen - toy.reference_chosen());
    pair_loss(loss, PairBatch<double>{chosen, rejected, toy.reference_chosen(), toy.reference_rejected()}, d_chosen,
              d_rejected);
    toy.gradient(log_probs, d_chosen, d_rejected, d_w);
    nn::clip_norm<double>(d_w, setting.max_gradient_norm);
    w -= setting.learning_rate * d_w;
  }
}

}  // namespace mellow::preference

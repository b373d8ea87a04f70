// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <limits>

#include <mellow/core/error.hpp>
#include <mellow/core/metric.hpp>
#include <mellow/core/types.hpp>
#include <mellow/preference/pair_loss.hpp>

namespace mellow::language {

/// What an evaluation on held-out pairs gives as its score.
enum class PreferenceScore {
  Accuracy,  ///< share of pairs with a_w > a_l
  Margin,    ///< mean of beta (a_w - a_l)
  Loss       ///< minus the loss
};

/// Which pairs of a training are recorded.
enum class RecordedPairs {
  Training,  ///< those that it learns from
  HeldOut    ///< those that it does not
};

/// The numbers of a training on pairs.
struct PreferenceTrainingOptions {
  Index batch = 32;                ///< pairs an update, > 0, at most all
  Index micro_batch = 0;           ///< most pairs that the model reads at once, for memory, >= 0; 0: the batch
  double max_gradient_norm = 1.0;  ///< longer gradients are scaled down to it, > 0; infinity: none
  bool has_reference = true;       ///< whether log-ratios are taken to the reference; false for losses that have none
  PreferenceScore score = PreferenceScore::Accuracy;  ///< of an evaluation

  /// Throws Error for a number out of range.
  void validate() const {
    constexpr auto where = "language::PreferenceTraining";
    require(batch > 0, where, "batch must be positive", batch);
    require(micro_batch >= 0, where, "micro_batch must not be negative", micro_batch);
    require(max_gradient_norm > 0, where, "max_gradient_norm must be positive", max_gradient_norm);
  }
};

/// What an update found.
struct PreferenceLearned {
  static constexpr double none = std::numeric_limits<double>::quiet_NaN();  ///< a figure that there is not yet

  double loss = none;                              ///< of the batch
  double gradient_norm = none;                     ///< before clipping
  double learning_rate = none;                     ///< of the step
  double tokens = none;                            ///< read so far, prompts included
  preference::PairMetrics batch{};                 ///< of the batch
  double pair_mass = none;                         ///< mean of log(pi_w + pi_l) - log(ref_w + ref_l) over the batch
  double residual = none;                          ///< mean |g| of a loss that holds a constraint (C2-DPO)
  preference::PairLossValue held_out = unknown();  ///< of the last evaluation

  /// The same by name.
  std::array<Metric, 16> metrics() const {
    return {{{"loss", loss},
             {"gradient_norm", gradient_norm},
             {"learning_rate", learning_rate},
             {"tokens", tokens},
             {"accuracy", batch.accuracy},
             {"margin", batch.margin()},
             {"chosen_reward", batch.chosen_reward},
             {"rejected_reward", batch.rejected_reward},
             {"chosen_log_prob", batch.chosen_log_prob},
             {"rejected_log_prob", batch.rejected_log_prob},
             {"clipped", batch.clipped},
             {"pair_mass", pair_mass},
             {"residual", residual},
             {"held_out_loss", held_out.value},
             {"held_out_accuracy", held_out.metrics.accuracy},
             {"held_out_margin", held_out.metrics.margin()}}};
  }

  /// What `held_out` is before the first evaluation.
  static constexpr preference::PairLossValue unknown() { return {none, {none, none, none, none, none, none}}; }
};

}  // namespace mellow::language

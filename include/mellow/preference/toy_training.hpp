// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <vector>

#include <mellow/core/error.hpp>
#include <mellow/nn/adam.hpp>
#include <mellow/preference/displacement.hpp>
#include <mellow/preference/displacement_toy.hpp>
#include <mellow/preference/pair_history.hpp>
#include <mellow/preference/pair_loss.hpp>

namespace mellow::preference {

/// How a `DisplacementToy` is trained.
struct ToyTraining {
  double learning_rate = 0.05;  ///< of Adam, > 0
  std::vector<Index> checkpoints{30, 100, 300, 1000,
                                 3000};  ///< steps after which it is looked at, rising; the last ends it

  /// Throws Error for a number out of range.
  void validate() const {
    constexpr auto where = "preference::ToyTraining";
    require(learning_rate > 0, where, "learning_rate must be positive", learning_rate);
    require(!checkpoints.empty() && checkpoints.front() > 0 &&
                std::ranges::adjacent_find(checkpoints, std::ranges::greater_equal{}) == checkpoints.end(),
            where, "checkpoints must be positive and rise; their number is", checkpoints.size());
  }
};

/// Trains a toy from its reference by full-batch steps of Adam on the mean of a loss. Returns what its pairs went
/// through: before the first step, and at each checkpoint. Throws Error for numbers out of range.
template <PairLoss L>
PairHistory train(const DisplacementToy& toy, const L& loss, const ToyTraining& training = {}) {
  training.validate();
  const Index n = toy.prompts();
  Vector<double> w = Vector<double>::Zero(toy.parameters()), d_w = w, d_chosen(n), d_rejected(n), chosen, rejected;
  const nn::Adam adam{.learning_rate = training.learning_rate};
  nn::Adam::State<double> moments;
  moments.reset(toy.parameters());
  PairHistory history;
  Matrix<double> log_probs;
  for (Index step = 0;; ++step) {
    toy.log_probs(w, log_probs);
    chosen = log_probs.row(0);
    rejected = log_probs.row(1);
    const PairBatch<double> batch{chosen, rejected, toy.reference_chosen(), toy.reference_rejected()};
    if (step == 0 || std::ranges::find(training.checkpoints, step) != training.checkpoints.end()) {
      Vector<double> outside(n);
      for (Index k = 0; k < n; ++k) outside[k] = out_of_sample_mass(log_probs.col(k), std::array<Index, 2>{0, 1});
      history.add(step, batch, loss, outside);
    }
    if (step == training.checkpoints.back()) return history;
    pair_loss(loss, batch, d_chosen, d_rejected);
    toy.gradient(log_probs, d_chosen, d_rejected, d_w);
    adam.step<double>(moments, w, d_w);
  }
}

}  // namespace mellow::preference

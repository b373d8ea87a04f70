// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <type_traits>

#include <mellow/core/environment.hpp>
#include <mellow/core/types.hpp>

namespace mellow::data {

/// Actions of many steps: a vector of indices for discrete actions, dimensions x steps for vectors of numbers.
template <class Action, class Scalar>
using Actions = std::conditional_t<std::integral<Action>, Vector<Action>, Matrix<Scalar>>;

/// Transitions to learn from, one a column.
template <class Scalar, class Action = Index>
struct Batch {
  Matrix<Scalar> observations;       ///< features x batch
  Matrix<Scalar> next_observations;  ///< features x batch
  Actions<Action, Scalar> actions;   ///< batch, or dimensions x batch
  Vector<Scalar> rewards;            ///< batch
  Vector<Scalar> discounts;          ///< batch: factor of the next value: discount^n, or 0 where the episode terminated
  Eigen::Array<bool, Eigen::Dynamic, Eigen::Dynamic>
      next_allowed;        ///< actions x batch: the action masks of the next states; empty: all are allowed
  Vector<Scalar> weights;  ///< batch: of each sample in the loss
  Vector<Index> indices;   ///< batch: places in the replay
  Vector<Scalar> errors;   ///< batch: TD errors, written by the head; a replay may set priorities by them

  Scalar discount = 1;  ///< of one step: set by the agent, read by the replay

  /// Allocates for a number of samples; `action_size` is the dimension of vector actions.
  void resize(Index features, Index samples, Index action_size = 1) {
    observations.resize(features, samples);
    next_observations.resize(features, samples);
    if constexpr (std::integral<Action>) actions.resize(samples);
    else actions.resize(action_size, samples);
    rewards.resize(samples);
    discounts.resize(samples);
    weights.setOnes(samples);
    indices.resize(samples);
    errors.setZero(samples);
  }
  Index size() const { return rewards.size(); }  ///< samples

  /// Which actions are allowed after transition i; empty: all.
  ActionMask mask(Index i) const {
    return {next_allowed.data() + i * next_allowed.rows(), static_cast<std::size_t>(next_allowed.rows())};
  }
};

}  // namespace mellow::data

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include <mellow/core/error.hpp>
#include <mellow/core/parts.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/core/spaces.hpp>
#include <mellow/data/batch.hpp>
#include <mellow/operators/mask.hpp>
#include <mellow/operators/max.hpp>
#include <mellow/value/action_blocks.hpp>
#include <mellow/value/backups.hpp>
#include <mellow/value/td_loss.hpp>

namespace mellow::value {

/// The head of DQN: the network's output is Q(s, .), one number an action.
struct ScalarHead {
  using role = roles::Head;
  using Action = Index;  ///< a number of an action

  TdLoss loss{};  ///< of the temporal-difference error: squared; `TdLoss::huber()` suits rewards with outliers

  /// What is reused from update to update.
  template <class Scalar>
  struct State {
    Vector<Scalar> targets;  ///< batch
    /// @{
    /// Values of the next state's allowed actions.
    Vector<Scalar> allowed, online_allowed;
    /// @}

    template <class Self, class Visit>
    static void visit_state(Self&, Visit&&) {}  // rewritten by every update
  };

  /// Throws Error for a loss out of range.
  void validate() const { loss.validate(); }

  /// Throws Error where the network's outputs are not one for each action.
  void require_fits(Index outputs, const Discrete& actions) const {
    if (outputs != actions.n)
      throw Error("value::ScalarHead",
                  fmt::format("the network needs {} outputs, one an action of the environment", actions.n), outputs);
  }

  /// The values of the actions (actions x batch) as an expression of the network's outputs.
  template <class Derived>
  const Derived& values(const Eigen::MatrixBase<Derived>& outputs) const {
    return outputs.derived();
  }
  /// The action of the highest value.
  template <class Derived>
  Index greedy(const Eigen::MatrixBase<Derived>& outputs) const {
    return operators::argmax(outputs);
  }
  /// An action, each with the same probability.
  Index random(Index outputs, Rng& rng) const { return rng.below(outputs); }

  /// y_i = r_i + discount_i * backup(Q(s'_i, .)), from the next states' target and, where the backup asks for them,
  /// online outputs; over the allowed actions alone where the batch has action masks.
  template <class Scalar, class B>
  void targets(State<Scalar>& state, const B& backup, const data::Batch<Scalar>& batch,
               const ConstMatrixRef<Scalar>& target_next, const ConstMatrixRef<Scalar>& online_next) const {
    using Values = Eigen::Map<const Vector<Scalar>>;
    const auto next_value = [&](const Values& target_q, const Values& online_q) -> Scalar {
      if constexpr (OnlineBackup<B, Scalar>) return backup(target_q, online_q);
      else return backup(target_q);
    };
    const auto allowed = [&](const ConstMatrixRef<Scalar>& q, Index i, Vector<Scalar>& storage) -> Values {
      const Values all(q.data() + i * q.outerStride(), q.rows());
      const ActionMask mask = batch.mask(i);
      return mask.empty() ? all : operators::keep_allowed<Scalar>(all, mask, storage);
    };
    state.targets = batch.rewards;
    for (Index i = 0; i < batch.size(); ++i)
      if (batch.discounts[i] != Scalar(0))
        state.targets[i] += batch.discounts[i] * next_value(allowed(target_next, i, state.allowed),
                                                            allowed(online_next, i, state.online_allowed));
  }

  /// Loss of the online outputs against the targets; writes its gradient and the batch's TD errors.
  template <class Scalar>
  Scalar evaluate(const State<Scalar>& state, data::Batch<Scalar>& batch, const ConstMatrixRef<Scalar>& outputs,
                  MatrixRef<Scalar> d_outputs) const {
    return td_loss<Scalar>(loss, outputs, batch.actions, state.targets, batch.weights, d_outputs, batch.errors);
  }

  /// How far values are from wanted ones, which are constants: mean (outputs - wanted)^2 over the batch and the actions,
  /// all of them or, where `actions` names one a sample, those. Writes the gradient in the outputs.
  template <class Scalar>
  Scalar distance(const ConstMatrixRef<Scalar>& outputs, const ConstMatrixRef<Scalar>& wanted,
                  std::span<const Index> actions, MatrixRef<Scalar> d_outputs) const {
    return detail::mean_squared_distance<Scalar>(outputs, wanted, 1, actions, d_outputs);
  }
};

}  // namespace mellow::value

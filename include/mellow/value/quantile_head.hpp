// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <span>

#include <mellow/core/error.hpp>
#include <mellow/core/parts.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/core/spaces.hpp>
#include <mellow/data/batch.hpp>
#include <mellow/value/action_blocks.hpp>
#include <mellow/value/backups.hpp>

namespace mellow::value {

namespace detail {

/// The mean of an action's quantiles.
struct MeanOfQuantiles {
  Index quantiles;

  template <class Scalar>
  Scalar operator()(const Scalar* theta) const {
    return Eigen::Map<const Vector<Scalar>>(theta, quantiles).mean();
  }
};

}  // namespace detail

/// The head of QR-DQN (Dabney et al. 2018): the network's outputs are quantiles of every action's return, N numbers an
/// action side by side, at the midpoints tau_j = (2 j + 1) / (2 N), j = 0 .. N - 1.
///
///     Q(s, a) = 1/N sum_j theta_j(s, a),     T_k = r + discount theta_k(s', a*), of the target network
///     loss = 1/B sum_i w_i sum_j 1/N sum_k rho_j(T_k - theta_j(s_i, a_i))
///     rho_j(u) = |tau_j - [u < 0]| L(u) / kappa,     L(u) = u^2 / 2 where |u| <= kappa, else kappa (|u| - kappa / 2)
///
/// The paper's eq. 10 for its kappa = 1; the division (Dabney et al. 2018b, eq. 3) keeps the loss of one size where kappa
/// is another. a* is the action that the backup selects by the values Q: `Max` or `DoubleQ`. The losses of the samples are
/// the batch's errors, by which a prioritised replay orders. Choose it over `CategoricalHead` where the range of returns
/// is not known.
struct QuantileHead {
  using role = roles::Head;
  using Action = Index;  ///< a number of an action

  Index quantiles = 200;  ///< of a distribution, > 0
  double kappa = 1.0;     ///< where the loss becomes linear, > 0 and finite; near 0 it is the quantile regression's |u|

  /// What is reused from update to update.
  template <class Scalar>
  struct State {
    Matrix<Scalar> targets;           ///< quantiles x batch
    detail::NextAction<Scalar> next;  ///< the next state's action

    template <class Self, class Visit>
    static void visit_state(Self&, Visit&&) {}  // rewritten by every update
  };

  /// Throws Error for a number out of range.
  void validate() const {
    require(quantiles > 0, "value::QuantileHead", "quantiles must be positive", quantiles);
    require(std::isfinite(kappa) && kappa > 0, "value::QuantileHead", "kappa must be positive and finite", kappa);
  }

  /// Throws Error where the network's outputs are not `quantiles` for each action.
  void require_fits(Index outputs, const Discrete& actions) const {
    if (outputs != quantiles * actions.n)
      throw Error("value::QuantileHead",
                  fmt::format("the network needs {} outputs, {} an action of the environment", quantiles * actions.n,
                              quantiles),
                  outputs);
  }

  Index actions(Index outputs) const { return outputs / quantiles; }  ///< that so many outputs stand for

  /// The values of the actions (actions x batch) as an expression of the network's outputs, which lie in memory.
  template <class Derived>
  auto values(const Eigen::MatrixBase<Derived>& outputs) const {
    return detail::action_values(outputs, quantiles, mean());
  }
  /// The action of the highest value.
  template <class Derived>
  Index greedy(const Eigen::MatrixBase<Derived>& outputs) const {
    return detail::ActionBlocks(outputs, quantiles, mean()).greedy(0);
  }
  /// An action, each with the same probability.
  Index random(Index outputs, Rng& rng) const { return rng.below(actions(outputs)); }

  /// The targets T of the batch, from the next states' target and, where the backup asks for them, online outputs; a* is
  /// among the allowed actions where the batch has action masks.
  template <class Scalar, OneActionBackup<Scalar> B>
  void targets(State<Scalar>& state, const B& backup, const data::Batch<Scalar>& batch,
               const ConstMatrixRef<Scalar>& target_next, const ConstMatrixRef<Scalar>& online_next) const {
    const detail::ActionBlocks target(target_next, quantiles, mean()), online(online_next, quantiles, mean());
    state.targets.resize(quantiles, batch.size());
    for (Index i = 0; i < batch.size(); ++i) {
      auto column = state.targets.col(i);
      column.setConstant(batch.rewards[i]);
      if (batch.discounts[i] == Scalar(0)) continue;
      const Index action = state.next.select(backup, batch, i, target, online);
      column += batch.discounts[i] * Eigen::Map<const Vector<Scalar>>(target.block(action, i), quantiles);
    }
  }

  /// The mean weighted loss of the online outputs against the targets; writes its gradient and each sample's own.
  template <class Scalar>
  Scalar evaluate(const State<Scalar>& state, data::Batch<Scalar>& batch, const ConstMatrixRef<Scalar>& outputs,
                  MatrixRef<Scalar> d_outputs) const {
    const auto k = static_cast<Scalar>(kappa), share = Scalar(1) / static_cast<Scalar>(batch.size()),
               of_pair = Scalar(1) / (k * static_cast<Scalar>(quantiles));
    Scalar total = 0;
    d_outputs.setZero();
    for (Index i = 0; i < batch.size(); ++i) {
      const auto theta = outputs.col(i).segment(batch.actions[i] * quantiles, quantiles);
      auto d_theta = d_outputs.col(i).segment(batch.actions[i] * quantiles, quantiles);
      const auto target = state.targets.col(i).array();
      Scalar loss = 0;
      for (Index j = 0; j < quantiles; ++j) {
        const auto tau =
            static_cast<Scalar>((2.0 * static_cast<double>(j) + 1.0) / (2.0 * static_cast<double>(quantiles)));
        const auto above = (target - theta[j]).max(Scalar(0));
        const auto below = (theta[j] - target).max(Scalar(0));
        const auto slope_above = above.min(k);  // L(u) = slope (|u| - slope / 2)
        const auto slope_below = below.min(k);
        loss += tau * (slope_above * (above - Scalar(0.5) * slope_above)).sum() +
                (1 - tau) * (slope_below * (below - Scalar(0.5) * slope_below)).sum();
        d_theta[j] = share * batch.weights[i] * of_pair * ((1 - tau) * slope_below.sum() - tau * slope_above.sum());
      }
      batch.errors[i] = loss * of_pair;
      total += batch.weights[i] * batch.errors[i];
    }
    return share * total;
  }

  /// How far distributions are from wanted ones, which are constants: mean (theta_j - wanted_j)^2 over quantiles, batch
  /// and actions, all of them or, where `actions` names one a sample, those. Writes the gradient in the outputs.
  ///
  /// Where quantiles are in order that is the square of the 2-Wasserstein distance. Quantile regression on the wanted
  /// quantiles would not do: it leads to them sorted, and smoothed by kappa, so that a network of the same outputs would
  /// move.
  template <class Scalar>
  Scalar distance(const ConstMatrixRef<Scalar>& outputs, const ConstMatrixRef<Scalar>& wanted,
                  std::span<const Index> actions, MatrixRef<Scalar> d_outputs) const {
    return detail::mean_squared_distance<Scalar>(outputs, wanted, quantiles, actions, d_outputs);
  }

 private:
  detail::MeanOfQuantiles mean() const { return {quantiles}; }
};

}  // namespace mellow::value

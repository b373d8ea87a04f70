// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>
#include <span>

#include <mellow/value/action_similarity.hpp>
#include <mellow/value/scalar_head.hpp>

namespace mellow::value {

/// A head of DQN that knows how alike actions are: every update of an action is one of all that are like it (the oracle
/// of Zhou, Allen, Asadi & Konidaris 2022). The network's output is Q(s, .), one number an action; all of them have
/// targets, which are constants:
///
///     y_b = Q(s, b) + sim(a, b) (y - Q(s, b)),    y = r + discount backup(Q(s', .))
///     loss = 1 / (B |A|) sum_i w_i sum_b L(Q(s_i, b) - y_b)
///     d loss / d Q(s_i, b) = w_i L'(sim(a_i, b) (Q(s_i, b) - y_i)) / (B |A|)
///
/// With the identity as similarity it is plain DQN, whose other actions are pinned to their values; its loss is that of
/// `ScalarHead` divided by |A|. The error of the action that was taken is the batch's, by which a prioritised replay
/// orders. Which actions are allowed in s plays no part: one that is like a, but forbidden in s, learns as well.
///
///     value::Dqn agent(network, value::SimilarityHead{.similarity = environment.similarity()}, value::DoubleQ{});
struct SimilarityHead {
  using role = roles::Head;
  using Action = Index;  ///< a number of an action

  /// actions x actions: (b, a) says how far an update of a is one of b, in [0, 1], 1 where a = b.
  Matrix<double> similarity{};
  TdLoss loss = TdLoss::huber();  ///< of each action's error

  /// What is reused from update to update.
  template <class Scalar>
  using State = ScalarHead::State<Scalar>;

  /// Throws Error for a matrix that is not square, or numbers out of range.
  void validate() const {
    detail::require_similarity("value::SimilarityHead", similarity);
    loss.validate();
  }

  /// Throws Error where outputs or similarity are not of each action.
  void require_fits(Index outputs, const Discrete& actions) const {
    if (outputs != actions.n)
      throw Error("value::SimilarityHead",
                  fmt::format("the network needs {} outputs, one an action of the environment", actions.n), outputs);
    detail::require_similarity_of("value::SimilarityHead", similarity, actions.n);
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

  /// The targets y of the actions that were taken, as `ScalarHead` makes them.
  template <class Scalar, class B>
  void targets(State<Scalar>& state, const B& backup, const data::Batch<Scalar>& batch,
               const ConstMatrixRef<Scalar>& target_next, const ConstMatrixRef<Scalar>& online_next) const {
    ScalarHead{}.targets<Scalar>(state, backup, batch, target_next, online_next);
  }

  /// Loss of the online outputs against the targets of all actions; writes its gradient and the errors of the actions
  /// that were taken.
  template <class Scalar>
  Scalar evaluate(const State<Scalar>& state, data::Batch<Scalar>& batch, const ConstMatrixRef<Scalar>& outputs,
                  MatrixRef<Scalar> d_outputs) const {
    assert(similarity.rows() == outputs.rows());
    const Scalar share = Scalar(1) / static_cast<Scalar>(outputs.size());
    Scalar total = 0;
    for (Index i = 0; i < outputs.cols(); ++i) {
      const Index action = batch.actions[i];
      for (Index b = 0; b < outputs.rows(); ++b) {
        const Scalar error = static_cast<Scalar>(similarity(b, action)) * (outputs(b, i) - state.targets[i]);
        total += batch.weights[i] * loss.value(error);
        d_outputs(b, i) = share * batch.weights[i] * loss.derivative(error);
      }
      batch.errors[i] = outputs(action, i) - state.targets[i];
    }
    return share * total;
  }

  /// How far values are from wanted ones, as `ScalarHead` measures it: similarity plays no part.
  template <class Scalar>
  Scalar distance(const ConstMatrixRef<Scalar>& outputs, const ConstMatrixRef<Scalar>& wanted,
                  std::span<const Index> actions, MatrixRef<Scalar> d_outputs) const {
    return ScalarHead{}.distance<Scalar>(outputs, wanted, actions, d_outputs);
  }
};

}  // namespace mellow::value

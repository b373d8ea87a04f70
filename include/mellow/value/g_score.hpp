// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <limits>

#include <mellow/core/error.hpp>
#include <mellow/core/network.hpp>
#include <mellow/value/action_similarity.hpp>

namespace mellow::value {

/// How far an update of one action's value moves those of others.
struct GScore {
  /// actions x actions: (a, b) is what happens to b where a is pushed, 1 for what moves most and 0 for what moves least
  /// (a row of which all move alike is 0); mean over the states.
  Matrix<double> changes;
  /// +g: mean change of other actions that are like the pushed one, in [0, 1]; NaN where there are none.
  double alike = std::numeric_limits<double>::quiet_NaN();
  /// -g: mean change of actions that are not; NaN where there are none.
  double unlike = std::numeric_limits<double>::quiet_NaN();

  /// +g less -g: 1 where a network knows which actions are alike, 0 where it moves all others as much.
  double g() const { return alike - unlike; }
};

/// The generalisation over actions of a network with one output an action (the g-score in the code of Zhou, Allen, Asadi
/// & Konidaris 2022): from theta, for each state s and action a, one step of gradient descent that raises Q(s, a) with
/// all other actions pinned, and what it does to all of them,
///
///     theta' = theta + learning_rate / |A| dQ(s, a)/dtheta        (Huber's loss of an error above 1, mean over actions)
///     delta_b = Q(s, b; theta') - Q(s, b; theta),    d_b = (delta_b - min delta) / (max delta - min delta)
///
/// `states` is features x states, of a greedy trajectory in the paper's code; two actions are alike where `similarity`
/// (actions x actions) is not 0. To first order delta_b is learning_rate / |A| times the product of the two gradients: of a
/// last layer alone, 0 but for b = a. Values near 100 leave little of small changes in float: give a network of double.
/// Throws Error where sizes do not fit, or for a learning rate that is not positive.
template <Network Net>
GScore g_score(const Net& network, const ConstVectorRef<typename Net::Scalar>& theta,
               const ConstMatrixRef<typename Net::Scalar>& states, const Matrix<double>& similarity,
               double learning_rate) {
  using Scalar = typename Net::Scalar;
  constexpr auto where = "value::g_score";
  const Index actions = network.outputs();
  detail::require_similarity(where, similarity);
  detail::require_similarity_of(where, similarity, actions);
  require(std::isfinite(learning_rate) && learning_rate > 0, where, "learning_rate must be positive and finite",
          learning_rate);
  require(theta.size() == network.parameters(), where, fmt::format("theta must have {} numbers", network.parameters()),
          theta.size());
  require(states.rows() == network.inputs(), where, fmt::format("states must have {} features", network.inputs()),
          states.rows());
  require(states.cols() > 0, where, "there must be states", states.cols());

  typename Net::Tape tape;
  Matrix<Scalar> state, pushed = Matrix<Scalar>::Zero(actions, 1);
  Vector<Scalar> gradient, moved;
  GScore result{.changes = Matrix<double>::Zero(actions, actions)};
  for (Index i = 0; i < states.cols(); ++i) {
    state = states.col(i);
    for (Index a = 0; a < actions; ++a) {
      const Vector<double> before = network.forward(theta, state, tape).col(0).template cast<double>();
      gradient.setZero(theta.size());
      pushed.setZero();
      pushed(a, 0) = Scalar(-1) / static_cast<Scalar>(actions);
      network.backward(theta, tape, pushed, gradient);
      moved = theta - static_cast<Scalar>(learning_rate) * gradient;
      const Vector<double> delta = network.forward(moved, state, tape).col(0).template cast<double>() - before;
      const double low = delta.minCoeff(), range = delta.maxCoeff() - low;
      if (range > 0) result.changes.row(a) += ((delta.array() - low) / range).matrix().transpose();
    }
  }
  result.changes /= static_cast<double>(states.cols());

  const Eigen::Array<bool, Eigen::Dynamic, Eigen::Dynamic> alike =
      similarity.array() > 0 && Matrix<double>::Identity(actions, actions).array() == 0;
  const auto mean_where = [&](const auto& chosen) {
    return chosen.select(result.changes.array(), 0.0).sum() / static_cast<double>(chosen.count());
  };
  result.alike = mean_where(alike);
  result.unlike = mean_where((similarity.array() == 0).eval());
  return result;
}

}  // namespace mellow::value

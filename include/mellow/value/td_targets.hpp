// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <concepts>
#include <limits>
#include <utility>

#include <mellow/core/parts.hpp>
#include <mellow/environments/linear_control.hpp>
#include <mellow/environments/linear_mrp.hpp>
#include <mellow/operators/non_expansion.hpp>
#include <mellow/value/backups.hpp>
#include <mellow/value/convex_losses.hpp>
#include <mellow/value/force_constants.hpp>

namespace mellow::value {

/// Where the predictions of a `ConvexTd` are to go: one row for each state, or state and action, that is updated.
///
///     features()                 features x rows
///     weights()                  rows: how often each is updated
///     operator()(theta, loss)    rows: the targets y(theta), of predictions loss.prediction(phi' theta)
///     row_slopes()               rows: |y_i(theta_1) - y_i(theta_2)| / |theta_1 - theta_2| at most, of predictions
///                                that move no faster than phi' theta; infinite where no bound is known
///     slope()                    the same of |D^1/2 (y(theta_1) - y(theta_2))|
///     bounds(low, high)          least and greatest target that predictions in [low, high] lead to
template <class T>
concept TdTargets = requires(const T targets, const Vector<double>& theta, double x) {
  { targets.features() } -> std::convertible_to<const Matrix<double>&>;
  { targets.weights() } -> std::convertible_to<const Vector<double>&>;
  { targets(theta, ErrorLoss{}) } -> std::convertible_to<Vector<double>>;
  { targets.row_slopes() } -> std::convertible_to<Vector<double>>;
  { targets.slope() } -> std::same_as<double>;
  { targets.bounds(x, x) } -> std::same_as<std::pair<double, double>>;
};

namespace detail {

/// Least and greatest of r_i + discount p_i v, where p_i is the probability that row i goes on and v lies in [low, high].
inline std::pair<double, double> target_bounds(const Vector<double>& rewards, double discount,
                                               const Vector<double>& going_on, double low, double high) {
  return {(rewards + discount * low * going_on).minCoeff(), (rewards + discount * high * going_on).maxCoeff()};
}

}  // namespace detail

/// Targets of prediction: y(theta) = R + gamma P v(theta), a row a state.
class PredictionTargets {
 public:
  /// Throws Error for a process that makes no sense.
  explicit PredictionTargets(environments::LinearMrp mrp) : mrp_(std::move(mrp)) { mrp_.validate(); }

  const Matrix<double>& features() const { return mrp_.features; }  ///< features x states
  const Vector<double>& weights() const { return mrp_.weights; }    ///< states

  /// y(theta): states.
  template <ConvexLoss Loss>
  Vector<double> operator()(const Vector<double>& theta, const Loss& loss) const {
    Vector<double> v = mrp_.features.transpose() * theta;
    for (double& x : v) x = loss.prediction(x);
    return mrp_.rewards + mrp_.discount * (mrp_.transitions * v);
  }

  /// gamma |E phi(s')|: states.
  Vector<double> row_slopes() const { return ahead().rowwise().norm(); }
  /// gamma |D^1/2 P Phi|_2.
  double slope() const { return spectral_norm<double>(mrp_.weights.cwiseSqrt().asDiagonal() * ahead()); }

  /// Least and greatest target that predictions in [low, high] lead to.
  std::pair<double, double> bounds(double low, double high) const {
    return detail::target_bounds(mrp_.rewards, mrp_.discount, mrp_.transitions.rowwise().sum(), low, high);
  }

 private:
  Matrix<double> ahead() const { return mrp_.discount * mrp_.transitions * mrp_.features.transpose(); }

  environments::LinearMrp mrp_;
};

/// Targets of control: y(theta) = r(s, a) + gamma E[op(q(s', .; theta))], a row a state and action (row s * actions + a).
/// `op` is any operator on the values of a state's actions; bounds are known for a `NonExpansion`.
template <TargetBackup<double> Op>
class ControlTargets {
 public:
  /// Throws Error for a process that makes no sense or an operator's number out of range.
  explicit ControlTargets(const environments::LinearControl& control, Op op = {})
      : features_(control.features), op_(op), discount_(control.discount), actions_(control.model.actions()) {
    control.validate();
    validate_part(op_);
    const Index states = control.model.states();
    weights_ = control.weights.reshaped();
    rewards_ = control.model.rewards().reshaped();
    transitions_.resize(states * actions_, states);
    for (Index s = 0; s < states; ++s)
      for (Index a = 0; a < actions_; ++a) transitions_.row(s * actions_ + a) = control.model.transitions(a).row(s);
  }

  const Matrix<double>& features() const { return features_; }  ///< features x (states * actions)
  const Vector<double>& weights() const { return weights_; }    ///< states * actions

  /// y(theta): states * actions.
  template <ConvexLoss Loss>
  Vector<double> operator()(const Vector<double>& theta, const Loss& loss) const {
    Matrix<double> q = (features_.transpose() * theta).reshaped(actions_, transitions_.cols());
    for (double& x : q.reshaped()) x = loss.prediction(x);
    Vector<double> v(q.cols());
    for (Index s = 0; s < v.size(); ++s) v[s] = op_(q.col(s));
    return rewards_ + discount_ * (transitions_ * v);
  }

  /// gamma E[max_a' |phi(s', a')|], since a non-expansion moves by no more than the fastest of its values (states *
  /// actions); infinite for another operator.
  Vector<double> row_slopes() const {
    if constexpr (operators::NonExpansion<Op>) {
      const Vector<double> sizes = features_.colwise().norm();
      const Vector<double> largest = sizes.reshaped(actions_, transitions_.cols()).colwise().maxCoeff();
      return discount_ * (transitions_ * largest);
    } else {
      return Vector<double>::Constant(rewards_.size(), std::numeric_limits<double>::infinity());
    }
  }
  /// sqrt(sum_i d_i row_slope_i^2).
  double slope() const { return std::sqrt((weights_.array() * row_slopes().array().square()).sum()); }

  /// Least and greatest target that predictions in [low, high] lead to, for an operator between minimum and maximum.
  std::pair<double, double> bounds(double low, double high) const {
    return detail::target_bounds(rewards_, discount_, transitions_.rowwise().sum(), low, high);
  }

 private:
  Matrix<double> features_, transitions_;  // transitions: (states * actions) x states
  Vector<double> weights_, rewards_;
  Op op_;
  double discount_;
  Index actions_;
};

}  // namespace mellow::value

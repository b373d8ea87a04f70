// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/LU>
#include <Eigen/QR>

#include <cmath>
#include <utility>

#include <mellow/core/error.hpp>
#include <mellow/environments/linear_mrp.hpp>
#include <mellow/value/force_constants.hpp>

namespace mellow::value {

/// The numbers of Lookahead-Replicate in expectation.
struct LookaheadReplicateOptions {
  Index lookahead_steps = 400;  ///< K_L, gradient steps of the online parameters, > 0
  Index replicate_steps = 1;    ///< K_R, gradient steps of the target parameters, > 0
  double lookahead_rate = 0.1;  ///< alpha, > 0
  double replicate_rate = 0.1;  ///< beta, > 0

  /// Throws Error for a number out of range.
  void validate() const {
    constexpr auto where = "value::LookaheadReplicateOptions";
    require(lookahead_steps > 0, where, "lookahead_steps must be positive", lookahead_steps);
    require(replicate_steps > 0, where, "replicate_steps must be positive", replicate_steps);
    require(std::isfinite(lookahead_rate) && lookahead_rate > 0, where, "lookahead_rate must be positive and finite",
            lookahead_rate);
    require(std::isfinite(replicate_rate) && replicate_rate > 0, where, "replicate_rate must be positive and finite",
            replicate_rate);
  }
};

/// Target and online parameters.
struct ParameterPair {
  Vector<double> theta;  ///< of the target values
  Vector<double> w;      ///< of the online values
};

/// Lookahead-Replicate (Asadi et al. 2024, algorithm LR) in expectation, for linear values of a Markov reward process,
/// v_theta = Phi theta and v_w = Phi_w w, whose features may differ:
///
///     H(theta, w) = |v_w - T v_theta|_D^2      dH/dw     = 2 Phi_w' D (v_w - T v_theta)       T v = R + gamma P v
///     G(theta, w) = |v_theta - v_w|_D^2        dG/dtheta = 2 Phi' D (v_theta - v_w)
///
/// Each iteration takes K_L steps on H in w, then K_R steps on G in theta. Where both can represent the true values it
/// ends at v_theta = v_w = T v_theta, with parameters that need not be equal: `limit`. What `Replicate` does for networks.
class LookaheadReplicate {
 public:
  /// The process with its features is the target's; `online_features` (features x states) are the online values', the
  /// same where none are given. Throws Error for a process that makes no sense or features of other states.
  explicit LookaheadReplicate(environments::LinearMrp mrp, Matrix<double> online_features = {})
      : mrp_(std::move(mrp)), online_(std::move(online_features)) {
    mrp_.validate();
    if (online_.size() == 0) online_ = mrp_.features;
    if (online_.cols() != mrp_.states())
      throw Error("value::LookaheadReplicate", fmt::format("online features need {} columns", mrp_.states()),
                  online_.cols());
  }

  /// v_theta: states.
  Vector<double> target_values(const Vector<double>& theta) const { return mrp_.features.transpose() * theta; }
  /// v_w: states.
  Vector<double> online_values(const Vector<double>& w) const { return online_.transpose() * w; }
  /// T v = R + gamma P v: states.
  Vector<double> backup(const Vector<double>& v) const { return mrp_.rewards + mrp_.discount * mrp_.transitions * v; }

  /// dH/dw.
  Vector<double> lookahead_gradient(const ParameterPair& at) const {
    return 2 * online_ * mrp_.weights.cwiseProduct(online_values(at.w) - backup(target_values(at.theta)));
  }
  /// dG/dtheta.
  Vector<double> replicate_gradient(const ParameterPair& at) const {
    return 2 * mrp_.features * mrp_.weights.cwiseProduct(target_values(at.theta) - online_values(at.w));
  }

  /// @{
  /// L, the greatest curvature of H in w and of G in theta; 1 / L is a step size that descends.
  double lookahead_smoothness() const { return smoothness(online_); }
  double replicate_smoothness() const { return smoothness(mrp_.features); }
  /// @}

  /// K_L steps of the online parameters, the target's frozen.
  void lookahead(ParameterPair& at, const LookaheadReplicateOptions& options) const {
    for (Index k = 0; k < options.lookahead_steps; ++k) at.w -= options.lookahead_rate * lookahead_gradient(at);
  }
  /// K_R steps of the target parameters, the online ones frozen.
  void replicate(ParameterPair& at, const LookaheadReplicateOptions& options) const {
    for (Index k = 0; k < options.replicate_steps; ++k) at.theta -= options.replicate_rate * replicate_gradient(at);
  }
  /// So many iterations from `start`. Throws Error for options out of range or parameters of another size.
  ParameterPair run(ParameterPair start, Index iterations, const LookaheadReplicateOptions& options) const {
    options.validate();
    require_size(start);
    for (Index t = 0; t < iterations; ++t) {
      lookahead(start, options);
      replicate(start, options);
    }
    return start;
  }

  /// The values v* = T v*.
  Vector<double> values() const {
    const Index n = mrp_.states();
    return (Matrix<double>::Identity(n, n) - mrp_.discount * mrp_.transitions).partialPivLu().solve(mrp_.rewards);
  }
  /// Where it ends from `start`, for any step sizes that descend: since steps stay in the span of the features, at the
  /// parameters nearest to the start whose values are v*. Needs features that can represent v*.
  ParameterPair limit(const ParameterPair& start) const {
    require_size(start);
    const auto nearest = [this](const Matrix<double>& features, const Vector<double>& x) -> Vector<double> {
      const Matrix<double> phi = features.transpose();
      return x + phi.completeOrthogonalDecomposition().solve(values() - phi * x);
    };
    return {nearest(mrp_.features, start.theta), nearest(online_, start.w)};
  }

  /// What an iteration does to the error v_theta - v*, where the lookahead is exact and online features of full rank:
  ///
  ///     A^K_R + (I - A^K_R) gamma P,     A = I - 2 beta Phi Phi' D
  Matrix<double> error_map(Index replicate_steps, double replicate_rate) const {
    const Index n = mrp_.states();
    const Matrix<double> ahead = mrp_.discount * mrp_.transitions;
    const Matrix<double> gram = mrp_.features.transpose() * mrp_.features * mrp_.weights.asDiagonal();
    Matrix<double> map = Matrix<double>::Identity(n, n);  // e <- A e + (I - A) gamma P e_0, K_R times
    for (Index k = 0; k < replicate_steps; ++k) map -= 2 * replicate_rate * gram * (map - ahead);
    return map;
  }

 private:
  double smoothness(const Matrix<double>& features) const {
    const Matrix<double> curvature = 2 * features * mrp_.weights.asDiagonal() * features.transpose();
    return symmetric_eigenvalues(curvature).maxCoeff();
  }
  void require_size(const ParameterPair& at) const {
    require(at.theta.size() == mrp_.features.rows(), "value::LookaheadReplicate",
            fmt::format("theta needs {} numbers", mrp_.features.rows()), at.theta.size());
    require(at.w.size() == online_.rows(), "value::LookaheadReplicate",
            fmt::format("w needs {} numbers", online_.rows()), at.w.size());
  }

  environments::LinearMrp mrp_;
  Matrix<double> online_;
};

}  // namespace mellow::value

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/QR>

#include <mellow/environments/linear_mrp.hpp>
#include <mellow/value/force_constants.hpp>

namespace mellow::value {

/// Expected linear temporal-difference learning with a target network: minimises, exactly or by K gradient steps,
///
///     H(theta, w) = 1/2 |R + gamma P Phi theta - Phi w|_D^2 + ridge/2 |w|^2,    dH/dw = M_w w - M_theta theta - b
///     M_w = Phi' D Phi + ridge I,   M_theta = gamma Phi' D P Phi,   b = Phi' D R
///
/// and takes the result as the next theta (Asadi et al. 2023, section 4; in our layout Phi = features'). A
/// `TdObjective`: `ExactUpdate` and `GradientUpdate` learn by it. They converge from everywhere where the spectral radius
/// of `exact_map()` or `gradient_map()` is below 1.
template <class Scalar_ = double>
class ExpectedTd {
 public:
  using Scalar = Scalar_;  ///< of parameters

  /// Throws Error for a process that makes no sense or a negative ridge.
  explicit ExpectedTd(const environments::LinearMrp& mrp, double ridge = 0.0) {
    mrp.validate();
    require(ridge >= 0, "value::ExpectedTd", "ridge must not be negative", ridge);
    const Matrix<Scalar> phi = mrp.features.template cast<Scalar>();
    const Matrix<Scalar> weighted = phi * mrp.weights.template cast<Scalar>().asDiagonal();
    m_w_ = weighted * phi.transpose() + static_cast<Scalar>(ridge) * Matrix<Scalar>::Identity(phi.rows(), phi.rows());
    m_theta_ = static_cast<Scalar>(mrp.discount) * weighted * mrp.transitions.template cast<Scalar>() * phi.transpose();
    b_ = weighted * mrp.rewards.template cast<Scalar>();
    solver_.compute(m_w_);
  }

  const Matrix<Scalar>& m_w() const { return m_w_; }          ///< features x features
  const Matrix<Scalar>& m_theta() const { return m_theta_; }  ///< features x features
  const Vector<Scalar>& b() const { return b_; }              ///< features

  Index parameters() const { return b_.size(); }  ///< features

  /// dH/dw at target parameters theta and online parameters w.
  Vector<Scalar> grad_w(const ConstVectorRef<Scalar>& theta, const ConstVectorRef<Scalar>& w) const {
    return m_w_ * w - m_theta_ * theta - b_;
  }

  /// argmin_w H(theta, w); of several the one of least norm.
  Vector<Scalar> argmin_w(const ConstVectorRef<Scalar>& theta) const { return solver_.solve(m_theta_ * theta + b_); }

  /// Where dH/dw(theta, theta) = 0, the LSTD solution; of several the one of least norm.
  Vector<Scalar> fixed_point() const {
    return Eigen::CompleteOrthogonalDecomposition<Matrix<Scalar>>(m_w_ - m_theta_).solve(b_);
  }

  /// The factor by which an exact update moves the distance to the fixed point: pinv(M_w) M_theta.
  Matrix<Scalar> exact_map() const { return solver_.solve(m_theta_); }

  /// The same for K gradient steps: B^K + (I - B^K) pinv(M_w) M_theta with B = I - alpha M_w.
  Matrix<Scalar> gradient_map(Index steps, Scalar learning_rate) const {
    Matrix<Scalar> map = Matrix<Scalar>::Identity(m_w_.rows(), m_w_.cols());
    for (Index k = 0; k < steps; ++k) map -= learning_rate * (m_w_ * map - m_theta_);
    return map;
  }

  /// F_w, F_theta (the spectral norm of M_theta) and L.
  ForceConstants<Scalar> force_constants() const {
    const Vector<Scalar> curvatures = symmetric_eigenvalues(m_w_);
    const Scalar least = curvatures.minCoeff(), negligible = Scalar(1e-12) * curvatures.maxCoeff();
    return {.optimization_force = least < negligible ? Scalar(0) : least,  // dependent features leave rounding alone
            .target_force = spectral_norm(m_theta_),
            .smoothness = curvatures.maxCoeff()};
  }

 private:
  Matrix<Scalar> m_w_, m_theta_;
  Vector<Scalar> b_;
  Eigen::CompleteOrthogonalDecomposition<Matrix<Scalar>> solver_;  // of M_w
};

}  // namespace mellow::value

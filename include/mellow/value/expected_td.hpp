// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Eigenvalues>
#include <Eigen/QR>

#include <cmath>
#include <limits>

#include <mellow/environments/linear_mrp.hpp>

namespace mellow::value {

/// How strongly the objective holds online parameters, and how strongly the target moves it (Asadi et al. 2023): TD
/// with a target network contracts where F_theta < F_w.
template <class Scalar = double>
struct ForceConstants {
  Scalar optimization_force = 0;  ///< F_w: least curvature in w
  Scalar target_force = 0;        ///< F_theta: how far the gradient moves with theta
  Scalar smoothness = 0;          ///< L: greatest curvature in w; 1 / L is the step of the theory

  /// F_theta / F_w: the certified rate of exact updates, below 1 where the theory guarantees convergence; infinite
  /// where F_w is 0, of which it says nothing.
  Scalar exact_rate() const {
    return optimization_force > 0 ? target_force / optimization_force : std::numeric_limits<Scalar>::infinity();
  }

  /// sigma_K, sigma_K^2 = (1 - kappa)^K (1 - eta^2) + eta^2 with eta = F_theta / F_w and kappa = F_w / L: the certified
  /// rate of an update by K gradient steps of length 1 / L (proposition 5).
  Scalar rate(Index gradient_steps) const {
    if (!(optimization_force > 0)) return exact_rate();
    const Scalar eta = exact_rate(), kappa = optimization_force / smoothness;
    return std::sqrt(std::pow(1 - kappa, static_cast<Scalar>(gradient_steps)) * (1 - eta * eta) + eta * eta);
  }
};

/// Expected linear temporal-difference learning with a target network: minimises, exactly or by K gradient steps,
///
///     H(theta, w) = 1/2 |R + gamma P Phi theta - Phi w|_D^2 + ridge/2 |w|^2,    dH/dw = M_w w - M_theta theta - b
///     M_w = Phi' D Phi + ridge I,   M_theta = gamma Phi' D P Phi,   b = Phi' D R
///
/// and takes the result as the next theta (Asadi et al. 2023, section 4; in our layout Phi = features').
/// K = 1 is ordinary TD; exact is fitted value iteration.
template <class Scalar = double>
class ExpectedTd {
 public:
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

  /// dH/dw at target parameters theta and online parameters w.
  Vector<Scalar> gradient(const ConstVectorRef<Scalar>& theta, const ConstVectorRef<Scalar>& w) const {
    return m_w_ * w - m_theta_ * theta - b_;
  }

  /// argmin_w H(theta, w); of several the one of least norm.
  Vector<Scalar> exact_step(const ConstVectorRef<Scalar>& theta) const { return solver_.solve(m_theta_ * theta + b_); }

  /// K gradient steps on H(theta, .) from w = theta.
  Vector<Scalar> gradient_steps(const ConstVectorRef<Scalar>& theta, Index steps, Scalar learning_rate) const {
    Vector<Scalar> w = theta;
    for (Index k = 0; k < steps; ++k) w -= learning_rate * gradient(theta, w);
    return w;
  }

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
    const Vector<Scalar> curvatures = eigenvalues(m_w_);
    const Scalar least = curvatures.minCoeff(), negligible = Scalar(1e-12) * curvatures.maxCoeff();
    return {.optimization_force = least < negligible ? Scalar(0) : least,  // dependent features leave rounding alone
            .target_force = std::sqrt(eigenvalues(m_theta_.transpose() * m_theta_).maxCoeff()),
            .smoothness = curvatures.maxCoeff()};
  }

 private:
  /// Of a symmetric matrix.
  static Vector<Scalar> eigenvalues(const Matrix<Scalar>& symmetric) {
    return Eigen::SelfAdjointEigenSolver<Matrix<Scalar>>(symmetric, Eigen::EigenvaluesOnly).eigenvalues();
  }

  Matrix<Scalar> m_w_, m_theta_;
  Vector<Scalar> b_;
  Eigen::CompleteOrthogonalDecomposition<Matrix<Scalar>> solver_;  // of M_w
};

/// Largest modulus of a square matrix's eigenvalues: repeating the map converges from everywhere iff it is below 1.
template <class Scalar>
Scalar spectral_radius(const Matrix<Scalar>& map) {
  return Eigen::EigenSolver<Matrix<Scalar>>(map, false).eigenvalues().cwiseAbs().maxCoeff();
}

}  // namespace mellow::value

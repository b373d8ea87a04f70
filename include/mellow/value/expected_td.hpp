// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Eigenvalues>
#include <Eigen/QR>
#include <Eigen/SVD>

#include <cmath>

#include <mellow/environments/linear_mrp.hpp>

namespace mellow::value {

/// How strongly the objective holds online parameters, and how strongly the target moves it (Asadi et al. 2023): TD
/// with a target network contracts where F_theta < F_w.
struct ForceConstants {
  double optimization_force = 0.0;  ///< F_w: least curvature in w
  double target_force = 0.0;        ///< F_theta: how far the gradient moves with theta
  double smoothness = 0.0;          ///< L: greatest curvature in w; 1 / L is the step of the theory

  /// F_theta / F_w: the certified rate of exact updates, below 1 where the theory guarantees convergence.
  double exact_rate() const { return target_force / optimization_force; }

  /// sigma_K, sigma_K^2 = (1 - kappa)^K (1 - eta^2) + eta^2 with eta = F_theta / F_w and kappa = F_w / L: the certified
  /// rate of an update by K gradient steps of length 1 / L (proposition 5).
  double rate(Index gradient_steps) const {
    const double eta = exact_rate(), kappa = optimization_force / smoothness;
    return std::sqrt(std::pow(1.0 - kappa, static_cast<double>(gradient_steps)) * (1.0 - eta * eta) + eta * eta);
  }
};

/// Expected linear temporal-difference learning with a target network: minimises, exactly or by K gradient steps,
///
///     H(theta, w) = 1/2 |R + gamma P Phi theta - Phi w|_D^2 + ridge/2 |w|^2,    dH/dw = M_w w - M_theta theta - b
///     M_w = Phi' D Phi + ridge I,   M_theta = gamma Phi' D P Phi,   b = Phi' D R
///
/// and takes the result as the next theta (Asadi et al. 2023, section 4; in our layout Phi = features').
/// K = 1 is ordinary TD; exact is fitted value iteration.
class ExpectedTd {
 public:
  /// Throws Error for a process that makes no sense or a negative ridge.
  explicit ExpectedTd(const environments::LinearMrp& mrp, double ridge = 0.0) {
    mrp.validate();
    require(ridge >= 0, "value::ExpectedTd", "ridge must not be negative", ridge);
    const Matrix<double> weighted = mrp.features * mrp.weights.asDiagonal();
    m_w_ = weighted * mrp.features.transpose() +
           ridge * Matrix<double>::Identity(mrp.features.rows(), mrp.features.rows());
    m_theta_ = mrp.discount * weighted * mrp.transitions * mrp.features.transpose();
    b_ = weighted * mrp.rewards;
    solver_.compute(m_w_);
  }

  const Matrix<double>& m_w() const { return m_w_; }          ///< features x features
  const Matrix<double>& m_theta() const { return m_theta_; }  ///< features x features
  const Vector<double>& b() const { return b_; }              ///< features

  /// dH/dw at target parameters theta and online parameters w.
  Vector<double> gradient(const ConstVectorRef<double>& theta, const ConstVectorRef<double>& w) const {
    return m_w_ * w - m_theta_ * theta - b_;
  }

  /// argmin_w H(theta, w); of several the one of least norm.
  Vector<double> exact_step(const ConstVectorRef<double>& theta) const { return solver_.solve(m_theta_ * theta + b_); }

  /// K gradient steps on H(theta, .) from w = theta.
  Vector<double> gradient_steps(const ConstVectorRef<double>& theta, Index steps, double learning_rate) const {
    Vector<double> w = theta;
    for (Index k = 0; k < steps; ++k) w -= learning_rate * gradient(theta, w);
    return w;
  }

  /// Where dH/dw(theta, theta) = 0, the LSTD solution; of several the one of least norm.
  Vector<double> fixed_point() const {
    return Eigen::CompleteOrthogonalDecomposition<Matrix<double>>(m_w_ - m_theta_).solve(b_);
  }

  /// The factor by which an exact update moves the distance to the fixed point: pinv(M_w) M_theta.
  Matrix<double> exact_map() const { return solver_.solve(m_theta_); }

  /// The same for K gradient steps: B^K + (I - B^K) pinv(M_w) M_theta with B = I - alpha M_w.
  Matrix<double> gradient_map(Index steps, double learning_rate) const {
    Matrix<double> map = Matrix<double>::Identity(m_w_.rows(), m_w_.cols());
    for (Index k = 0; k < steps; ++k) map -= learning_rate * (m_w_ * map - m_theta_);
    return map;
  }

  /// F_w, F_theta (the spectral norm of M_theta) and L.
  ForceConstants force_constants() const {
    const Vector<double> curvatures =
        Eigen::SelfAdjointEigenSolver<Matrix<double>>(m_w_, Eigen::EigenvaluesOnly).eigenvalues();
    return {.optimization_force = curvatures.minCoeff(),
            .target_force = Eigen::JacobiSVD<Matrix<double>>(m_theta_).singularValues()[0],
            .smoothness = curvatures.maxCoeff()};
  }

 private:
  Matrix<double> m_w_, m_theta_;
  Vector<double> b_;
  Eigen::CompleteOrthogonalDecomposition<Matrix<double>> solver_;  // of M_w
};

/// Largest modulus of a square matrix's eigenvalues: repeating the map converges from everywhere iff it is below 1.
inline double spectral_radius(const Matrix<double>& map) {
  return Eigen::EigenSolver<Matrix<double>>(map, false).eigenvalues().cwiseAbs().maxCoeff();
}

}  // namespace mellow::value

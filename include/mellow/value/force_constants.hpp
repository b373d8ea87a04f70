// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Eigenvalues>

#include <algorithm>
#include <cmath>
#include <limits>

#include <mellow/core/types.hpp>

namespace mellow::value {

/// How strongly an objective H(theta, w) holds the online parameters w, and how strongly the target parameters theta
/// move it (Asadi et al. 2023, section 6): TD with a target network contracts where F_theta < F_w.
template <class Scalar = double>
struct ForceConstants {
  Scalar optimization_force = 0;  ///< F_w: least curvature in w
  Scalar target_force = 0;        ///< F_theta: how far the gradient in w moves with theta; infinite: no bound is known
  Scalar smoothness = 0;          ///< L: greatest curvature in w

  /// F_theta < F_w: exact updates and updates by any number of gradient steps converge (theorem 3). Sufficient, not
  /// necessary. With equality a value may neither grow nor shrink.
  bool certified() const { return target_force < optimization_force; }

  /// 1 / L, the learning rate of the theory.
  Scalar learning_rate() const { return 1 / smoothness; }

  /// F_theta / F_w: the certified rate of exact updates (proposition 4), below 1 where the theory guarantees
  /// convergence; infinite where F_w is 0, of which it says nothing.
  Scalar exact_rate() const {
    return optimization_force > 0 ? target_force / optimization_force : std::numeric_limits<Scalar>::infinity();
  }

  /// sigma_K, sigma_K^2 = (1 - kappa)^K (1 - eta^2) + eta^2 with eta = F_theta / F_w and kappa = F_w / L: the certified
  /// rate of an update by K gradient steps of length 1 / L (proposition 5). Falls with K, to eta.
  Scalar rate(Index gradient_steps) const {
    const Scalar eta = exact_rate();
    if (!std::isfinite(eta)) return eta;
    const Scalar kappa = std::min(Scalar(1), optimization_force / smoothness);  // rounding may put F_w above L
    return std::sqrt(std::pow(1 - kappa, static_cast<Scalar>(gradient_steps)) * (1 - eta * eta) + eta * eta);
  }
};

/// Eigenvalues of a symmetric matrix, rising.
template <class Scalar>
Vector<Scalar> symmetric_eigenvalues(const Matrix<Scalar>& symmetric) {
  // In two steps, since SelfAdjointEigenSolver::compute brings eigenvectors along and takes seconds to compile.
  const Eigen::Tridiagonalization<Matrix<Scalar>> form(symmetric);
  return Eigen::SelfAdjointEigenSolver<Matrix<Scalar>>(symmetric.rows())
      .computeFromTridiagonal(form.diagonal(), form.subDiagonal(), Eigen::EigenvaluesOnly)
      .eigenvalues();
}

/// Largest singular value of a matrix: how far it stretches a vector at most.
template <class Scalar>
Scalar spectral_norm(const Matrix<Scalar>& map) {
  Matrix<Scalar> gram;
  if (map.rows() < map.cols()) gram = map * map.transpose();
  else gram = map.transpose() * map;
  return std::sqrt(std::max(Scalar(0), symmetric_eigenvalues(gram).maxCoeff()));
}

/// Largest modulus of a square matrix's eigenvalues: repeating the map converges from everywhere iff it is below 1.
template <class Scalar>
Scalar spectral_radius(const Matrix<Scalar>& map) {
  const Matrix<Scalar> hessenberg = Eigen::HessenbergDecomposition<Matrix<Scalar>>(map).matrixH();
  Eigen::RealSchur<Matrix<Scalar>> schur(map.rows());
  const Matrix<Scalar>& t = schur.computeFromHessenberg(hessenberg, hessenberg, false).matrixT();
  Scalar radius = 0;
  for (Index i = 0; i < t.rows(); ++i) {
    const bool pair = i + 1 < t.rows() && t(i + 1, i) != 0;  // a block of two complex eigenvalues, whose product is det
    radius = std::max(radius, pair ? std::sqrt(t.template block<2, 2>(i, i).determinant()) : std::abs(t(i, i)));
    i += pair;
  }
  return radius;
}

}  // namespace mellow::value

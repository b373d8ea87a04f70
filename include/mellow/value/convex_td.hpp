// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <mellow/core/newton.hpp>
#include <mellow/value/td_objective.hpp>
#include <mellow/value/td_targets.hpp>

namespace mellow::value {

/// The objective of expected TD with any convex loss, in prediction or in control (Asadi et al. 2023, section 6.3):
///
///     H(theta, w) = sum_i d_i loss(phi_i' w, y_i(theta)) + ridge/2 |w|^2
///     dH/dw       = sum_i d_i loss'(phi_i' w, y_i(theta)) phi_i + ridge w
///
/// with a row i for each state (`PredictionTargets`) or state and action (`ControlTargets`). A `TdObjective`. A loss of no
/// least curvature (Huber's, the logistic one) needs a ridge: the theory then asks for ridge > F_theta, and the fixed
/// point is that of the regularised problem. For the quadratic loss in prediction take `ExpectedTd`, whose F_theta is exact.
///
///     value::ConvexTd h(value::PredictionTargets(mrp), value::ErrorLoss{value::TdLoss::huber()}, 2.0);
///     value::ConvexTd q(value::ControlTargets(control, operators::Mellowmax{.omega = 5}), value::ErrorLoss{}, 1.0);
template <TdTargets Targets, ConvexLoss Loss = ErrorLoss>
class ConvexTd {
 public:
  using Scalar = double;  ///< of parameters

  /// Throws Error for a negative ridge, a loss's number out of range, or targets that the loss does not take.
  explicit ConvexTd(Targets targets, Loss loss = {}, double ridge = 0.0)
      : targets_(std::move(targets)), loss_(loss), ridge_(ridge) {
    constexpr auto where = "value::ConvexTd";
    require(std::isfinite(ridge) && ridge >= 0, where, "ridge must not be negative", ridge);
    loss_.validate();
    const double least = loss_.least_target(), greatest = loss_.greatest_target();
    if (std::isfinite(least) || std::isfinite(greatest)) {
      const auto [low, high] = targets_.bounds(least, greatest);
      require(low >= least, where, fmt::format("the loss takes no target below {}", least), low);
      require(high <= greatest, where, fmt::format("the loss takes no target above {}", greatest), high);
    }
    forces_ = bounds();
  }

  Index parameters() const { return targets_.features().rows(); }  ///< features

  /// The targets y(theta), one a row.
  Vector<double> targets(const Vector<double>& theta) const { return targets_(theta, loss_); }

  /// H(theta, w).
  double value(const Vector<double>& theta, const Vector<double>& w) const { return value_at(targets(theta), w); }
  /// dH/dw.
  Vector<double> grad_w(const Vector<double>& theta, const Vector<double>& w) const {
    return gradient_at(targets(theta), w);
  }
  /// d^2 H/dw^2, where H has one: sum_i d_i loss''_i phi_i phi_i' + ridge I.
  Matrix<double> hess_w(const Vector<double>& theta, const Vector<double>& w) const {
    return hessian_at(targets(theta), w);
  }

  /// argmin_w H(theta, w), by Newton's method from w = theta to a gradient of `newton`'s tolerance. Throws Error where F_w is
  /// 0, so that there may be none or many.
  Vector<double> argmin_w(const Vector<double>& theta, const NewtonOptions& newton = {}) const {
    require(forces_.optimization_force > 0, "value::ConvexTd", "a minimum needs a least curvature: give a ridge; F_w",
            forces_.optimization_force);
    const Vector<double> y = targets(theta);
    return newton_minimum([&](const Vector<double>& w) { return value_at(y, w); },
                          [&](const Vector<double>& w) { return gradient_at(y, w); },
                          [&](const Vector<double>& w) { return hessian_at(y, w); }, theta, newton);
  }

  /// F_w and L from the extreme eigenvalues of Phi' D Phi, the loss's curvatures and the ridge; F_theta by the lesser of
  /// two bounds of how far sum_i d_i loss'_i phi_i moves with theta,
  ///
  ///     |Phi' D^1/2|_2 |D^1/2 (y(theta_1) - y(theta_2))|   and   sum_i d_i |phi_i| |y_i(theta_1) - y_i(theta_2)|
  ///
  /// The second is proposition 8's constant with nothing dropped. (The paper ends with gamma E max_a' L_q^2, after steps
  /// that do not hold in general.)
  ForceConstants<double> force_constants() const { return forces_; }

 private:
  ForceConstants<double> bounds() const;
  double value_at(const Vector<double>& y, const Vector<double>& w) const;
  Vector<double> gradient_at(const Vector<double>& y, const Vector<double>& w) const;
  Matrix<double> hessian_at(const Vector<double>& y, const Vector<double>& w) const;

  Targets targets_;
  Loss loss_;
  double ridge_;
  ForceConstants<double> forces_;
};

template <TdTargets Targets, ConvexLoss Loss>
ForceConstants<double> ConvexTd<Targets, Loss>::bounds() const {
  const Matrix<double>& phi = targets_.features();
  const Vector<double>& d = targets_.weights();
  const Vector<double> spectrum = symmetric_eigenvalues<double>(phi * d.asDiagonal() * phi.transpose());
  const double greatest = spectrum.maxCoeff();
  const double least = spectrum.minCoeff() < 1e-12 * greatest ? 0.0 : spectrum.minCoeff();  // rounding is no curvature
  const double whole = std::sqrt(greatest) * targets_.slope();
  const Vector<double> rows = d.cwiseProduct(phi.colwise().norm().transpose()).cwiseProduct(targets_.row_slopes());
  return {.optimization_force = loss_.least_curvature() * least + ridge_,
          .target_force = loss_.target_slope() * loss_.prediction_slope() * std::min(whole, rows.sum()),
          .smoothness = loss_.greatest_curvature() * greatest + ridge_};
}

template <TdTargets Targets, ConvexLoss Loss>
double ConvexTd<Targets, Loss>::value_at(const Vector<double>& y, const Vector<double>& w) const {
  const Vector<double> z = targets_.features().transpose() * w;
  double total = 0.5 * ridge_ * w.squaredNorm();
  for (Index i = 0; i < z.size(); ++i) total += targets_.weights()[i] * loss_.value(z[i], y[i]);
  return total;
}

template <TdTargets Targets, ConvexLoss Loss>
Vector<double> ConvexTd<Targets, Loss>::gradient_at(const Vector<double>& y, const Vector<double>& w) const {
  Vector<double> slopes = targets_.features().transpose() * w;
  for (Index i = 0; i < slopes.size(); ++i) slopes[i] = targets_.weights()[i] * loss_.derivative(slopes[i], y[i]);
  return targets_.features() * slopes + ridge_ * w;
}

template <TdTargets Targets, ConvexLoss Loss>
Matrix<double> ConvexTd<Targets, Loss>::hessian_at(const Vector<double>& y, const Vector<double>& w) const {
  Vector<double> curvatures = targets_.features().transpose() * w;
  for (Index i = 0; i < curvatures.size(); ++i)
    curvatures[i] = targets_.weights()[i] * loss_.curvature(curvatures[i], y[i]);
  return targets_.features() * curvatures.asDiagonal() * targets_.features().transpose() +
         ridge_ * Matrix<double>::Identity(parameters(), parameters());
}

}  // namespace mellow::value

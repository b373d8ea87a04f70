// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <limits>

#include <mellow/value/td_loss.hpp>

namespace mellow::value {

/// A loss of a linear function z = phi' w and a target y, convex in z (Asadi et al. 2023, section 6.3):
///
///     value(z, y), derivative(z, y), curvature(z, y)   the loss, and its first two derivatives in z
///     prediction(z)                                    the value that z stands for
///     least_curvature(), greatest_curvature()          bounds of the curvature
///     target_slope()                                   how far the derivative moves with y, at most
///     prediction_slope()                               how far the prediction moves with z, at most
///     least_target(), greatest_target()                between which y must lie
template <class L>
concept ConvexLoss = requires(const L loss, double x) {
  loss.validate();
  { loss.value(x, x) } -> std::same_as<double>;
  { loss.derivative(x, x) } -> std::same_as<double>;
  { loss.curvature(x, x) } -> std::same_as<double>;
  { loss.prediction(x) } -> std::same_as<double>;
  { loss.least_curvature() } -> std::same_as<double>;
  { loss.greatest_curvature() } -> std::same_as<double>;
  { loss.target_slope() } -> std::same_as<double>;
  { loss.prediction_slope() } -> std::same_as<double>;
  { loss.least_target() } -> std::same_as<double>;
  { loss.greatest_target() } -> std::same_as<double>;
};

/// A `TdLoss` of z - y: v = z, any target. By default 1/2 (z - y)^2; `{TdLoss::huber(c)}` is Huber's loss, whose
/// derivative is z - y clipped to [-c, c].
struct ErrorLoss {
  TdLoss loss{.scale = 0.5};  ///< of the error z - y

  /// Throws Error for a number out of range.
  void validate() const { loss.validate(); }

  double value(double z, double y) const { return loss.value(z - y); }            ///< the loss
  double derivative(double z, double y) const { return loss.derivative(z - y); }  ///< in z
  /// Of the quadratic part; 0 beyond it.
  double curvature(double z, double y) const {
    return std::abs(z - y) <= loss.linear_from ? greatest_curvature() : 0.0;
  }
  double prediction(double z) const { return z; }  ///< z
  /// The curvature where the loss has no linear part, else 0.
  double least_curvature() const { return std::isinf(loss.linear_from) ? greatest_curvature() : 0.0; }
  double greatest_curvature() const { return 2.0 * loss.scale; }                      ///< 1 by default
  double target_slope() const { return greatest_curvature(); }                        ///< 1 by default
  double prediction_slope() const { return 1.0; }                                     ///< 1
  double least_target() const { return -std::numeric_limits<double>::infinity(); }    ///< none
  double greatest_target() const { return std::numeric_limits<double>::infinity(); }  ///< none
};

/// The cross-entropy of y in [0, 1] and v = sigma(z): log(1 + exp(z)) - y z, with the derivative sigma(z) - y.
struct LogisticLoss {
  void validate() const {}  ///< it has no settings

  /// The loss.
  double value(double z, double y) const { return std::max(z, 0.0) + std::log1p(std::exp(-std::abs(z))) - y * z; }
  double derivative(double z, double y) const { return prediction(z) - y; }            ///< in z
  double curvature(double z, double) const { return prediction(z) * prediction(-z); }  ///< sigma(z) (1 - sigma(z))
  double prediction(double z) const { return 1.0 / (1.0 + std::exp(-z)); }             ///< sigma(z)
  double least_curvature() const { return 0.0; }                                       ///< 0: reached far from z = 0
  double greatest_curvature() const { return 0.25; }                                   ///< at z = 0
  double target_slope() const { return 1.0; }                                          ///< 1
  double prediction_slope() const { return 0.25; }                                     ///< at z = 0
  double least_target() const { return 0.0; }                                          ///< 0
  double greatest_target() const { return 1.0; }                                       ///< 1
};

}  // namespace mellow::value

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>
#include <cmath>
#include <utility>

#include <mellow/core/root_finding.hpp>
#include <mellow/operators/mellowmax.hpp>

namespace mellow::operators {

/// Whether a gradient goes through the inverse temperature, which itself depends on the values, or takes it as a
/// constant.
enum class TemperatureGradient { Implicit, Stopped };

/// The maximum-entropy policy whose value is mm_omega(q) (Asadi & Littman 2017, section 5): pi = softmax(beta q), where
/// beta solves
///
///     sum_a exp(beta (q(a) - m)) (q(a) - m) = 0,    m = mm_omega(q)
///
/// beta lies between 0 and omega, nearer to 0 the wider the values lie apart: the policy always gives up max q - m of
/// one step's value. To act by it: `explore(MellowmaxPolicy{.omega = 5})`. Everything is computed in double; nothing is
/// allocated.
struct MellowmaxPolicy {
  double omega = 5.0;  ///< sharpness of the mellowmax; finite, not 0

  /// Throws Error for a number out of range.
  void validate() const {
    require(std::isfinite(omega) && omega != 0.0, "MellowmaxPolicy", "omega must be finite and not 0", omega);
  }

  /// The inverse temperature beta of the values q, in [0, omega] (omega < 0: in [omega, 0]); omega / 2 where all values
  /// are equal.
  template <class Derived>
  double inverse_temperature(const Eigen::DenseBase<Derived>& q) const {
    const double best = reference(q);
    if (close(q)) return 0.5 * omega;
    const double m = value_from(q, best);
    const double sign = omega > 0 ? 1.0 : -1.0;
    const auto excess = [&](double beta) {  // for omega < 0 that of -q, whose root is -beta
      double value = 0.0, slope = 0.0;
      for (Index a = 0; a < q.size(); ++a) {
        const double distance = sign * (static_cast<double>(q.derived().coeff(a)) - best - m);
        const double weighted = std::exp(beta * distance) * distance;
        value += weighted;
        slope += weighted * distance;
      }
      return std::pair(value, slope);
    };
    return sign * find_root(excess, 0.0, std::abs(omega));
  }

  /// Writes pi = softmax(beta q), one probability an action.
  template <class Derived>
  void probabilities(const Eigen::DenseBase<Derived>& q, VectorRef<typename Derived::Scalar> pi) const {
    Boltzmann{inverse_temperature(q)}.probabilities(q, pi);
  }

  /// Writes d beta / d q(i) = (softmax(omega q)_i - pi_i (1 + beta (q(i) - m))) / sum_a pi_a (q(a) - m)^2; it sums to
  /// 0. Zero where all values are equal.
  template <class Derived>
  void inverse_temperature_gradient(const Eigen::DenseBase<Derived>& q, VectorRef<typename Derived::Scalar> out) const {
    temperature_gradient(q, inverse_temperature(q), out);
  }

  /// Writes d log pi(action) / d q, which sums to 0:
  ///
  ///     beta (1[i = action] - pi_i) + (q(action) - m) d beta / d q(i)
  ///
  /// `TemperatureGradient::Stopped` leaves the second term out. Returns log pi(action).
  template <class Derived>
  double log_probability_gradient(const Eigen::DenseBase<Derived>& q, Index action, TemperatureGradient through,
                                  VectorRef<typename Derived::Scalar> out) const {
    using Scalar = typename Derived::Scalar;
    assert(action >= 0 && action < q.size());
    const double beta = inverse_temperature(q), best = reference(q);
    Scalar advantage = 0;
    out.setZero();
    if (through == TemperatureGradient::Implicit) {
      temperature_gradient(q, beta, out);
      advantage = static_cast<Scalar>(static_cast<double>(q.derived().coeff(action)) - best - value_from(q, best));
    }
    const double total = partition(q, beta, best);
    for (Index i = 0; i < q.size(); ++i) {
      const double pi = weight(q, i, beta, best) / total;
      out[i] = static_cast<Scalar>(beta * ((i == action ? 1.0 : 0.0) - pi)) + advantage * out[i];
    }
    return beta * (static_cast<double>(q.derived().coeff(action)) - best) - std::log(total);
  }

 private:
  /// The value that exponents are taken from: no other has a larger omega q.
  template <class Derived>
  double reference(const Eigen::DenseBase<Derived>& q) const {
    return static_cast<double>(omega > 0 ? q.derived().maxCoeff() : q.derived().minCoeff());
  }
  /// mm_omega(q) - best, in double.
  template <class Derived>
  double value_from(const Eigen::DenseBase<Derived>& q, double best) const {
    return Mellowmax{omega}(q.derived().array().template cast<double>() - best);
  }
  /// Whether the values lie so close that beta is omega / 2 to within rounding.
  template <class Derived>
  bool close(const Eigen::DenseBase<Derived>& q) const {
    return std::abs(omega) * static_cast<double>(q.derived().maxCoeff() - q.derived().minCoeff()) < 1e-7;
  }
  template <class Derived>
  static double weight(const Eigen::DenseBase<Derived>& q, Index i, double beta, double best) {
    return std::exp(beta * (static_cast<double>(q.derived().coeff(i)) - best));
  }
  template <class Derived>
  static double partition(const Eigen::DenseBase<Derived>& q, double beta, double best) {
    double total = 0.0;
    for (Index i = 0; i < q.size(); ++i) total += weight(q, i, beta, best);
    return total;
  }
  template <class Derived>
  void temperature_gradient(const Eigen::DenseBase<Derived>& q, double beta,
                            VectorRef<typename Derived::Scalar> out) const {
    out.setZero();
    if (close(q)) return;
    const double best = reference(q), m = value_from(q, best);
    const double total = partition(q, beta, best), sharp_total = partition(q, omega, best);
    const auto distance = [&](Index i) { return static_cast<double>(q.derived().coeff(i)) - best - m; };
    double variance = 0.0;
    for (Index i = 0; i < q.size(); ++i) variance += weight(q, i, beta, best) / total * distance(i) * distance(i);
    for (Index i = 0; i < q.size(); ++i) {
      const double pi = weight(q, i, beta, best) / total, sharp = weight(q, i, omega, best) / sharp_total;
      out[i] = static_cast<typename Derived::Scalar>((sharp - pi * (1.0 + beta * distance(i))) / variance);
    }
  }
};

}  // namespace mellow::operators

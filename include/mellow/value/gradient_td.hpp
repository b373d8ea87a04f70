// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>
#include <cmath>

#include <mellow/core/error.hpp>
#include <mellow/core/schedule.hpp>
#include <mellow/core/types.hpp>

namespace mellow::value {

/// Which gradient of the projected Bellman error is followed: GTD2, or TD with gradient correction, which is usually
/// faster.
enum class GradientTdUpdate { Gtd2, Tdc };

/// The numbers of gradient temporal-difference learning.
struct GradientTdOptions {
  double discount = 0.99;                           ///< in [0, 1]
  Schedule learning_rate = 0.01;                    ///< alpha of theta, by steps, >= 0
  Schedule secondary_rate = 0.05;                   ///< beta of the secondary weights, by steps, >= 0
  GradientTdUpdate update = GradientTdUpdate::Tdc;  ///< which of the two updates

  /// Throws Error for a number out of range.
  void validate() const {
    constexpr auto where = "value::GradientTd";
    require(discount >= 0 && discount <= 1, where, "discount must lie in [0, 1]", discount);
    require(learning_rate.minimum() >= 0, where, "learning_rate must not be negative", learning_rate.minimum());
    require(secondary_rate.minimum() >= 0, where, "secondary_rate must not be negative", secondary_rate.minimum());
  }
};

/// Linear values v(s) = theta' phi(s) by stochastic gradient descent on the projected Bellman error (Sutton et al.
/// 2009), which converges off-policy too, where `LinearTd` may diverge. With the error d = r + discount theta' phi' -
/// theta' phi, importance ratio rho and secondary weights w:
///
///     GTD2:  theta += alpha rho (phi - discount phi') (phi' w)          both:  w += beta rho (d - phi' w) phi
///     TDC:   theta += alpha rho (d phi - discount phi' (phi' w))               [first phi' w: the product of phi and
///     w]
///
/// Linear in time and memory; allocates nothing after construction.
class GradientTd {
 public:
  /// Starts from theta = 0 and w = 0. Throws Error for no features or numbers out of range.
  explicit GradientTd(Index features, const GradientTdOptions& options = {})
      : options_(options), theta_(Vector<double>::Zero(features)), w_(Vector<double>::Zero(features)) {
    require(features > 0, "value::GradientTd", "features must be positive", features);
    options_.validate();
  }

  /// Learns from one step between states of features phi and next_phi; `ratio` is pi(a|s) / b(a|s) of the action taken.
  /// Returns the temporal-difference error.
  double observe(const ConstVectorRef<double>& phi, double reward, const ConstVectorRef<double>& next_phi,
                 bool terminated, double ratio = 1.0) {
    assert(phi.size() == theta_.size() && next_phi.size() == theta_.size());
    const double alpha = ratio * options_.learning_rate(steps_), beta = ratio * options_.secondary_rate(steps_);
    ++steps_;
    const double discount = terminated ? 0.0 : options_.discount;
    const double error = reward + discount * theta_.dot(next_phi) - theta_.dot(phi);
    const double expected_error = w_.dot(phi);
    theta_ += alpha * (options_.update == GradientTdUpdate::Tdc ? error : expected_error) * phi;
    theta_ -= alpha * discount * expected_error * next_phi;
    w_ += beta * (error - expected_error) * phi;
    return error;
  }

  /// theta' phi.
  double value(const ConstVectorRef<double>& phi) const { return theta_.dot(phi); }
  const Vector<double>& parameters() const { return theta_; }  ///< theta: features
  /// Sets theta. Throws Error for another length.
  void set_parameters(const ConstVectorRef<double>& theta) {
    require(theta.size() == theta_.size(), "value::GradientTd", fmt::format("theta has {} numbers", theta_.size()),
            theta.size());
    theta_ = theta;
  }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("theta", self.theta_);
    visit("w", self.w_);
    visit("steps", self.steps_);
  }

 private:
  GradientTdOptions options_;
  Vector<double> theta_, w_;
  Index steps_ = 0;
};

}  // namespace mellow::value

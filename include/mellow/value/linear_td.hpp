// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>

#include <mellow/value/tabular_td.hpp>

namespace mellow::value {

/// The values of a policy as v(s) = theta' phi(s): linear TD(lambda) with `Accumulating` traces (Sutton 1988; lambda =
/// 0 is TD(0)), or true online TD(lambda) with `Dutch` traces (van Seijen et al. 2016), whose theta equals that of the
/// online lambda-return at every step.
///
/// On-policy it converges; off-policy it may diverge, and `GradientTd` does not. Allocates nothing after construction.
template <class Kind = Accumulating>
  requires std::same_as<Kind, Accumulating> || std::same_as<Kind, Dutch>
class LinearTd {
 public:
  /// Starts from theta = 0. Throws Error for no features or numbers out of range.
  explicit LinearTd(Index features, const TdOptions& options = {}, const Kind& traces = {.lambda = 0.0})
      : options_(options),
        kind_(traces),
        theta_(Vector<double>::Zero(features)),
        trace_(Vector<double>::Zero(features)) {
    require(features > 0, "value::LinearTd", "features must be positive", features);
    options_.validate();
    kind_.validate();
  }

  /// Learns from one step between states of features phi and next_phi; returns its temporal-difference error. A
  /// truncated episode ends, but its last state's value counts.
  double observe(const ConstVectorRef<double>& phi, double reward, const ConstVectorRef<double>& next_phi,
                 bool terminated, bool truncated = false) {
    assert(phi.size() == theta_.size() && next_phi.size() == theta_.size());
    const double alpha = options_.learning_rate(steps_++);
    const double value = theta_.dot(phi), next_value = terminated ? 0.0 : theta_.dot(next_phi);
    const double error = reward + options_.discount * next_value - value;
    if constexpr (std::same_as<Kind, Dutch>) {
      trace_ += alpha * (1.0 - trace_.dot(phi)) * phi;  // the learning rate is in the trace
      const double moved = value - before_;
      theta_ += (error + moved) * trace_ - alpha * moved * phi;
      before_ = next_value;
    } else {
      trace_ += phi;
      theta_ += alpha * error * trace_;
    }
    if (terminated || truncated) trace_.setZero();
    else trace_ *= options_.discount * kind_.lambda;
    return error;
  }

  /// theta' phi.
  double value(const ConstVectorRef<double>& phi) const { return theta_.dot(phi); }
  const Vector<double>& parameters() const { return theta_; }  ///< theta: features
  /// Sets theta. Throws Error for another length.
  void set_parameters(const ConstVectorRef<double>& theta) {
    require(theta.size() == theta_.size(), "value::LinearTd", fmt::format("theta has {} numbers", theta_.size()),
            theta.size());
    theta_ = theta;
  }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("theta", self.theta_);
    visit("trace", self.trace_);
    visit("before", self.before_);
    visit("steps", self.steps_);
  }

 private:
  TdOptions options_;
  Kind kind_;
  Vector<double> theta_, trace_;
  double before_ = 0.0;  // value of the present state before the last update
  Index steps_ = 0;
};

}  // namespace mellow::value

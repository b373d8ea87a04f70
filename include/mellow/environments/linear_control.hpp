// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/environments/dense_mdp.hpp>

namespace mellow::environments {

/// A Markov decision process whose action values are approximated linearly, q(s, a) = phi(s, a)' theta, and how often
/// each action is updated: the setting of off-policy control by temporal differences. For prediction: `LinearMrp`.
struct LinearControl {
  DenseMdp model;           ///< what happens
  double discount = 0.9;    ///< in [0, 1]
  Matrix<double> features;  ///< features x (states * actions): column s * actions + a is phi(s, a)
  Matrix<double> weights;   ///< actions x states: how often each is updated, d(s) pi(a|s) >= 0

  /// Throws Error where shapes do not fit or a weight is negative.
  void validate() const {
    constexpr auto where = "LinearControl";
    const Index actions = model.actions(), states = model.states();
    if (features.rows() == 0 || features.cols() != states * actions || weights.rows() != actions ||
        weights.cols() != states)
      throw Error(where,
                  fmt::format("features ({} x {}) and weights ({} x {}) do not fit {} states and {} actions",
                              features.rows(), features.cols(), weights.rows(), weights.cols(), states, actions));
    require(features.allFinite(), where, "features must be finite", features.sum());
    require(discount >= 0 && discount <= 1, where, "discount must lie in [0, 1]", discount);
    require(weights.minCoeff() >= 0 && weights.sum() > 0, where, "weights must not be negative, nor all zero",
            weights.minCoeff());
  }
};

}  // namespace mellow::environments

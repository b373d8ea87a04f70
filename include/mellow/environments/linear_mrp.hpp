// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include <mellow/core/error.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/core/types.hpp>

namespace mellow::environments {

/// A Markov reward process whose values are approximated linearly, v(s) = features.col(s)' theta, and how often each
/// state is updated: the setting in which temporal-difference learning is analysed.
struct LinearMrp {
  Matrix<double> transitions;  ///< states x states, row s the probabilities of the next state; the rest to 1 ends
  Vector<double> rewards;      ///< states: expected reward of leaving each
  double discount = 0.9;       ///< in [0, 1]
  Matrix<double> features;     ///< features x states
  Vector<double> weights;      ///< states: how often each is updated, >= 0; any distribution, not only the stationary

  Index states() const { return rewards.size(); }  ///< how many

  /// Throws Error where shapes do not fit, a number is not finite, a probability or weight is negative, or a row exceeds
  /// 1.
  void validate() const {
    constexpr auto where = "LinearMrp";
    const Index n = states();
    require(n > 0, where, "it needs at least one state", n);
    if (transitions.rows() != n || transitions.cols() != n || features.cols() != n || weights.size() != n)
      throw Error(where, fmt::format("transitions ({} x {}), features ({} x {}) and weights ({}) do not fit {} states",
                                     transitions.rows(), transitions.cols(), features.rows(), features.cols(),
                                     weights.size(), n));
    require(rewards.allFinite(), where, "rewards must be finite", rewards.sum());
    require(features.allFinite(), where, "features must be finite", features.sum());
    require(discount >= 0 && discount <= 1, where, "discount must lie in [0, 1]", discount);
    require(weights.minCoeff() >= 0 && weights.sum() > 0, where, "weights must not be negative, nor all zero",
            weights.minCoeff());
    for (Index s = 0; s < n; ++s) {
      if (!(transitions.row(s).minCoeff() >= 0 && transitions.row(s).sum() <= 1 + 1e-9))
        throw Error(where, fmt::format("state {}: probabilities must not be negative and sum to at most 1", s),
                    transitions.row(s).sum());
    }
  }

  /// A state and what follows it.
  struct Sample {
    Index state = 0;      ///< the state that is updated
    double reward = 0.0;  ///< of leaving it
    Index next = -1;      ///< the state that follows; -1: none
  };
  /// Draws a state by `weights`, and what follows it.
  Sample sample(Rng& rng) const {
    const Index state = rng.categorical(weights);
    double left = rng.uniform();
    for (Index next = 0; next < states(); ++next)
      if ((left -= transitions(state, next)) < 0.0) return {state, rewards[state], next};
    return {state, rewards[state], -1};
  }
};

/// The numbers of the two-state example.
struct TsitsiklisVanRoyOptions {
  double discount = 0.9;      ///< in [0, 1]
  double end = 0.1;           ///< probability that the second state ends the process, in [0, 1]
  double first_weight = 0.5;  ///< how often the first state is updated, in [0, 1]
};

/// Two states on which off-policy temporal-difference learning diverges (Tsitsiklis & Van Roy 1996): the first leads to
/// the second, which stays or ends; the features are 1 and 2, all rewards 0. With equal weights it diverges for
/// discount > 5 / (6 - 4 end). With one feature, discount |phi(s')| < |phi(s)| along every transition is enough to
/// converge whatever is updated; equality is not (discount 1/2, end 1, the first state alone: values stay).
inline LinearMrp tsitsiklis_van_roy(const TsitsiklisVanRoyOptions& options = {}) {
  LinearMrp mrp{.transitions = Matrix<double>::Zero(2, 2),
                .rewards = Vector<double>::Zero(2),
                .discount = options.discount,
                .features = Matrix<double>(1, 2),
                .weights = Vector<double>(2)};
  mrp.transitions.col(1) << 1.0, 1.0 - options.end;
  mrp.features << 1.0, 2.0;
  mrp.weights << options.first_weight, 1.0 - options.first_weight;
  mrp.validate();
  return mrp;
}

/// Baird's star (1995) of seven states and eight features: every state leads to the seventh, all rewards are 0, all
/// states are updated equally often, and temporal-difference learning diverges from almost every start although v = 0
/// can be represented.
inline LinearMrp baird_star(double discount = 0.99) {
  LinearMrp mrp{.transitions = Matrix<double>::Zero(7, 7),
                .rewards = Vector<double>::Zero(7),
                .discount = discount,
                .features = Matrix<double>::Zero(8, 7),
                .weights = Vector<double>::Constant(7, 1.0 / 7.0)};
  mrp.transitions.col(6).setOnes();
  for (Index s = 0; s < 6; ++s) {
    mrp.features(s, s) = 2.0;
    mrp.features(7, s) = 1.0;
  }
  mrp.features(6, 6) = 1.0;
  mrp.features(7, 6) = 2.0;
  mrp.validate();
  return mrp;
}

/// Two states that lead to one another, with reward 1, discount 1/2 and so the value 2, and more features than states,
/// so that many parameters have those values (Asadi et al. 2024, section 4.1). Weights are the stationary distribution.
inline LinearMrp redundant_features() {
  LinearMrp mrp{.transitions = Matrix<double>(2, 2),
                .rewards = Vector<double>::Ones(2),
                .discount = 0.5,
                .features = Matrix<double>(3, 2),
                .weights = Vector<double>(2)};
  mrp.transitions << 0.6, 0.4, 0.2, 0.8;
  mrp.features << 1, 1, 2, 1, 1, 2;
  mrp.weights << 1.0 / 3.0, 2.0 / 3.0;
  mrp.validate();
  return mrp;
}

}  // namespace mellow::environments

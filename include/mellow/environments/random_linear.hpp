// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/environments/linear_control.hpp>
#include <mellow/environments/linear_mrp.hpp>
#include <mellow/environments/random_mdps.hpp>

namespace mellow::environments {

/// The size of a random process with linear values.
struct RandomLinearOptions {
  Index states = 6;       ///< > 0
  Index features = 3;     ///< > 0
  double discount = 0.9;  ///< in [0, 1]
};

/// A random Markov reward process: rows of transitions uniform and normalised, rewards and features standard normal, and
/// weights uniform and normalised, far from the stationary distribution. Throws Error for numbers out of range.
inline LinearMrp random_linear_mrp(const RandomLinearOptions& options, Rng& rng) {
  const Index n = options.states, k = options.features;
  require(n > 0, "random_linear_mrp", "states must be positive", n);
  require(k > 0, "random_linear_mrp", "features must be positive", k);
  LinearMrp mrp{.transitions = Matrix<double>(n, n),
                .rewards = Vector<double>(n),
                .discount = options.discount,
                .features = Matrix<double>(k, n),
                .weights = Vector<double>(n)};
  for (double& x : mrp.transitions.reshaped()) x = rng.uniform();
  for (Index s = 0; s < n; ++s) mrp.transitions.row(s) /= mrp.transitions.row(s).sum();
  for (double& x : mrp.rewards) x = rng.normal();
  for (double& x : mrp.features.reshaped()) x = rng.normal();
  for (double& x : mrp.weights) x = rng.uniform();
  mrp.weights /= mrp.weights.sum();
  mrp.validate();
  return mrp;
}

/// A model with random linear action values: features standard normal, weights uniform and normalised. Throws Error for
/// numbers out of range.
template <TabularModel M>
LinearControl random_linear_control(const M& model, Index features, double discount, Rng& rng) {
  require(features > 0, "random_linear_control", "features must be positive", features);
  LinearControl control{.model = DenseMdp(model),
                        .discount = discount,
                        .features = Matrix<double>(features, model.states() * model.actions()),
                        .weights = Matrix<double>(model.actions(), model.states())};
  for (double& x : control.features.reshaped()) x = rng.normal();
  for (double& x : control.weights.reshaped()) x = rng.uniform();
  control.weights /= control.weights.sum();
  control.validate();
  return control;
}

}  // namespace mellow::environments

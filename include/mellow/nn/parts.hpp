// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>

#include <mellow/core/network.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/nn/moments.hpp>
#include <mellow/nn/parameter_layout.hpp>

/// What agents that train a network ask of the parts that the nn room fills.
namespace mellow::nn {

/// Optimiser: `State<Scalar>` with `reset(nn::ParameterLayout)`, `step(state, theta, gradient)`, and a `learning_rate`
/// schedule.
template <class P, class Scalar>
concept OptimizerPart = requires(const P part, typename P::template State<Scalar> state, Vector<Scalar> theta,
                                 const Vector<Scalar> gradient, const ParameterLayout layout) {
  state.reset(layout);
  part.step(state, theta, gradient);
  { part.learning_rate(Index{}) } -> std::convertible_to<double>;
};

/// A state of an optimiser that can be told to forget: `forget(nn::Moments)`.
template <class State>
concept ForgetfulState = requires(State state, const Moments which) { state.forget(which); };

/// A state of an optimiser whose mean of gradients, or momentum, can be read: `first_moment()`, a vector as long as the
/// parameters, or empty where there is none.
template <class State>
concept MomentumState = requires(const State state) { state.first_moment().norm(); };

/// Initialiser: `fill<Scalar>(segment, values, rng)`, or `theta`.
template <class P, class Scalar>
concept InitializerPart = requires(const P part, const Segment segment, VectorRef<Scalar> values, Rng rng) {
  part.template fill<Scalar>(segment, values, rng);
} || requires(const P part) {
  { part.theta } -> std::convertible_to<Vector<Scalar>>;
};

}  // namespace mellow::nn

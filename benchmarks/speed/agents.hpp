// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>

#include <mellow/core/rng.hpp>
#include <mellow/data/transition.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/value/dqn.hpp>

#include "shapes.hpp"

namespace mellow::speed {

using Agent = value::Dqn<nn::Mlp<>>;

/// Learns some updates from 10 000 random transitions: after 1 000 the moments of units that went dead have decayed as
/// in any run.
inline Agent train(const Shape& shape, Index updates = 1'000) {
  constexpr Index transitions = 10'000;
  Agent agent(nn::Mlp<>(shape.widths), {.batch_size = shape.batch,
                                        .learning_starts = transitions + 1,
                                        .max_gradient_norm = std::numeric_limits<double>::infinity()});
  Rng rng;
  const Box space(shape.widths.front(), -1, 1);
  Vector<> next = space.sample(rng);
  for (Index i = 0; i < transitions; ++i) {
    const Vector<> observation = next;
    next = space.sample(rng);
    agent.observe({.observation = observation,
                   .action = rng.below(shape.widths.back()),
                   .reward = rng.uniform(),
                   .next_observation = next,
                   .terminated = rng.uniform() < 0.05},
                  rng);
  }
  for (Index i = 0; i < updates; ++i) agent.learn(rng);
  return agent;
}

/// Pushes random episodes of 200 steps until a replay is full.
template <class Replay, class State>
void fill(const Replay& replay, State& state, Index features) {
  Rng rng(1);
  Vector<float> now(features), next(features);
  for (Index i = 0; i < replay.capacity; ++i) {
    if (i % 200 == 0) now.setConstant(static_cast<float>(rng.uniform()));
    next.setConstant(static_cast<float>(rng.uniform()));
    replay.push(state, Transition<>{now, 0, 1.0, next, i % 200 == 199, false});
    now = next;
  }
}

}  // namespace mellow::speed

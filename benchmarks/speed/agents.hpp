// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>

#include <mellow/core/rng.hpp>
#include <mellow/data/transition.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/value/dqn.hpp>

#include "shapes.hpp"
#include "transitions.hpp"

namespace mellow::speed {

/// How many transitions an agent remembers before it learns.
inline constexpr Index remembered = 10'000;

/// The options of agents that learn by `learn_from`.
inline value::DqnOptions learn_later(Index batch) {
  return {.batch_size = batch,
          .learning_starts = remembered + 1,
          .max_gradient_norm = std::numeric_limits<double>::infinity()};
}

/// Learns some updates from transitions of a source: after 1 000 the moments of units that went dead have decayed as in
/// any run.
template <class Agent, class Source>
Agent learn_from(Agent agent, Source source, Index updates = 1'000) {
  Rng rng;
  for (Index i = 0; i < remembered; ++i) agent.observe(source(rng), rng);
  for (Index i = 0; i < updates; ++i) agent.learn(rng);
  return agent;
}

/// DQN with dense layers of a shape that has learned from noise.
inline auto train(const Shape& shape, Index updates = 1'000) {
  return learn_from(
      value::Dqn(nn::Mlp<>(shape.widths), learn_later(shape.batch), value::ScalarHead{.loss = value::TdLoss::huber()}),
      Noise(shape.widths.front(), shape.widths.back()), updates);
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

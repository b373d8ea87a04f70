// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/core/rng.hpp>
#include <mellow/core/types.hpp>

/// Shows an agent of two inputs and three actions random transitions; every fourth terminates, every fifth is
/// truncated.
template <class Agent>
void show_random_transitions(Agent& agent, int transitions, mellow::Rng rng = mellow::Rng(9)) {
  using mellow::Vector;
  for (int i = 0; i < transitions; ++i) {
    const Vector<float> now = Eigen::Vector2f(static_cast<float>(rng.normal()), 1),
                        next = Eigen::Vector2f(static_cast<float>(rng.normal()), 0);
    agent.observe({now, rng.below(3), rng.normal(), next, i % 4 == 0, i % 5 == 0}, rng);
  }
}

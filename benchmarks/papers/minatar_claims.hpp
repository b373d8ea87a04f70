// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "../suite/paper.hpp"

/// What papers on deep Q-learning claim, tested on MinAtar with Dopamine's agent: first a sweep of each paper's number
/// on Breakout, then the best setting of the sweep on three games with fresh runs. `--quick` runs a short sweep alone.
namespace mellow::suite {

/// DQN Pro: a pull of the online network towards the target.
std::vector<Claim> proximal_on_minatar(Study& study);
/// Lookahead-Replicate: a target that follows in function space.
std::vector<Claim> replicate_on_minatar(Study& study);
/// Resets of the optimiser at changes of the target.
std::vector<Claim> reset_on_minatar(Study& study);

/// The best settings of all three beside each other: a table, curves and profiles. Of `--full` alone.
void compare_on_minatar(Study& study);

}  // namespace mellow::suite

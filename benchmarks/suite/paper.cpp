// SPDX-License-Identifier: Apache-2.0
#include "paper.hpp"

namespace mellow::suite {

std::vector<Paper> papers() {
  return {action_generalization(), c2_dpo(),     dqn_pro(),       lookahead_replicate(), mellowmax(), minatar(),
          optimizer_reset(),       squared_po(), td_convergence()};
}

}  // namespace mellow::suite

// SPDX-License-Identifier: Apache-2.0
// A DQN update (sample a batch, target and online forward pass, Huber loss, backward pass, Adam), whole and by its
// parts.
#include "agents.hpp"
#include "shapes.hpp"
#include "updates.hpp"

using namespace mellow;

int main(int argc, char** argv) {
  for (const auto& shape : speed::shapes) {
    const speed::Once trained([shape] { return speed::train(shape); });
    const std::string name = "dqn_update_" + shape.name;
    speed::add_update(name, trained, speed::flop(shape));
    speed::add_update_parts(name, trained);
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}

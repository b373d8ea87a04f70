// SPDX-License-Identifier: Apache-2.0
// expect: this backup needs an exploration part that tells probabilities
#include <mellow/value/tabular_q.hpp>

using namespace mellow;

struct Quiet {
  using role = roles::Exploration;
  template <class Choice>
  Index choose(Choice&& choice, Index, Rng&) const {
    return choice.greedy();
  }
};

value::TabularQ agent(4, 2, {}, value::ExpectedSarsa{}, Quiet{});

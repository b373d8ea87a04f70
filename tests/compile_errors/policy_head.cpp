// SPDX-License-Identifier: Apache-2.0
// expect: the part for roles::Head does not fit: it needs probabilities(x, pi) const
#include <mellow/nn/mlp.hpp>
#include <mellow/policy/reinforce.hpp>

using namespace mellow;

struct Gaussian {
  using role = roles::Head;
  double deviation = 1;
};

policy::Reinforce agent(nn::Mlp({4, 8, 2}), {}, Gaussian{});

// SPDX-License-Identifier: Apache-2.0
// expect: traces need a backup that follows the policy
#include <mellow/operators/mellowmax.hpp>
#include <mellow/value/tabular_q.hpp>

using namespace mellow;

value::TabularQ agent(4, 2, {}, operators::Mellowmax{}, value::Accumulating{});

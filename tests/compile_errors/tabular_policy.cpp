// SPDX-License-Identifier: Apache-2.0
// expect: a policy explores through operators::explore
#include <mellow/operators/mellowmax_policy.hpp>
#include <mellow/value/tabular_q.hpp>

using namespace mellow;

value::TabularQ agent(4, 2, {}, operators::MellowmaxPolicy{});

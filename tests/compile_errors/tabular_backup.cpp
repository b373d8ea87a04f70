// SPDX-License-Identifier: Apache-2.0
// expect: the part for roles::Backup does not fit: it needs operator
#include <mellow/value/tabular_q.hpp>

using namespace mellow;

struct Median {
  using role = roles::Backup;
  double of(const Vector<double>& q) const { return q[q.size() / 2]; }
};

value::TabularQ agent(4, 2, {}, Median{});

// SPDX-License-Identifier: Apache-2.0
// expect: a preference loss must have `preference::PairTerm operator()(const preference::Pair&) const`
#include <mellow/preference/pair_loss.hpp>

using namespace mellow;

struct Margin {
  double operator()(const preference::Pair& pair) const { return -pair.margin(); }
};

double loss(const preference::PairBatch<float>& batch) { return preference::pair_loss(Margin{}, batch).value; }

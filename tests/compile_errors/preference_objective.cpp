// SPDX-License-Identifier: Apache-2.0
// expect: a preference loss must have
#include <mellow/language/preference_training.hpp>
#include <mellow/language/transformer.hpp>

using namespace mellow;

struct Number {
  double operator()(const preference::Pair& pair) const;
};

language::PreferenceTraining learner(language::Transformer<>{}, Vector<>{}, std::vector<language::TokenizedPair>{},
                                     std::vector<language::TokenizedPair>{}, Number{});

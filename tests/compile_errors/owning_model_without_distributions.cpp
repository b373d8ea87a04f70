// SPDX-License-Identifier: Apache-2.0
// expect: a loss that uses divergences needs log_distributions
#include <mellow/language/preference_training.hpp>
#include <mellow/preference/token_losses.hpp>

using namespace mellow;

struct Elsewhere {
  using Scalar = double;
  Index vocabulary() const;
  Index context() const;
  Vector<double> log_probabilities(const PackedTokens& packed);
  void zero_gradient();
  void accumulate(const PackedTokens& packed, const Vector<double>& weights);
  OwnStep step(double max_gradient_norm);
};

Elsewhere model;
language::PreferenceTraining learner(model, std::vector<language::TokenizedPair>{},
                                     std::vector<language::TokenizedPair>{}, preference::Tdpo1{});

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include <mellow/language/preference_training.hpp>
#include <mellow/language/transformer.hpp>
#include <mellow/nn/initializers.hpp>
#include <mellow/nn/variance_scaling.hpp>

#include "support/catch.hpp"

// Pairs of random tokens and a transformer small enough for central differences.
namespace small_pairs {

using namespace mellow;
using language::TokenizedPair;

using Model = language::Transformer<double>;
inline const language::TransformerOptions sizes{
    .vocabulary = 7, .context = 9, .width = 8, .layers = 1, .heads = 2, .hidden = 6};
inline constexpr double no_bound = std::numeric_limits<double>::infinity();

inline std::vector<TokenizedPair> some(Index n, Rng& rng) {
  const auto tokens = [&](Index most) {
    std::vector<Token> made(static_cast<std::size_t>(1 + rng.below(most)));
    for (Token& token : made) token = static_cast<Token>(rng.below(7));
    return made;
  };
  std::vector<TokenizedPair> pairs;
  for (Index i = 0; i < n; ++i) pairs.push_back({tokens(4), tokens(5), tokens(5)});
  return pairs;
}

inline Vector<double> start(const Model& model) {
  Rng rng(2);
  return nn::initialize(model, rng, nn::Normal{.deviation = 0.3});
}
inline Vector<double> elsewhere(const Model& model) {
  Rng rng(7);
  return start(model) + Vector<double>::NullaryExpr(model.parameters(), [&] { return rng.normal(0, 0.1); });
}

/// Some updates on batches of 8 of 20 pairs.
template <class Scalar, class Loss, class... Parts>
auto run(const Loss& loss, Index micro_batch, const Parts&... parts) {
  const language::Transformer<Scalar> model(sizes);
  Rng rng(4);
  const auto pairs = some(20, rng), held_out = some(5, rng);
  language::PreferenceTraining learner(model, start(Model(sizes)).cast<Scalar>(), pairs, held_out, loss,
                                       {.batch = 8, .micro_batch = micro_batch},
                                       nn::AdamW{.learning_rate = 1e-2, .weight_decay = 0}, parts...);
  std::vector<double> figures;
  for (int k = 0; k < 6; ++k)
    for (const Metric& metric : learner.update(rng).metrics())
      if (!std::isnan(metric.value)) figures.push_back(metric.value);
  figures.push_back(learner.evaluate());
  return std::pair(Vector<Scalar>(learner.parameters()), figures);
}

template <class A, class B>
void check_same(const A& a, const B& b) {
  CHECK((a.first - b.first).norm() < 1e-9 * a.first.norm());
  REQUIRE(a.second.size() == b.second.size());
  for (std::size_t k = 0; k < a.second.size(); ++k)
    CHECK(b.second[k] == Approx(a.second[k]).epsilon(1e-9).margin(1e-12));
}

}  // namespace small_pairs

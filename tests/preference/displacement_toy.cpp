// SPDX-License-Identifier: Apache-2.0
#include <mellow/preference/displacement_toy.hpp>

#include "support/catch.hpp"
#include "support/gradient.hpp"

using namespace mellow;
using namespace mellow::preference;
using Catch::Matchers::Contains;

TEST_CASE("The toy's log-probabilities are normalised, its reference is w = 0") {
  Rng rng(1);
  const DisplacementToy toy(rng);
  CHECK(toy.parameters() == 200);
  CHECK(toy.prompts() == 20);
  Matrix<double> log_probs;
  toy.log_probs(Vector<double>::Zero(200), log_probs);
  CHECK(toy.reference_chosen() == log_probs.row(0).transpose());
  CHECK(toy.reference_rejected() == log_probs.row(1).transpose());
  toy.log_probs(Vector<double>::Random(200), log_probs);
  for (Index k = 0; k < 20; ++k) CHECK(log_probs.col(k).array().exp().sum() == Approx(1.0));
  // A pair has e^2 times the weight of the other 18 responses: some 0.45 of the mass.
  const double mass = (toy.reference_chosen().array().exp() + toy.reference_rejected().array().exp()).mean();
  CHECK((mass > 0.3 && mass < 0.6));
}

TEST_CASE("The toy's gradient agrees with central differences") {
  Rng rng(2);
  const DisplacementToy toy(rng, {.prompts = 3, .responses = 4, .features = 6});
  const Vector<double> w = Vector<double>::Random(6), d_chosen = Vector<double>::Random(3),
                       d_rejected = Vector<double>::Random(3);
  Matrix<double> log_probs;
  toy.log_probs(w, log_probs);
  Vector<double> d_w(6);
  toy.gradient(log_probs, d_chosen, d_rejected, d_w);
  expect_gradient(
      [&](const Vector<double>& at) {
        toy.log_probs(at, log_probs);
        return log_probs.row(0).dot(d_chosen) + log_probs.row(1).dot(d_rejected);
      },
      w, d_w);
}

TEST_CASE("A toy that is none is refused") {
  Rng rng(3);
  CHECK_THROWS_WITH(DisplacementToy(rng, {.prompts = 0}), Contains("prompts must be positive (got 0)"));
  CHECK_THROWS_WITH(DisplacementToy(rng, {.responses = 1}), Contains("responses must be at least 2 (got 1)"));
  const DisplacementToy toy(rng);
  Matrix<double> log_probs;
  CHECK_THROWS_WITH(toy.log_probs(Vector<double>::Zero(3), log_probs), Contains("w must have 200 numbers (got 3)"));
}
